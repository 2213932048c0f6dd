"""Checks of a GPU: a small function for each question to NVIDIA's driver library."""

from collections.abc import Callable
from typing import Any, Final

from bench.doctor.checks import Check, State
from bench.machine import nvml
from bench.machine.nvml import Gpu

COMPUTE_MODE: Final = "GPU compute mode"
"""Name of the check that an A/A run depends on: both arms need the GPU."""
_IDLE: Final = 0x01
"""NVML's bit for low clocks of an idle GPU."""
_SET: Final = 0x02
"""NVML's bit for clocks that a person has limited (applications clocks)."""
_NORMAL: Final = {"sw_power_cap", "sync_boost"}
"""Reasons of low clocks that are no fault: a card at its power limit, and one of several with a common clock."""
_COOL: Final = 15
"""Least degrees Celsius between an idle GPU and its temperature of slow-down."""
_BUSY: Final = 5
"""Percent of utilisation from which the GPU counts as in use."""


def gpu_checks(gpu: Gpu | str, torch_cuda: str | None) -> list[Check]:
    """Check an accelerator; a check is ``unknown`` where its driver shows no value.

    Args:
        gpu: the GPU, or the reason why it cannot be asked.
        torch_cuda: the version of CUDA that torch is built for, such as ``13.0``.
    """
    if isinstance(gpu, str):
        return [Check(name="accelerator", state="unknown", seen=gpu)]
    driver = _asked(gpu, "GPU driver", lambda gpu, name: _driver(gpu.nvml, name, torch_cuda))
    return [driver, *(_asked(gpu, name, check) for name, check in GPU_CHECKS.items())]


def old_driver(torch_cuda: str | None) -> str | None:
    """Return why torch shows no GPU where NVIDIA's driver is too old for it, else None."""
    library, _ = nvml.library()
    if library is None:
        return None
    try:
        check = _driver(library, "GPU driver", torch_cuda)
    except library.NVMLError:
        return None
    return f"{check.seen}: {check.remedy}" if check.state == "bad" else None


def _asked(gpu: Gpu, name: str, check: Callable[[Gpu, str], Check]) -> Check:
    try:
        return check(gpu, name)
    except gpu.nvml.NVMLError as error:
        return Check(name=name, state="unknown", seen=f"NVML: {error}")


def _driver(library: Any, name: str, torch_cuda: str | None) -> Check:
    """Check that the driver is as new as torch: within a major version of CUDA an older driver works, with limits."""
    number = library.nvmlSystemGetCudaDriverVersion_v2()
    newest = number // 1000, number % 1000 // 10
    seen = f"driver {library.nvmlSystemGetDriverVersion()} knows CUDA {newest[0]}.{newest[1]}"
    if torch_cuda is None:
        return Check(name=name, state="unknown", seen=f"{seen}, torch states no version of CUDA")
    wanted, seen = tuple(map(int, torch_cuda.split(".")[:2])), f"{seen}, torch is built for {torch_cuda}"
    if newest >= wanted:
        return Check(name=name, state="good", seen=seen)
    remedy = f"install a driver for CUDA {torch_cuda}, or torch for CUDA {newest[0]}.{newest[1]}"
    return Check(name=name, state="warn" if newest[0] == wanted[0] else "bad", seen=seen, remedy=remedy)


def _compute_mode(gpu: Gpu, name: str) -> Check:
    """Check the compute mode: an exclusive GPU admits no second case next to the first."""
    mode = nvml.RESTRICTIONS.get(gpu.ask("ComputeMode"))
    if mode is None:
        return Check(name=name, state="good", seen="DEFAULT")
    state: State = "bad" if mode == "PROHIBITED" else "warn"
    effect = "no process may use it" if state == "bad" else "each case is measured alone, and ab cannot run"
    return Check(name=name, state=state, seen=f"{mode}: {effect}", remedy="sudo nvidia-smi -c DEFAULT")


def _mig(gpu: Gpu, name: str) -> Check:
    """Check for MIG: the parts of a card share its power and its clocks."""
    current, pending = gpu.ask("MigMode")
    if not current:
        seen = "off, but on after a reset" if pending else "off"
        remedy = "sudo nvidia-smi -mig 0" if pending else None
        return Check(name=name, state="warn" if pending else "good", seen=seen, remedy=remedy)
    seen = "on: this is a part of a card, and other parts change its clocks"
    remedy = "compare it with parts of its size only, or sudo nvidia-smi -mig 0"
    return Check(name=name, state="warn", seen=seen, remedy=remedy)


def _link(gpu: Gpu, name: str) -> Check:
    """Check the width of the PCIe link. Its generation is not judged: it falls while the GPU is idle."""
    width, widest = (gpu.ask(f"{what}PcieLinkWidth") for what in ("Curr", "Max"))
    seen = f"x{width} of x{widest}"
    if width >= widest:
        return Check(name=name, state="good", seen=seen)
    return Check(name=name, state="warn", seen=seen, remedy="seat the card again, or use another slot or riser")


def _clock_setting(gpu: Gpu, name: str) -> Check:
    """Check for clocks that a person has limited. NVML does not show clocks that ``nvidia-smi -lgc`` has locked."""
    if not gpu.reason_bits() & _SET:
        return Check(name=name, state="good", seen="no limit by applications clocks")
    remedy = "sudo nvidia-smi -rac, or the same setting in all runs that are compared"
    return Check(name=name, state="warn", seen="applications clocks limit it", remedy=remedy)


def _persistence(gpu: Gpu, name: str) -> Check:
    """Check the persistence mode: without it every process initialises the GPU again."""
    if gpu.ask("PersistenceMode"):
        return Check(name=name, state="good", seen="on")
    return Check(name=name, state="warn", seen="off", remedy="sudo nvidia-smi -pm 1")


def _clocks(gpu: Gpu, name: str) -> Check:
    clock, highest = (gpu.ask(what, gpu.nvml.NVML_CLOCK_SM) for what in ("ClockInfo", "MaxClockInfo"))
    idle = bool(gpu.reason_bits() & _IDLE)
    seen = f"{clock} of {highest} MHz{', idle' if idle else ''}"
    if idle or clock >= 0.9 * highest:
        return Check(name=name, state="good", seen=seen)
    return Check(
        name=name, state="warn", seen=seen, remedy="sudo nvidia-smi -rgc (lets clocks rise), or -lgc to lock them"
    )


def _throttling(gpu: Gpu, name: str) -> Check:
    holding = gpu.reasons()
    if not holding:
        return Check(name=name, state="good", seen="none now")
    remedy = "nvidia-smi -q -d PERFORMANCE,POWER,TEMPERATURE shows why; check cooling and power supply"
    state: State = "warn" if set(holding) <= _NORMAL else "bad"
    return Check(name=name, state=state, seen=", ".join(holding), remedy=remedy)


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
    COMPUTE_MODE: _compute_mode,
    "GPU MIG": _mig,
    "GPU persistence mode": _persistence,
    "GPU clocks": _clocks,
    "GPU throttling": _throttling,
    "GPU processes": _processes,
    "GPU temperature": _temperature,
    "GPU power cap": _power_cap,
    "GPU ECC": _ecc,
    "GPU clock setting": _clock_setting,
    "GPU PCIe link": _link,
}
