"""NVIDIA's driver library (NVML): the GPU of a worker, the reasons of low clocks, and who uses it.

The parent uses it for the GPUs of its workers. NVML makes no CUDA context, so the parent may still fork.
"""

import dataclasses
import functools
from typing import Any, Final

REASONS: Final = {
    "sw_power_cap": 0x04,
    "hw_slowdown": 0x08,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake_slowdown": 0x80,
}
"""Bits of NVML's "clocks event reasons" that lower clocks; idleness and clocks set by a person are left out."""

POLICIES: Final = {"power": 0, "thermal": 1, "sync_boost": 2, "board_limit": 3, "reliability": 5}
"""NVML's performance policies, for each of which it counts the time of low clocks, in nanoseconds; low utilisation is
left out. The newer counters among NVML's field values are not read: their numbers differ between drivers (251 to 253 in
the headers of driver 580, 269 to 271 in later ones, where 580 has settings of power smoothing)."""

RESTRICTIONS: Final = {1: "EXCLUSIVE_THREAD", 2: "PROHIBITED", 3: "EXCLUSIVE_PROCESS"}
"""NVML's compute modes in which processes cannot share a GPU."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU as NVML identifies it."""

    nvml: Any
    handle: Any
    """The card."""
    instance: Any = None
    """The part of the card (MIG) that a process sees, None for a whole card. Clocks and power are the card's."""

    def ask(self, question: str, *arguments: object) -> Any:
        """Call NVML's function ``nvmlDeviceGet<question>``. Raises ``nvml.NVMLError`` where NVML has no answer."""
        return self._ask(question, self.handle, *arguments)

    def held_s(self) -> dict[str, float]:
        """Return the seconds since the driver's start for which policies held the clocks down, by policy."""
        held: dict[str, float] = {}
        for name, policy in POLICIES.items():
            try:
                held[name] = self.ask("ViolationStatus", policy).violationTime / 1e9
            except self.nvml.NVMLError:
                continue
        return held

    def reason_bits(self) -> int:
        """Return NVML's bits of the reasons that hold now. Raises ``nvml.NVMLError``."""
        try:
            return int(self.ask("CurrentClocksEventReasons"))
        except self.nvml.NVMLError:
            return int(self.ask("CurrentClocksThrottleReasons"))  # the name in drivers before 535

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons of `REASONS` that hold now. Raises ``nvml.NVMLError``."""
        bits = self.reason_bits()
        return tuple(name for name, bit in REASONS.items() if bits & bit)

    def processes(self) -> set[int]:
        """Return the processes that compute on the GPU, or on the part of it. Raises ``nvml.NVMLError``."""
        listed = self._ask("ComputeRunningProcesses", self.handle if self.instance is None else self.instance)
        return {process.pid for process in listed}

    def used_bytes(self) -> int:
        """Return the memory in use on the GPU, or on the part of it, by all processes. Raises ``nvml.NVMLError``."""
        return int(self._ask("MemoryInfo", self.handle if self.instance is None else self.instance).used)

    def restriction(self) -> str | None:
        """Return the compute mode where it keeps processes from sharing the GPU, None also where it is unknown."""
        try:
            return RESTRICTIONS.get(self.ask("ComputeMode"))
        except self.nvml.NVMLError:
            return None

    def _ask(self, question: str, handle: Any, *arguments: object) -> Any:
        function = getattr(self.nvml, f"nvmlDeviceGet{question}", None)
        try:
            if function is not None:
                return function(handle, *arguments)
        except self.nvml.NVMLLibraryMismatchError:
            pass  # an old driver lacks the newest version of a function; this exception is no `NVMLError`
        raise self.nvml.NVMLError(self.nvml.NVML_ERROR_FUNCTION_NOT_FOUND)


def find(identity: str | None) -> Gpu | str:
    """Return the GPU that a worker knows by that UUID, or the reason why NVML cannot be asked about it.

    Only a worker may ask CUDA, which knows what ``CUDA_VISIBLE_DEVICES`` and the order of cards mean; None stands for a
    device that is not NVIDIA's.
    """
    if identity is None:
        return "only NVIDIA's driver library reports it"
    nvml, reason = library()
    return reason if nvml is None else locate(nvml, identity)


def locate(nvml: Any, identity: str) -> Gpu | str:
    """Return the GPU, or part of a GPU, of a UUID as CUDA reports it, without a prefix; else the reason.

    NVML's own numbers are of no use: they count all cards in the order of the PCI bus, and CUDA's the visible cards, by
    default the fastest first.
    """
    try:
        return Gpu(nvml=nvml, handle=nvml.nvmlDeviceGetHandleByUUID(f"GPU-{identity}"))
    except nvml.NVMLError as error:
        reason = f"NVML: {error}"
    try:
        instance = nvml.nvmlDeviceGetHandleByUUID(f"MIG-{identity}")
        card = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(instance)
    except nvml.NVMLError:
        return reason
    return Gpu(nvml=nvml, handle=card, instance=instance)


@functools.cache
def library() -> tuple[Any, str]:
    """Return NVIDIA's driver library, opened for the life of this process, or None and the reason."""
    try:
        import pynvml  # noqa: PLC0415 (only a machine with an accelerator needs it)
    except ImportError:
        return None, "this interpreter lacks nvidia-ml-py"
    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return None, f"NVML cannot be opened: {error}"
    return nvml, ""
