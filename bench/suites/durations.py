"""Durations as people write them."""

import re
from typing import Final

from results.errors import InputError

DURATION_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def duration_s(text: str, what: str) -> float:
    """Return the seconds of a duration such as ``20ms`` or ``0.5 s``.

    Args:
        text: the duration.
        what: its name, for the error.

    Raises:
        InputError: it has no unit, an unknown one, or no positive number.
    """
    choices = f"a number with a unit ({', '.join(DURATION_UNITS)}), such as 20ms"
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([A-Za-z]*)\s*", text)
    if match is None:
        raise InputError(f"{what} {text!r} should be {choices}")
    if match[2] not in DURATION_UNITS:
        raise InputError(f"{what} {text!r} has {'an unknown' if match[2] else 'no'} unit: give {choices}")
    seconds = float(match[1]) * DURATION_UNITS[match[2]]
    if seconds <= 0:
        raise InputError(f"{what} {text!r} should be more than 0")
    return seconds
