"""Devices: their queue of work, marks on the queue, and the seconds between two marks.

The CPU runs a step before the call returns; an accelerator only queues it. The same loop (`bench.measure.timing`)
times both through marks: readings of the clock on the CPU, events on the queue of an accelerator.
"""

import contextlib
import dataclasses
import sys
import time
from typing import Any, Final, Protocol

import torch

from bench.machine.device_names import device_type, is_cpu
from results.errors import InputError
from results.schema.types import Count

Mark = Any
"""A point on a device's queue, made by `Device.mark`. It ends with the first mark after a `Device.synchronize`."""

NO_METAL: Final = "Metal hangs or dies in a forked process, and every case runs in one"
"""Why no Apple GPU is measured (pytorch pull request 178037). torch must not look for one here either."""


class Unsupported(Exception):  # noqa: N818 - a finding about the device, not an error of ours
    """The device, or its software, does not support the case; the message is the reason."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PeakMemory:
    """Peak bytes on an accelerator; None, with a reason for both, where the backend does not report them."""

    allocated: Count | None
    reserved: Count | None
    reason: str | None = None


class Device(Protocol):
    """A device, as the timing loop needs it."""

    name: str

    def mark(self) -> Mark:
        """Mark this point of the queue."""

    def seconds(self, first: Mark, last: Mark) -> float:
        """Seconds of the device between two marks; only valid after `synchronize`."""

    def synchronize(self) -> None:
        """Block until all queued work is done."""

    def peak_memory(self) -> PeakMemory:
        """Peak of this process on the device since it began, or since `restart_peak`."""

    def restart_peak(self) -> PeakMemory:
        """Return the peak so far, and let the next peak begin with what is in use now."""

    def free_memory(self) -> int | None:
        """Free bytes on the device, None where it does not say or has no memory of its own."""

    def release_memory(self) -> None:
        """Give the memory that this process keeps for later tensors back to the device."""


class Cpu:
    """The host itself: a step is complete when its call returns, and a mark is a reading of the clock."""

    name = "cpu"

    mark = staticmethod(time.perf_counter)

    def seconds(self, first: float, last: float) -> float:
        """Seconds between two readings."""
        return last - first

    def synchronize(self) -> None:
        """Do nothing: the host has no queue."""

    def peak_memory(self) -> PeakMemory:
        """Return no peaks: its memory is the host's, which `bench.machine.memory` watches."""
        return PeakMemory(allocated=None, reserved=None, reason="the CPU has no device memory")

    restart_peak = peak_memory

    def free_memory(self) -> int | None:
        """Return None: the CPU has no device memory."""
        return None

    def release_memory(self) -> None:
        """Do nothing: the CPU has no device memory."""


class Accelerator:
    """Any device behind `torch.accelerator`, timed by events on its current stream."""

    def __init__(self, name: str) -> None:
        """Open `name`, such as ``cuda:0``."""
        self.name = name
        self._device = torch.device(name)
        torch.accelerator.set_device_index(self._device.index or 0)
        self._events: list[torch.Event] = []
        self._marks = 0
        """Marks since the latest synchronisation, each with an event of its own."""

    def mark(self) -> Mark:
        """Queue an event: an earlier event again, as creating an event inside a timed step takes microseconds."""
        if self._marks == len(self._events):
            self._events.append(torch.Event(self._device, enable_timing=True))
        event = self._events[self._marks]
        self._marks += 1
        event.record()
        return event

    def seconds(self, first: Mark, last: Mark) -> float:
        """Device time between two events, which `elapsed_time` gives in milliseconds."""
        return float(first.elapsed_time(last)) / 1e3

    def synchronize(self) -> None:
        """Block until the device has done all its work."""
        torch.accelerator.synchronize(self._device)
        self._marks = 0

    def peak_memory(self) -> PeakMemory:
        """Peak of this process on the device since it began, or since `restart_peak`."""
        memory = torch.accelerator.memory
        try:
            return PeakMemory(
                allocated=memory.max_memory_allocated(self._device),
                reserved=memory.max_memory_reserved(self._device),
            )
        except (RuntimeError, AttributeError) as error:
            reason = f"torch.accelerator keeps no memory statistics for {self.name}: {first_line(error)}"
            return PeakMemory(allocated=None, reserved=None, reason=reason)

    def restart_peak(self) -> PeakMemory:
        """Return the peak so far, and let the next peak begin with what is in use now."""
        peak = self.peak_memory()
        try:
            torch.accelerator.memory.reset_peak_memory_stats(self._device)
        except (RuntimeError, AttributeError) as error:
            reason = f"{self.name} cannot forget an earlier peak ({first_line(error)}): later peaks include it"
            return PeakMemory(allocated=None, reserved=None, reason=peak.reason or reason)
        return peak

    def free_memory(self) -> int | None:
        """Free bytes on the device, for any process."""
        try:
            if self._device.type == "cuda":  # torch.accelerator.get_memory_info is younger than torch 2.9
                return int(torch.cuda.mem_get_info(self._device)[0])
            return int(torch.accelerator.memory.get_memory_info(self._device)[0])
        except (RuntimeError, AttributeError):
            return None

    def release_memory(self) -> None:
        """Give the memory that this process keeps for later tensors back to the device, where torch's allocator can."""
        with contextlib.suppress(RuntimeError, AttributeError):
            torch.accelerator.memory.empty_cache()


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that is not empty, or the type of the error."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)


def on_a_mac() -> bool:
    """Return whether the only accelerator may be Apple's."""
    return sys.platform == "darwin"


def accelerator_names() -> list[str]:
    """Return the full names of the accelerators of this machine that a worker can use."""
    accelerator = None if on_a_mac() else torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return []
    return [f"{accelerator.type}:{index}" for index in range(torch.accelerator.device_count())]


def resolve(name: str) -> str:
    """Return the full name of the device ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        InputError: there is no such device on this machine, or workers cannot use it; the message lists those of this
            machine.
    """
    present = ["cpu", *accelerator_names()]
    if device_type(name) == "mps" and on_a_mac():
        raise InputError(f"{name} cannot be measured: {NO_METAL}; give --device cpu")
    if name == "auto":
        return present[1] if len(present) > 1 else "cpu"
    full = f"{name}:0" if not is_cpu(name) and ":" not in name else name
    if full not in present:
        raise InputError(f"no device {name!r} on this machine (devices: {', '.join(present)})")
    return full


def open_device(name: str) -> Device:
    """Open a device by its full name (see `resolve`)."""
    return Cpu() if is_cpu(name) else Accelerator(name)
