"""NVIDIA's driver library (NVML): handles of devices without a context, and the reasons of low clocks.

The parent uses it for the GPUs of its workers. NVML makes no CUDA context, so the parent may still fork.
"""

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any, Final

REASONS: Final = {
    "sw_power_cap": 0x04,
    "hw_slowdown": 0x08,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake_slowdown": 0x80,
}
"""Bits of NVML's "clocks event reasons" that disturb; idleness and clocks set by a person are left out."""

POLICIES: Final = {"power": 0, "thermal": 1, "sync_boost": 2, "board_limit": 3, "reliability": 5}
"""NVML's performance policies, for each of which it counts the time of low clocks; low utilisation is left out."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU as NVML identifies it."""

    nvml: Any
    handle: Any

    def ask(self, question: str, *arguments: object) -> Any:
        """Call NVML's function ``nvmlDeviceGet<question>``. Raises ``nvml.NVMLError`` where NVML has no answer."""
        return getattr(self.nvml, f"nvmlDeviceGet{question}")(self.handle, *arguments)

    def held_s(self) -> dict[str, float]:
        """Return the seconds since the driver's start for which policies held the clocks down, by policy."""
        held: dict[str, float] = {}
        for name, policy in POLICIES.items():
            try:
                held[name] = self.ask("ViolationStatus", policy).violationTime / 1e9
            except self.nvml.NVMLError:
                continue
        return held

    def reasons(self) -> tuple[str, ...] | None:
        """Return the reasons of `REASONS` that hold now, None where the driver does not report them."""
        try:
            bits = self.ask("CurrentClocksEventReasons")
        except self.nvml.NVMLError:
            return None
        return tuple(name for name, bit in REASONS.items() if bits & bit)


def find(device: str, environ: Mapping[str, str] = os.environ) -> Gpu | str:
    """Return the GPU that torch calls `device`, such as ``cuda:0``, or the reason why it cannot be identified."""
    kind, _, index = device.partition(":")
    if kind != "cuda":
        return f"no driver library is asked about {kind}"
    nvml, reason = library()
    return reason if nvml is None else locate(nvml, int(index or 0), environ)


def locate(nvml: Any, index: int, environ: Mapping[str, str], identity: str | None = None) -> Gpu | str:
    """Return the visible GPU of that index, or the reason why it cannot be identified.

    `identity` is the UUID by which CUDA knows it, where the caller may ask CUDA: it decides. Otherwise the number must:
    NVML numbers all devices in the order of the PCI bus. CUDA numbers those that ``CUDA_VISIBLE_DEVICES`` names, and
    puts the fastest first by default: where cards differ, no number means the same to both.
    """
    try:
        if identity is not None:
            return Gpu(nvml=nvml, handle=nvml.nvmlDeviceGetHandleByUUID(f"GPU-{identity}"))
        return _visible(nvml, index, environ)
    except nvml.NVMLError as error:
        return f"NVML: {error}"


def _visible(nvml: Any, index: int, environ: Mapping[str, str]) -> Gpu | str:
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    chosen = str(index) if visible is None else [*visible.split(","), *[""] * (index + 1)][index].strip()
    if chosen.startswith("GPU-"):
        return Gpu(nvml=nvml, handle=nvml.nvmlDeviceGetHandleByUUID(chosen))
    if not chosen.isdecimal():
        return f"NVML does not report on a part of a card ({chosen})" if chosen else f"CUDA shows no device {index}"
    handles = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    if int(chosen) >= len(handles):
        return f"NVML shows no device {chosen}"
    if (
        environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID"
        and len({nvml.nvmlDeviceGetName(handle) for handle in handles}) > 1
    ):
        return "which of several kinds of GPU it is shows only with CUDA_DEVICE_ORDER=PCI_BUS_ID"
    return Gpu(nvml=nvml, handle=handles[int(chosen)])


@functools.cache
def library() -> tuple[Any, str]:
    """Return NVIDIA's driver library, opened for the life of this process, or None and the reason."""
    import pynvml  # noqa: PLC0415 (only a machine with an accelerator needs it)

    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return None, f"NVML cannot be opened: {error}"
    return nvml, ""
