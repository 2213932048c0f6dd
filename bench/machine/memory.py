"""Memory of a worker, and free memory of the machine."""

import pathlib
import resource
import sys

import psutil

from bench.machine.cgroup import cgroup_folders
from bench.machine.files import read_text

_STATUS = pathlib.Path("/proc/self/status")
_VMSTAT = pathlib.Path("/proc/vmstat")


def resident_now() -> int:
    """Return the resident bytes of this process."""
    return int(psutil.Process().memory_info().rss)


def resident_peak() -> int:
    """Return the peak of the resident bytes of this process.

    Linux counts it per address space, so that a forked worker starts its own count; ``ru_maxrss`` would include the
    parent's peak.
    """
    if _STATUS.exists():
        for line in read_text(_STATUS).splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def available() -> int:
    """Return the free bytes for new processes: of the machine, or of a control group where that is less."""
    machine = int(psutil.virtual_memory().available)
    return min([machine, *(room for folder in cgroup_folders() if (room := _room(folder)) is not None)])


def _room(group: pathlib.Path) -> int | None:
    """Return the free bytes of a control group of version 2 or 1, droppable files included; None if unlimited."""
    for limit, used, droppable in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            stat = dict(line.split() for line in read_text(group / "memory.stat").splitlines())
            left = int(read_text(group / limit)) - int(read_text(group / used))
        except ValueError:  # no such file, or no limit ("max")
            continue
        return max(0, left + int(stat.get(droppable, 0)))
    return None


def kernel_oom_kills() -> int | None:
    """Return the number of processes that the kernel has killed for lack of memory since boot, None if unknown."""
    try:
        counters = dict(line.split() for line in read_text(_VMSTAT).splitlines())
        return int(counters["oom_kill"])
    except (ValueError, KeyError):
        return None
