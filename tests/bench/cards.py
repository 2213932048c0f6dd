"""A simulated card, which the contexts of several live workers share; host and card have virtual clocks.

A `Context` is a device of the timing loop. `as_torch` lets torch's accelerator be one, so that the code that talks to
torch runs on the card too. The end of a kernel is computed when it is launched, and whoever reads an event before the
host has waited for it is refused, as by torch.
"""

import dataclasses
import math

import torch

from bench.measure.device import PeakMemory
from bench.measure.timing import time_turn

BUSY = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"


@dataclasses.dataclass(kw_only=True)
class Card:
    """The card, and what it costs to use it."""

    memory_bytes: int = 80 << 30
    context_bytes: int = 500 << 20
    exclusive: bool = False
    """Whether it admits a single context, as in the compute mode EXCLUSIVE_PROCESS."""
    idle_s: float = 0.0
    """What a launch takes longer where the queue is idle."""
    event_s: float = 0.0
    """Device time of an event."""
    create_s: float = 0.0
    """Host time of creating an event."""
    slow: float = 1.0
    """Clock after idleness, as a share of the highest."""
    falls_after_s: float = math.inf
    """Idleness after which the clock falls."""
    rises_in_s: float = 0.05
    """Seconds of work in which it rises again."""
    cap_w: float = math.inf
    """Power, as a running mean over `averaged_s`, above which the clock is lowered in proportion."""
    averaged_s: float = 0.1

    now: float = 0.0
    """The host's clock."""
    ends: float = 0.0
    """When the card will have done all that was launched."""
    worked: float = 0.0
    """When it will have ended its last kernel."""
    risen: float = 1.0
    """Clock by idleness and work, as a share of the highest."""
    watts: float = 0.0
    """Running mean of the power."""
    created: int = 0
    """Events that were created."""
    contexts: list["Context"] = dataclasses.field(default_factory=list)

    def clock(self):
        return self.now

    def open(self, name="cuda:0"):
        """Return a new context, as a process has when it first uses the card."""
        if self.exclusive and self.contexts:
            raise RuntimeError(BUSY)
        self.contexts.append(Context(self, name))
        if self.free < 0:
            self.contexts.pop()
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.contexts[-1]

    @property
    def free(self):
        taken = sum(self.context_bytes + context.reserved for context in self.contexts)
        return self.memory_bytes - taken

    def run(self, seconds, watts):
        """Queue work that takes `seconds` at the highest clock and as many `watts`, and return when it ends."""
        if self.now > self.ends:
            self.ends = self.now + self.idle_s
        idle_s = self.ends - self.worked
        self._average(0.0, idle_s)
        if idle_s > self.falls_after_s:
            self.risen = self.slow
        took_s = seconds / (self.risen * min(1.0, self.cap_w / max(self.watts, 1e-9)))
        self.risen = min(1.0, self.risen + (1 - self.slow) * took_s / self.rises_in_s)
        self._average(watts, took_s)
        self.worked = self.ends = self.ends + took_s
        return self.ends

    def event(self):
        """Queue an event, and return its time."""
        self.ends = max(self.ends, self.now) + self.event_s
        return self.ends

    def _average(self, watts, seconds):
        share = math.exp(-seconds / self.averaged_s)
        self.watts = self.watts * share + watts * (1 - share)


class Event:
    """A mark on the queue, which may be recorded again."""

    def __init__(self, card):
        card.now += card.create_s
        card.created += 1
        self.card = card

    def record(self):
        self.time_s = self.card.event()

    def elapsed_time(self, other):
        """Return milliseconds, as torch does."""
        if max(self.time_s, other.time_s) > self.card.now:
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return (other.time_s - self.time_s) * 1e3


class Context:
    """A process's use of a card."""

    def __init__(self, card, name):
        self.card, self.name = card, name
        self.allocated = self.reserved = self.peak = self.peak_reserved = 0

    def close(self):
        """End the process: its memory is free again."""
        self.card.contexts.remove(self)

    def launch(self, host_s, run_s, watts=0.0):
        """Launch a kernel: the host takes `host_s` for it, and the card `run_s`."""
        self.card.now += host_s
        self.card.run(run_s, watts)

    def allocate(self, count):
        """Take bytes, first those that an earlier `release` left with the process."""
        grown = max(0, self.allocated + count - self.reserved)
        if grown > self.card.free:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {count} bytes.")
        self.allocated += count
        self.reserved += grown
        self.peak, self.peak_reserved = max(self.peak, self.allocated), max(self.peak_reserved, self.reserved)

    def release(self, count):
        self.allocated -= count

    # ------------------------------------------------------------------------------------------- as `Device` has them

    def mark(self):
        event = Event(self.card)
        event.record()
        return event

    def seconds(self, first, last):
        return first.elapsed_time(last) / 1e3

    def synchronize(self):
        self.card.now = max(self.card.now, self.card.ends)

    def peak_memory(self):
        return PeakMemory(allocated=self.peak, reserved=self.peak_reserved)

    def restart_peak(self):
        peak = self.peak_memory()
        self.peak, self.peak_reserved = self.allocated, self.reserved
        return peak

    def free_memory(self):
        return self.card.free

    def release_memory(self):
        self.reserved = self.allocated


def kernels(context, count, *, host_s, run_s, watts=0.0):
    """Return a step of so many equal kernels."""

    def step(mark):
        for _ in range(count):
            context.launch(host_s, run_s, watts)

    return step


class Arm:
    """A live worker on a card, as the rotation sees it."""

    def __init__(self, context, step):
        self.context, self.step = context, step

    def turn(self, *, steps, drop):
        return time_turn(self.step, self.context, steps=steps, drop=drop, clock=self.context.card.clock)


def as_torch(monkeypatch, card, name="cuda:0"):
    """Let torch's accelerator be a context of `card`, and return the context."""
    context = card.open(name)
    memory = torch.accelerator.memory
    patches = (
        (torch, "Event", lambda device, enable_timing: Event(card)),
        (torch.accelerator, "set_device_index", lambda index: None),
        (torch.accelerator, "synchronize", lambda device: context.synchronize()),
        (memory, "max_memory_allocated", lambda device: context.peak),
        (memory, "max_memory_reserved", lambda device: context.peak_reserved),
        (memory, "reset_peak_memory_stats", lambda device: context.restart_peak()),
        (memory, "empty_cache", context.release_memory),
        (torch.cuda, "mem_get_info", lambda device: (card.free, card.memory_bytes)),
    )
    for module, attribute, replacement in patches:
        monkeypatch.setattr(module, attribute, replacement)
    return context
