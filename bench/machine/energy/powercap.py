"""The energy counters of the kernel's powercap folder (RAPL): processor packages and their memory.

Source: Documentation/power/powercap/powercap.rst of Linux. A counter in microjoules begins again at 0 behind
``max_energy_range_uj``: after an hour or less at full power.
"""

import dataclasses
import errno
import os
import pathlib
from typing import Final

FOLDER: Final = pathlib.Path("/sys/class/powercap")
_MICRO: Final = 1e-6
_PACKAGE: Final = "package"
_MEMORY: Final = "dram"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A counter of powercap."""

    path: pathlib.Path
    """Its folder."""
    range_j: float
    """The joules after which it begins again."""

    def joules(self) -> float:
        """Return what it counts now. Raises `OSError`."""
        return int((self.path / "energy_uj").read_text()) * _MICRO


def zones(folder: pathlib.Path = FOLDER) -> tuple[Zone, ...] | str:
    """Return the counters of all packages and of their memory, or the reason why they cannot be read.

    The other parts of a package (cores, graphics) are in its own count, and ``psys`` counts the packages again.
    """
    if not folder.is_dir():
        return (
            f"there is no {folder} (errno {errno.ENOENT}): this kernel, or a virtual machine, shows no energy counter"
        )
    readable = []
    try:
        for path in sorted(folder.iterdir()):
            name_file = path / "name"
            if not name_file.is_file():
                continue
            name = name_file.read_text().strip()
            if name.startswith(_PACKAGE) or name == _MEMORY:
                zone = Zone(path=path, range_j=int((path / "max_energy_range_uj").read_text()) * _MICRO)
                zone.joules()
                readable.append(zone)
    except (OSError, ValueError) as error:
        return refusal(error)
    return _without_twins(readable) or f"{folder} holds no counter of a processor package (errno {errno.ENOENT})"


def refusal(error: OSError | ValueError) -> str:
    """Return why a counter cannot be read: its file, the errno, and the remedy."""
    if not isinstance(error, OSError):
        return f"a counter of powercap is not a number: {error}"
    reason = f"{error.filename}: {error.strerror} (errno {error.errno})"
    if error.errno in {errno.EACCES, errno.EPERM}:
        reason += f"; as root, let others read it: chmod a+r {error.filename}"
    return reason


def _without_twins(zones_seen: list[Zone]) -> tuple[Zone, ...]:
    """Return the counters without those that another driver (intel-rapl-mmio beside intel-rapl) shows again."""
    by_name: dict[str, Zone] = {}
    for zone in zones_seen:
        number = os.path.basename(zone.path).partition(":")[2]  # noqa: PTH119 - a link's own name
        by_name.setdefault(number, zone)
    return tuple(by_name.values())
