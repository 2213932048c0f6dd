"""Sizes of memory as people write them."""

import re
from typing import Final

from bench.machine import memory
from results.errors import InputError

MEMORY_UNITS: Final = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}
FREE: Final = "free"
"""Stands for the memory of the host that is free now."""


def memory_size(text: str) -> int:
    """Return the bytes of a size such as ``8GB``, ``512 MiB`` or ``free``.

    Raises:
        InputError: it has no unit, an unknown one, or no positive number.
    """
    if text.strip() == FREE:
        return memory.available()
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([A-Za-z]*)\s*", text)
    choices = f"a number with a unit ({', '.join(MEMORY_UNITS)}), such as 8GB, or {FREE}"
    if match is None:
        raise InputError(f"memory {text!r} should be {choices}")
    units = {unit.lower(): count for unit, count in MEMORY_UNITS.items()}
    if match[2].lower() not in units:
        raise InputError(f"memory {text!r} has {'an unknown' if match[2] else 'no'} unit: give {choices}")
    size = int(float(match[1]) * units[match[2].lower()])
    if size < 1:
        raise InputError(f"memory {text!r} holds nothing")
    return size
