"""The name of a CPU, precise enough that different hardware has different names.

Arm and RISC-V name cores only, which many machines share, so the board is part of the name; so are all kinds of cores
of a machine, and the kinds that this process may use.
"""

import pathlib
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from bench.machine.arm_parts import arm_core
from bench.machine.files import read_text
from results.text import printable

Fields = Mapping[str, str]
Kinds = Mapping[str, Collection[int]]
"""Logical CPUs by the name of their core."""

_LENGTH: Final = 128
_JUNK: Final = re.compile(
    r"to be filled.*|default string|system (product name|manufacturer)|not (specified|applicable)|none|unknown|0*",
    re.IGNORECASE,
)
"""Texts of a board's maker who did not name it."""
_EMULATED: Final = re.compile(r"qemu|dummy-virt|\bkvm\b|virtual (machine|cpu)", re.IGNORECASE)
"""Names of virtual machines, which do not identify the hardware."""
_MAINFRAMES: Final = {
    "2964": "z13", "2965": "z13s", "3906": "z14", "3907": "z14 ZR1", "8561": "z15", "8562": "z15 T02", "3931": "z16",
    "3932": "z16 A02", "9175": "z17",
}  # fmt: skip
_HYBRID: Final = {"cpu_core": "P-core CPUs", "cpu_atom": "E-core CPUs", "cpu_lowpower": "LP-E-core CPUs"}
"""Kinds of cores of a hybrid x86, by the folder of their counters."""


def cores_of(cpuinfo: str) -> tuple[Fields, list[Fields]]:
    """Return the fields of a machine and of each of its CPUs, by lower-case name; ``processor`` begins a CPU.

    A field of the machine is the first of its name.
    """
    machine: dict[str, str] = {}
    cores: list[Fields] = []
    current: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key.startswith("processor") and (value.isdecimal() or "machine = " in value):
            current = {}
            cores.append(current)
            machine |= re.findall(r"(machine) = (\w+)", value)
        machine.setdefault(key.lower(), value)
        current.setdefault(key.lower(), value)
    return machine, cores


def cpu_name(
    cpuinfo: str, *, board: str = "", hybrid: Kinds | None = None, allowed: Collection[int] | None = None
) -> str | None:
    """Return the name of a CPU, None where nothing names it.

    Args:
        cpuinfo: text of ``/proc/cpuinfo``.
        board: name of the board, empty where the system does not tell (see `board_name`).
        hybrid: kinds of cores of a hybrid x86 (see `hybrid_kinds`).
        allowed: logical CPUs that this process may use, None for all.
    """
    machine, cores = cores_of(cpuinfo)
    cpus_of: dict[str, set[int]] = {}
    for index, fields in enumerate(cores or [machine]):
        if name := _core_name(fields, machine):
            number = fields.get("processor", "")
            cpus_of.setdefault(name, set()).add(int(number) if number.isdecimal() else index)
    if not cpus_of:
        return None
    kinds: Kinds = cpus_of
    if "cpu implementer" in machine or "isa" in machine:
        board = board or _called(machine.get("model", ""))
        if not board or _EMULATED.search(board):
            board = f"{board or 'unknown machine'} {_digest(cores):08x}"
        name = f"{_mix(kinds)} ({board})"
    else:  # the name is the chip's; a core that differs from the first is not another kind
        kinds, name = hybrid or {}, next(iter(kinds))
        name += f" with {_mix(kinds)}" if len(kinds) > 1 else ""
    if len(kinds) > 1 and allowed is not None:
        used = {kind: set(cpus) & set(allowed) for kind, cpus in kinds.items()}
        if any(len(used[kind]) < len(cpus) for kind, cpus in kinds.items()):
            name = f"{_mix({kind: cpus for kind, cpus in used.items() if cpus})} of {name}"
    return printable(name)[:_LENGTH]


def board_name(root: pathlib.Path = pathlib.Path("/")) -> str:
    """Return the name of this board, without serial numbers: by the device tree, the firmware or the chip's driver."""
    for folder in ("proc/device-tree", "sys/firmware/devicetree/base"):
        if name := _called(read_text(root / folder / "model")):
            return name
    firmware = root / "sys/devices/virtual/dmi/id"
    parts = [_called(read_text(firmware / file)) for file in ("sys_vendor", "product_name")]
    if not parts[1]:
        parts[1] = _called(read_text(firmware / "board_name"))
    return " ".join(filter(None, parts)) if parts[1] else _called(read_text(root / "sys/devices/soc0/machine"))


def hybrid_kinds(devices: pathlib.Path = pathlib.Path("/sys/devices")) -> dict[str, set[int]]:
    """Return the kinds of cores of a hybrid x86, empty where all are of a kind."""
    kinds = {kind: cpu_list(read_text(devices / folder / "cpus")) for folder, kind in _HYBRID.items()}
    return {kind: cpus for kind, cpus in kinds.items() if cpus}


def apple_name(read: Callable[[str], str | None]) -> str | None:
    """Return the name of a Mac's chip with its kinds of cores; `read` returns the value of a sysctl name."""
    chip = read("machdep.cpu.brand_string")
    levels = int(read("hw.nperflevels") or 0)
    names = [(read(f"hw.perflevel{level}.logicalcpu"), read(f"hw.perflevel{level}.name")) for level in range(levels)]
    kinds = [f"{count} {name} cores" for count, name in names if count and name]
    return f"{chip} with {' + '.join(kinds)}" if chip and len(kinds) > 1 else chip


def cpu_list(text: str) -> set[int]:
    """Return the CPUs of a text such as ``0-3,8``."""
    cores: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        cores |= set(range(int(first), int(last or first) + 1))
    return cores


def _core_name(fields: Fields, machine: Fields) -> str | None:
    """Return the name of a core, or of the chip where the system has no name of the core."""
    if "cpu part" in fields:  # before "model name", which holds no model here
        return arm_core(fields.get("cpu implementer", "?"), fields["cpu part"])
    if "ibm/s390" in machine.get("vendor_id", "").lower() and "machine" in machine:
        return f"IBM {_MAINFRAMES.get(machine['machine'], '')} {machine['machine']}".replace("  ", " ")
    if "isa" in fields:
        maker = " ".join(f"{key} {fields[key]}" for key in ("mvendorid", "marchid") if key in fields)
        return fields.get("model name") or fields.get("uarch") or f"RISC-V {maker or fields['isa']}"
    name = fields.get("model name") or fields.get("cpu model") or machine.get("hardware")
    if name is None and (power := fields.get("cpu")):
        return " ".join(filter(None, (power.split(",")[0], machine.get("machine"))))
    if name and (not re.search(r"\d{3}", name) or _EMULATED.search(name)) and "model" in fields:
        # Hypervisors name a family: the numbers of the model are all that tells its members apart.
        name += (
            f" ({', '.join(f'{key} {fields[key]}' for key in ('cpu family', 'model', 'stepping') if key in fields)})"
        )
    return name or None


def _mix(kinds: Kinds) -> str:
    """Return the kinds of cores, with their numbers where there are several."""
    return " + ".join(f"{len(cpus)} {kind}" for kind, cpus in kinds.items()) if len(kinds) > 1 else next(iter(kinds))


def _called(text: str) -> str:
    """Return the name in a file of the system, empty where it is none."""
    text = " ".join(text.replace("\0", " ").split())
    return "" if _JUNK.fullmatch(text) else text


def _digest(cores: Iterable[Fields]) -> int:
    """Return a number for all that cores say of themselves, for machines that share the name of their core."""
    keys = ("cpu implementer", "cpu part", "cpu variant", "cpu revision", "features", "isa", "mimpid")
    kinds = sorted({" ".join(f"{key} {fields.get(key)}" for key in keys) for fields in cores})
    return zlib.crc32("\n".join(kinds).encode())
