"""Signs of disturbance: other load of this machine while a worker lived.

Signs are differences of the kernel's own counters, which are read before and after: nothing runs during a measurement.
Functions that parse a format take its text as an argument.
"""

import dataclasses
import os
import pathlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from bench.machine.cgroup import cgroup_folders, cgroup_limits
from bench.machine.files import read_text
from results.schema.lines.record import Noise

LEAST_S: Final = 0.5
"""Least seconds of watching: counters in ticks of 10 ms say little about a shorter time."""

_LINUX: Final = hasattr(os, "sched_getaffinity")
_PROC: Final = pathlib.Path("/proc")
_NO_PSI: Final = "the kernel keeps no pressure (PSI)"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The counters of the kernel at a moment. None, or empty, where the system has no counter."""

    clock_s: float
    busy_s: float | None = None
    """CPU seconds of all the CPUs that this process may run on."""
    own_s: float | None = None
    """CPU seconds of this process and its descendants."""
    steal_s: float | None = None
    cpu_wait_s: float | None = None
    """Seconds in which some task waited for a CPU."""
    memory_wait_s: float | None = None
    throttled_s: Mapping[pathlib.Path, float] = dataclasses.field(default_factory=dict)
    """Seconds for which the CPU limit stopped tasks, by control group."""

    @property
    def others_s(self) -> float | None:
        """CPU seconds of all other processes."""
        return None if self.busy_s is None or self.own_s is None else self.busy_s - self.own_s


class Watch:
    """Watches the host from the counters at its beginning."""

    def __init__(self, read: Callable[[], Counters] | None = None) -> None:
        """Begin to watch this host; tests replace `read`, which reads the counters."""
        self._read = read or counters
        self._first = self._read()

    def noise(self) -> tuple[Noise, dict[str, str]]:
        """Return the noise since the beginning, and the reason of every missing value."""
        return between(self._first, self._read())


def between(first: Counters, last: Counters) -> tuple[Noise, dict[str, str]]:
    """Return the noise between two readings of the counters, and the reason of every missing value."""
    elapsed = last.clock_s - first.clock_s
    reasons: dict[str, str] = {}

    def rate(name: str, before: float | None, after: float | None, why: str) -> float | None:
        """Return the growth a second; a counter that decreased (a restored machine) counts as unchanged."""
        if before is None or after is None or elapsed <= 0:
            reasons[name] = why
            return None
        return max(0.0, after - before) / elapsed

    def share(name: str, before: float | None, after: float | None) -> float | None:
        """Return the share of the time, at most 1: files are read a moment after the clock."""
        growth = rate(name, before, after, _NO_PSI)
        return None if growth is None else min(1.0, growth)

    short = f"watched for {elapsed:.2g} s only: the kernel counts in ticks of 10 ms" if elapsed < LEAST_S else None
    uncounted = "the system has no /proc/stat, or grants a part of its CPUs only"
    steals = "the kernel does not count stolen time"
    grown = [last.throttled_s[group] - since for group, since in first.throttled_s.items() if group in last.throttled_s]
    if not grown:
        reasons["throttled_s"] = "no control group counts it"
    return (
        Noise(
            other_cpus=rate("other_cpus", first.others_s, None if short else last.others_s, short or uncounted),
            steal=rate("steal", first.steal_s, None if short else last.steal_s, short or steals),
            cpu_pressure=share("cpu_pressure", first.cpu_wait_s, last.cpu_wait_s),
            memory_pressure=share("memory_pressure", first.memory_wait_s, last.memory_wait_s),
            throttled_s=max(0.0, *grown) if grown else None,  # a limit inside a limit counts the same stop twice
        ),
        reasons,
    )


def counters() -> Counters:
    """Read this machine's counters."""
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    folders = cgroup_folders()
    cpus = os.sched_getaffinity(0) if _LINUX else set()
    granted, _ = cgroup_limits(folders)
    busy_s, steal_s = parse_stat(read_text(_PROC / "stat"), tick_s, cpus)
    if granted is not None and granted < len(cpus):
        busy_s = None  # a shared host is always busy elsewhere: pressure and throttling show what matters
    return Counters(
        clock_s=time.perf_counter(),
        busy_s=busy_s,
        own_s=None if busy_s is None else tree_ticks(_processes(), os.getpid()) * tick_s,
        steal_s=steal_s,
        cpu_wait_s=pressure("cpu", folders),
        memory_wait_s=pressure("memory", folders),
        throttled_s=throttled(folders),
    )


def parse_stat(text: str, tick_s: float, cpus: Collection[int]) -> tuple[float | None, float | None]:
    """Return the busy and the stolen seconds of some CPUs from the text of ``/proc/stat``, None where it lacks them.

    Busy is all time but idle, waiting for a disk, and stolen; user time already includes the time of guests.
    """
    lines = (line.split() for line in text.splitlines() if line.startswith("cpu"))
    rows = [list(map(int, ticks)) for name, *ticks in lines if name.removeprefix("cpu") in set(map(str, cpus))]
    if not rows or min(map(len, rows)) < 7:
        return None, None
    busy = sum(sum(row[:3]) + sum(row[5:7]) for row in rows)
    return busy * tick_s, sum(row[7] for row in rows) * tick_s if min(map(len, rows)) > 7 else None


def parse_pressure(text: str) -> float | None:
    """Return the seconds in which some task waited, from the text of a PSI file, None where it lacks them."""
    for line in text.splitlines():
        kind, *fields = line.split()
        if kind == "some":
            total = dict(field.partition("=")[::2] for field in fields).get("total", "")
            return int(total) / 1e6 if total.isdecimal() else None
    return None


def parse_throttled(text: str) -> float | None:
    """Return the seconds for which a CPU limit stopped a control group, added over CPUs, from its ``cpu.stat``."""
    fields = dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
    if "throttled_usec" in fields:
        return int(fields["throttled_usec"]) / 1e6
    return int(fields["throttled_time"]) / 1e9 if "throttled_time" in fields else None  # version 1


def parse_process(text: str) -> tuple[int, int]:
    """Return a process's parent, and its ticks and those of its reaped children, from ``/proc/<pid>/stat``.

    Raises:
        ValueError: The text is cut short, as of a process that has just ended.
    """
    fields = text.rpartition(")")[2].split()  # its name, before that, may hold anything
    if len(fields) < 15:
        raise ValueError("no fields of a process")
    return int(fields[1]), sum(map(int, fields[11:15]))


def tree_ticks(processes: Mapping[int, tuple[int, int]], root: int) -> int:
    """Add up the ticks of a process and its descendants; `processes` are parent and ticks by process."""
    return sum(processes[process][1] for process in tree(processes, root))


def tree(processes: Mapping[int, tuple[int, int]], root: int) -> set[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for process, (parent, _) in processes.items():
        children.setdefault(parent, []).append(process)
    members: set[int] = set()
    queue = [root] if root in processes else []
    while queue:
        process = queue.pop()
        if process not in members:
            members.add(process)
            queue += children.get(process, [])
    return members


def pressure(resource: str, folders: Iterable[pathlib.Path], proc: pathlib.Path = _PROC) -> float | None:
    """Return the seconds in which some task waited for ``cpu`` or ``memory``.

    The control group of this process counts them where it can: on a large host some task always waits.
    """
    for file in (*(folder / f"{resource}.pressure" for folder in folders), proc / "pressure" / resource):
        waited = parse_pressure(read_text(file))
        if waited is not None:
            return waited
    return None


def throttled(folders: Iterable[pathlib.Path]) -> dict[pathlib.Path, float]:
    """Return the seconds for which control groups were stopped, by group, where a group counts them."""
    stopped = {folder: parse_throttled(read_text(folder / "cpu.stat")) for folder in folders}
    return {folder: seconds for folder, seconds in stopped.items() if seconds is not None}


def own_processes() -> set[int]:
    """Return this process and its descendants; empty where there is no ``/proc``."""
    return tree(_processes(), os.getpid())


def _processes(proc: pathlib.Path = _PROC) -> dict[int, tuple[int, int]]:
    """Return parent and ticks of every process. A pass over all processes is cheaper than asking for children."""
    processes: dict[int, tuple[int, int]] = {}
    for folder in proc.glob("[0-9]*"):
        try:
            processes[int(folder.name)] = parse_process(read_text(folder / "stat"))
        except ValueError:
            continue  # it has just ended
    return processes
