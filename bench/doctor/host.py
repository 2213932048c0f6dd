"""Read the facts of this host for `bench.doctor.checks`: all access to the machine is here."""

import os
import pathlib
import time
import warnings
from collections.abc import Callable, Collection, Iterable
from typing import Final

import psutil

from bench.doctor.checks import Host, Power
from bench.machine import cpu, memory, noise, software
from bench.machine.cgroup import cgroup_folders, cgroup_limits
from bench.machine.cpu_names import cpu_list
from bench.machine.files import read_text

WATCH_S: Final = 1.5
"""Seconds of the watch: enough for ticks of 10 ms to show a hundredth of a CPU."""

_CPUS: Final = pathlib.Path("/sys/devices/system/cpu")
_NODES: Final = pathlib.Path("/sys/devices/system/node")
_BUSY: Final = 0.02
"""Least CPUs of a process that is named."""


def look(sleep: Callable[[float], None] = time.sleep) -> Host:
    """Watch this host for `WATCH_S` seconds and return its facts, without names of users and folders."""
    watch = noise.Watch()
    heat, spent, began = throttle_count(_CPUS), _cpu_seconds(), time.perf_counter()
    sleep(WATCH_S)
    seen, reasons = watch.noise()
    busy = busiest(spent, _cpu_seconds(), time.perf_counter() - began, noise.own_processes() or {os.getpid()})
    hotter = throttle_count(_CPUS)
    granted, limit = cgroup_limits(cgroup_folders())
    allowed = cpu.given_cores()
    total = psutil.virtual_memory().total
    return Host(
        governors=cpu.governor(_CPUS),
        driver=read_text(_CPUS / "cpu0" / "cpufreq" / "scaling_driver"),
        no_turbo=read_text(_CPUS / "intel_pstate" / "no_turbo"),
        boost=read_text(_CPUS / "cpufreq" / "boost"),
        throttles=None if heat is None or hotter is None else (heat, hotter),
        noise=seen,
        reasons=reasons,
        busiest=busy,
        memory_bytes=total if limit is None else min(total, limit),
        available_bytes=memory.available(),
        swap_bytes=_swap(),
        logical_cores=os.cpu_count() or 1,
        allowed_cores=len(allowed),
        usable_cores=cpu.usable_cores(),
        cgroup_cpus=granted,
        siblings=siblings(
            (read_text(_CPUS / f"cpu{core}" / "topology" / "thread_siblings_list") for core in allowed), allowed
        ),
        nodes=len(list(_NODES.glob("node[0-9]*"))) or None,
        power=_power(),
        variables=software.variables(os.environ),
    )


def throttle_count(cpus: pathlib.Path) -> int | None:
    """Return how often cores have throttled for heat since boot, None where the system does not count it.

    All cores of a package show the package's count, which is added once a package.
    """
    counts = [read_text(file) for file in cpus.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")]
    packages = {
        read_text(file.parent.parent / "topology" / "physical_package_id"): read_text(file)
        for file in cpus.glob("cpu[0-9]*/thermal_throttle/package_throttle_count")
    }
    counted = [int(text) for text in (*counts, *packages.values()) if text.isdecimal()]
    return sum(counted) if counted else None


def siblings(lists: Iterable[str], allowed: Collection[int]) -> bool | None:
    """Return whether two allowed cores are threads of one physical core, from texts such as ``0,4`` or ``0-1``."""
    known = False
    for text in filter(None, lists):
        known = True
        if len(cpu_list(text) & set(allowed)) > 1:
            return True
    return False if known else None


def busiest(
    before: dict[tuple[int, str], float], after: dict[tuple[int, str], float], elapsed_s: float, own: Collection[int]
) -> tuple[tuple[str, float], ...]:
    """Return up to three processes that are not `own`, by name, with the CPUs that they kept busy; the busiest first.

    `before` and `after` are CPU seconds by process and name; a new process began at 0.
    """
    rates = [
        (name, (spent - before.get((process, name), 0.0)) / elapsed_s)
        for (process, name), spent in after.items()
        if process not in own
    ]
    return tuple(sorted((pair for pair in rates if pair[1] >= _BUSY), key=lambda pair: -pair[1])[:3])


def _cpu_seconds() -> dict[tuple[int, str], float]:
    seconds = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:  # None where the system hides it
            seconds[process.pid, str(process.info["name"])] = times.user + times.system
    return seconds


def _swap() -> int:
    """Return the bytes of swap in use."""
    with warnings.catch_warnings(action="ignore"):  # about fields that some containers hide
        return int(psutil.swap_memory().used)


def _power() -> Power:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return "no battery"
    words: dict[bool | None, Power] = {True: "on mains", False: "on battery", None: "unknown"}
    return words[battery.power_plugged]
