"""How much memory a worker took, and how much there is to share out."""

import pathlib
import resource
import sys

import psutil

_STATUS = pathlib.Path("/proc/self/status")
_CGROUP = pathlib.Path("/sys/fs/cgroup")
_VMSTAT = pathlib.Path("/proc/vmstat")


def resident_now() -> int:
    """Resident bytes of this process."""
    return int(psutil.Process().memory_info().rss)


def resident_peak() -> int:
    """Peak of the resident bytes of this process.

    Linux keeps it per address space, so that a forked worker starts its own count; ``ru_maxrss`` would carry the
    parent's peak over.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def available() -> int:
    """Bytes that new processes may take: the machine's, or the control group's where that is less."""
    machine = int(psutil.virtual_memory().available)
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        stat = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no control group, or no limit ("max")
        return machine
    return min(machine, limit - used + int(stat.get("inactive_file", 0)))


def kernel_oom_kills() -> int | None:
    """Processes that the kernel has killed for lack of memory since it started, None where it does not say."""
    try:
        counters = dict(line.split() for line in _VMSTAT.read_text().splitlines())
        return int(counters["oom_kill"])
    except (OSError, ValueError, KeyError):
        return None
