"""Checks of a GPU: a small function for each question to NVIDIA's driver library."""

from collections.abc import Callable
from typing import Final

from bench.doctor.checks import Check, State
from bench.machine import nvml
from bench.machine.nvml import Gpu

_IDLE: Final = 0x01
"""NVML's bit for low clocks of an idle GPU."""
_COOL: Final = 15
"""Least degrees Celsius between an idle GPU and its temperature of slow-down."""
_BUSY: Final = 5
"""Percent of utilisation from which the GPU counts as in use."""


def gpu_checks(gpu: Gpu | str) -> list[Check]:
    """Check an accelerator, or state why it cannot be asked; a check is ``unknown`` where its driver shows no value."""
    if isinstance(gpu, str):
        return [Check(name="accelerator", state="unknown", seen=gpu)]
    return [_asked(gpu, name, check) for name, check in GPU_CHECKS.items()]


def _asked(gpu: Gpu, name: str, check: Callable[[Gpu, str], Check]) -> Check:
    try:
        return check(gpu, name)
    except gpu.nvml.NVMLError as error:
        return Check(name=name, state="unknown", seen=f"NVML: {error}")


def _persistence(gpu: Gpu, name: str) -> Check:
    """Check the persistence mode: without it every process initialises the GPU again."""
    if gpu.ask("PersistenceMode"):
        return Check(name=name, state="good", seen="on")
    return Check(name=name, state="warn", seen="off", remedy="sudo nvidia-smi -pm 1")


def _clocks(gpu: Gpu, name: str) -> Check:
    clock, highest = (gpu.ask(what, gpu.nvml.NVML_CLOCK_SM) for what in ("ClockInfo", "MaxClockInfo"))
    idle = bool(gpu.ask("CurrentClocksEventReasons") & _IDLE)
    seen = f"{clock} of {highest} MHz{', idle' if idle else ''}"
    if idle or clock >= 0.9 * highest:
        return Check(name=name, state="good", seen=seen)
    return Check(
        name=name, state="warn", seen=seen, remedy="sudo nvidia-smi -rgc (lets clocks rise), or -lgc to lock them"
    )


def _throttling(gpu: Gpu, name: str) -> Check:
    bits = gpu.ask("CurrentClocksEventReasons")
    holding = [reason for reason, bit in nvml.REASONS.items() if bits & bit]
    if not holding:
        return Check(name=name, state="good", seen="none now")
    remedy = "nvidia-smi -q -d PERFORMANCE,POWER,TEMPERATURE shows why; check cooling and power supply"
    return Check(name=name, state="bad", seen=", ".join(holding), remedy=remedy)


def _processes(gpu: Gpu, name: str) -> Check:
    """Check for other processes on the GPU, which take time of it however little memory they use."""
    others = {process.pid for what in ("Compute", "Graphics") for process in gpu.ask(f"{what}RunningProcesses")}
    busy = gpu.ask("UtilizationRates").gpu  # in a container only the utilisation shows other processes
    seen = f"{len(others) or 'none'}; the GPU is {busy} % busy"
    state: State = "bad" if busy >= _BUSY else "warn" if others else "good"
    return Check(name=name, state=state, seen=seen, remedy=None if state == "good" else "end them: see nvidia-smi")


def _temperature(gpu: Gpu, name: str) -> Check:
    degrees = gpu.ask("Temperature", gpu.nvml.NVML_TEMPERATURE_GPU)
    slow = gpu.ask("TemperatureThreshold", gpu.nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN)
    state: State = "bad" if degrees >= slow else "warn" if degrees > slow - _COOL else "good"
    remedy = None if state == "good" else "let it cool; check airflow"
    return Check(name=name, state=state, seen=f"{degrees} °C, slows down at {slow} °C", remedy=remedy)


def _power_cap(gpu: Gpu, name: str) -> Check:
    limit, usual = (gpu.ask(what) / 1000 for what in ("EnforcedPowerLimit", "PowerManagementDefaultLimit"))
    seen = f"{limit:.0f} W, by default {usual:.0f} W"
    if limit >= usual:
        return Check(name=name, state="good", seen=seen)
    return Check(name=name, state="warn", seen=seen, remedy=f"sudo nvidia-smi -pl {usual:.0f}")


def _ecc(gpu: Gpu, name: str) -> Check:
    """Check ECC, which costs bandwidth on cards with GDDR: compared runs must agree in it."""
    current, pending = gpu.ask("EccMode")
    seen = "on" if current else "off"
    if current == pending:
        return Check(name=name, state="good", seen=seen)
    return Check(name=name, state="warn", seen=f"{seen}, but not after a reset", remedy="reset the GPU: nvidia-smi -r")


GPU_CHECKS: Final[dict[str, Callable[[Gpu, str], Check]]] = {
    "GPU persistence mode": _persistence,
    "GPU clocks": _clocks,
    "GPU throttling": _throttling,
    "GPU processes": _processes,
    "GPU temperature": _temperature,
    "GPU power cap": _power_cap,
    "GPU ECC": _ecc,
}
