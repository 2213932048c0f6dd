"""Checks of a host: a small pure function for each, which returns its state and a remedy."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final, Literal

from bench.machine.cpu import BINDING
from results.schema.lines.record import Noise
from results.text import digits

State = Literal["good", "warn", "bad", "unknown"]
Power = Literal["no battery", "on mains", "on battery", "unknown"]

_UNBOUND: Final = frozenset({"false", "none", "disabled"})
"""Values of variables of OpenMP that bind nothing."""
SHARE_OF_MEMORY: Final = 0.1
"""Bytes of memory that should be free: below, the kernel drops the page cache and begins to swap."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of a check."""

    name: str
    state: State
    seen: str
    """The observation; for ``unknown``, the reason."""
    remedy: str | None = None
    """The remedy in a line, a command where there is one."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The facts of a host that the checks need. None, or empty text, where the system does not show a value."""

    governors: str | None
    """The cores' frequency governors, joined by commas."""
    driver: str
    """The driver that sets the frequencies, such as ``intel_pstate``."""
    no_turbo: str
    boost: str
    throttles: tuple[int, int] | None
    """Number of times that cores have throttled for heat, before and after the watch."""
    noise: Noise
    reasons: Mapping[str, str]
    """Why a field of `noise` is None."""
    busiest: tuple[tuple[str, float], ...]
    """Other processes by name, with the CPUs that they kept busy; the busiest first."""
    memory_bytes: int
    """Memory of the machine, or of its control group."""
    available_bytes: int
    swap_bytes: int
    """Swap in use."""
    logical_cores: int
    allowed_cores: int
    """Cores that this process may run on."""
    usable_cores: int
    """Cores of them that its control group grants in full."""
    cgroup_cpus: float | None
    siblings: bool | None
    """Whether two of the allowed cores are threads of one physical core."""
    nodes: int | None
    """NUMA nodes."""
    power: Power
    variables: Mapping[str, str]


def _governor(host: Host) -> Check:
    """Check the governor: under one that reacts to load, first steps and steps after a pause are slow."""
    if host.governors is None:
        return Check(name="governor", state="unknown", seen="the system shows none, as most virtual machines do")
    state: State = "good" if host.governors == "performance" else "warn"
    if "powersave" in host.governors.split(",") and "pstate" not in host.driver:
        state = "bad"  # the lowest frequency at all times; with a pstate driver the name means something else
    remedy = None if state == "good" else "sudo cpupower frequency-set -g performance"
    return Check(name="governor", state=state, seen=host.governors, remedy=remedy)


def _turbo(host: Host) -> Check:
    """Check the boost: boosted clocks depend on temperature and on the number of busy cores."""
    off = "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
    if host.no_turbo in {"0", "1"}:
        on = host.no_turbo == "0"
    elif host.boost in {"0", "1"}:
        on, off = host.boost == "1", "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
    else:
        return Check(name="turbo", state="unknown", seen="the system does not say whether clocks are boosted")
    if not on:
        return Check(name="turbo", state="good", seen="off")
    return Check(name="turbo", state="warn", seen="on: clocks vary with temperature", remedy=off)


def _heat(host: Host) -> Check:
    """Check for heat: a core that has throttled will throttle again."""
    if host.throttles is None:
        return Check(name="heat", state="unknown", seen="the system does not count thermal throttling")
    before, after = host.throttles
    if after > before:
        return Check(name="heat", state="bad", seen="cores throttle now", remedy="let it cool; check fans and airflow")
    if after:
        return Check(
            name="heat", state="warn", seen=f"cores throttled {after} times since boot", remedy="check cooling"
        )
    return Check(name="heat", state="good", seen="no core throttled since boot")


def _limit(host: Host) -> Check:
    """Check the CPU limit: it stops a control group, in the middle of a step, for the rest of a period."""
    stopped = host.noise.throttled_s
    if stopped is None:
        return _missing("cpu limit", host, "throttled_s")
    if stopped == 0:
        return Check(name="cpu limit", state="good", seen="stopped nothing")
    remedy = "raise the control group's CPU limit (cpu.max), or measure with fewer --threads"
    return Check(
        name="cpu limit", state="bad", seen=f"stopped this group's tasks for {_short(stopped)} s", remedy=remedy
    )


def _quota(host: Host) -> Check:
    """Check for fractions of a CPU, with which the last thread has no time in a part of every period."""
    granted = host.cgroup_cpus
    if granted is None or granted >= host.allowed_cores:
        return Check(name="cpu quota", state="good", seen="no less than the cores")
    seen = f"{granted:g} CPUs on {host.allowed_cores} cores"
    if granted == int(granted):
        return Check(name="cpu quota", state="good", seen=seen)
    return Check(name="cpu quota", state="warn", seen=seen, remedy="grant a whole number of CPUs, pinned (a cpuset)")


def _steal(host: Host) -> Check:
    """Check for stolen time, which the hypervisor gave to other machines in the middle of a step."""
    stolen = host.noise.steal
    if stolen is None:
        return _missing("steal", host, "steal")
    remedy = "use dedicated CPUs, or another hour; compare only what runs side by side (resnet-bench ab)"
    return _graded("steal", stolen, 0.02, 0.1, f"{_short(stolen)} CPUs", remedy)


def _load(host: Host) -> Check:
    """Check for other load: threads of an operator wait for the slowest, so a busy core slows them all."""
    others = host.noise.other_cpus
    if others is None:
        return _missing("other load", host, "other_cpus")
    names = ", ".join(f"{name} {_short(cpus)}" for name, cpus in host.busiest)
    seen = f"{_short(others)} CPUs" + (f" ({names})" if names else "")
    spare = host.logical_cores - host.usable_cores  # on a large host other processes may use other cores
    return _graded("other load", others, 0.1, spare + 0.5, seen, "stop it, or wait for it to end")


def _cpu_pressure(host: Host) -> Check:
    """Check the CPU pressure: tasks that wait for a CPU now will wait during a measurement."""
    share = host.noise.cpu_pressure
    if share is None:
        return _missing("cpu pressure", host, "cpu_pressure")
    seen = f"{100 * share:.1f} % of the time someone waited for a CPU"
    return _graded("cpu pressure", share, 0.05, 0.25, seen, "stop what else runs; see other load")


def _memory_pressure(host: Host) -> Check:
    """Check the memory pressure: tasks that wait for memory are reclaiming it."""
    share = host.noise.memory_pressure
    if share is None:
        return _missing("memory pressure", host, "memory_pressure")
    seen = f"{100 * share:.1f} % of the time someone waited for memory"
    return _graded("memory pressure", share, 0.001, 0.05, seen, "free memory, or measure smaller batches")


def _memory(host: Host) -> Check:
    """Check the free memory: a process that does not fit is swapped or killed."""
    seen = f"{host.available_bytes / 1e9:.1f} of {host.memory_bytes / 1e9:.1f} GB available"
    scarce = host.available_bytes < SHARE_OF_MEMORY * host.memory_bytes
    remedy = "end processes that hold memory, or raise the limit" if scarce else None
    return Check(name="memory", state="bad" if scarce else "good", seen=seen, remedy=remedy)


def _swap(host: Host) -> Check:
    """Check the swap in use: a swapped page is read back in the middle of a step."""
    if host.swap_bytes == 0:
        return Check(name="swap", state="good", seen="none in use")
    seen = f"{host.swap_bytes / 1e9:.2g} GB in use"
    return Check(name="swap", state="warn", seen=seen, remedy="sudo swapoff -a (where memory allows)")


def _threads(host: Host) -> Check:
    """Check the number of threads, which should be the number of cores that this process can keep busy."""
    cores = host.usable_cores
    limit = host.variables.get("OMP_THREAD_LIMIT", "")
    if limit.isdecimal() and int(limit) < cores:
        seen = f"OMP_THREAD_LIMIT={limit} stops further threads, whatever their number is set to, on {cores} cores"
        return Check(name="threads", state="bad", seen=seen, remedy="unset OMP_THREAD_LIMIT")
    if host.variables.get("OMP_DYNAMIC", "").strip().lower() in {"true", "1"}:
        seen = "OMP_DYNAMIC lets OpenMP take fewer threads than asked for while the machine is busy"
        return Check(name="threads", state="warn", seen=seen, remedy="unset OMP_DYNAMIC")
    given = {name: text for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if (text := host.variables.get(name))}
    remedy = f"export OMP_NUM_THREADS={cores}, or give --threads {cores}"
    if not given:
        if cores == host.allowed_cores:
            return Check(name="threads", state="good", seen=f"torch chooses, for {cores} cores")
        seen = f"torch chooses for {host.allowed_cores} cores, of which {cores} are paid for: runs plan {cores} threads"
        return Check(name="threads", state="warn", seen=seen, remedy=remedy)
    seen = f"{', '.join(f'{name}={text}' for name, text in given.items())} for {cores} cores"
    counts = [int(text) for text in given.values() if text.isdecimal()]
    if any(count > cores for count in counts):
        return Check(name="threads", state="bad", seen=seen, remedy=remedy)
    whole = len(counts) == len(given) and set(counts) == {cores}
    return Check(name="threads", state="good" if whole else "warn", seen=seen, remedy=None if whole else remedy)


def _waiting(host: Host) -> Check:
    """Check for sleeping threads, which start the next operator late: 15 to 30 % of small steps, measured."""
    passive = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0", "GOMP_SPINCOUNT": "0"}
    sleepers = [name for name, value in passive.items() if host.variables.get(name, "").strip().lower() == value]
    if not sleepers:
        return Check(name="waiting threads", state="good", seen="spin for a moment, as by default")
    seen = f"{', '.join(f'{name}={host.variables[name]}' for name in sleepers)} slows small steps by 15 to 30 %"
    return Check(name="waiting threads", state="warn", seen=seen, remedy=f"unset {' '.join(sleepers)}")


def _binding(host: Host) -> Check:
    """Check the binding of threads: OpenMP binds the process too, and the memory of a thread that moves is far."""
    bound = [name for name in BINDING if host.variables.get(name, "false").strip().lower() not in _UNBOUND]
    if bound and host.usable_cores > 1 and host.variables.get("OMP_PROC_BIND", "").strip().lower() != "false":
        seen = f"{', '.join(bound)} binds threads, and to the first of these cores the process with its compiler"
        remedy = f"unset {' '.join(bound)}; bind the whole process instead: taskset -c 0-3 resnet-bench ..."
        return Check(name="binding", state="warn", seen=seen, remedy=remedy)
    if host.nodes is None:
        return Check(name="binding", state="unknown", seen="the system does not show its NUMA nodes")
    if host.nodes == 1 or host.allowed_cores < host.logical_cores:
        return Check(name="binding", state="good", seen="one NUMA node" if host.nodes == 1 else "cores are restricted")
    seen = f"{host.nodes} NUMA nodes, and threads may move between them"
    remedy = "numactl --cpunodebind=0 --membind=0 resnet-bench ..."
    return Check(name="binding", state="warn", seen=seen, remedy=remedy)


def _siblings(host: Host) -> Check:
    """Check for sibling cores, which share the vector units of a physical core."""
    if host.siblings is None:
        return Check(name="SMT", state="unknown", seen="the system does not show which cores are siblings")
    if not host.siblings:
        return Check(name="SMT", state="good", seen="no two usable cores share a physical core")
    remedy = "echo off | sudo tee /sys/devices/system/cpu/smt/control, or --threads as many as physical cores"
    return Check(name="SMT", state="warn", seen="on: usable cores share physical ones", remedy=remedy)


def _power(host: Host) -> Check:
    """Check the battery: a machine on its battery saves power."""
    if host.power == "unknown":
        return Check(name="power", state="unknown", seen="the battery does not say whether it is in use")
    if host.power == "on battery":
        return Check(name="power", state="bad", seen=host.power, remedy="plug it in")
    return Check(name="power", state="good", seen=host.power)


CHECKS: Final[tuple[Callable[[Host], Check], ...]] = (
    _governor, _turbo, _heat, _power, _siblings, _steal, _load, _cpu_pressure, _memory_pressure, _memory, _swap,
    _limit, _quota, _threads, _waiting, _binding,
)  # fmt: skip


def _graded(name: str, value: float, warn: float, bad: float, seen: str, remedy: str) -> Check:
    state: State = "bad" if value >= bad else "warn" if value >= warn else "good"
    return Check(name=name, state=state, seen=seen, remedy=None if state == "good" else remedy)


def _missing(name: str, host: Host, field: str) -> Check:
    return Check(name=name, state="unknown", seen=host.reasons.get(field, "the system does not report it"))


def _short(value: float) -> str:
    return "0.00" if value < 0.005 else digits(value, None) if value >= 100 else f"{value:.2f}"
