"""Control groups: the limits of CPU time and memory that Linux sets for this process."""

import pathlib
from collections.abc import Iterable
from typing import Final

from bench.machine.files import read_text

_NO_LIMIT: Final = 1 << 60
"""Version 1 of control groups writes a huge number of bytes where there is no limit."""


def cgroup_folders(
    membership: str | None = None, mount: pathlib.Path = pathlib.Path("/sys/fs/cgroup")
) -> tuple[pathlib.Path, ...]:
    """Return the folders of this process's control groups and of their parents, which limit it too.

    Version 2 has a single tree, version 1 a tree for each controller. In a container the path may lead outside the
    mounted tree, so folders need not exist.

    Args:
        membership: Text of ``/proc/self/cgroup``, which is read if None.
        mount: Folder where control groups are mounted.
    """
    folders: list[pathlib.Path] = []
    for line in (membership_text() if membership is None else membership).splitlines():
        _, controllers, path = line.split(":", 2)
        tops = [controllers, *controllers.split(",")] if controllers else ["", "unified"]
        parts = [part for part in path.split("/") if part not in {"", ".."}]
        folders += [mount.joinpath(top, *parts[:length]) for top in tops for length in range(len(parts), -1, -1)]
    return tuple(dict.fromkeys(folders))


def cgroup_limits(folders: Iterable[pathlib.Path]) -> tuple[float | None, int | None]:
    """Return the number of CPUs and the bytes of memory that the control groups grant, None where unlimited.

    The lowest limit of all levels counts.
    """
    cpus: list[float] = []
    memory: list[int] = []
    for folder in folders:
        quota, _, period = read_text(folder / "cpu.max").partition(" ")
        quota = quota or read_text(folder / "cpu.cfs_quota_us")
        period = period or read_text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():  # "max" and -1 are no limit
            cpus.append(int(quota) / int(period))
        limit = read_text(folder / "memory.max") or read_text(folder / "memory.limit_in_bytes")
        if limit.isdecimal() and int(limit) < _NO_LIMIT:
            memory.append(int(limit))
    return min(cpus, default=None), min(memory, default=None)


def membership_text() -> str:
    """Return the text of ``/proc/self/cgroup``, empty where there is none."""
    return read_text(pathlib.Path("/proc/self/cgroup"))
