"""The timing loop for every task and device.

The loop queues steps without waiting: the device's own queue has marks around each step and between its phases, and the
loop synchronises once before and once after the block. Dropped steps come first in the block, and the timed steps
follow them without a synchronisation between: on an accelerator the first timed step then begins behind work that is
queued, as every later step does, and not with the launch of its first kernel on an idle queue.

The host's clock measures the block from the first synchronisation to the second, and a mark at its start lets the marks
measure the same. If the marks add up to more time, the block ended before the device's work; if they fall far short,
the device went on working after its last mark. Both turns are refused.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable
from typing import Final

from bench.machine.device_names import is_cpu
from bench.measure.device import Device, Mark
from bench.process.messages import Turn

Step = Callable[[Callable[[], None]], object]
"""A unit of work, which calls its argument at each border between its phases."""

MARKS: Final = 500
"""Marks whose mean time is that of a mark."""
CLOCK_SLACK: Final = 0.02
"""By how much marks may exceed the wall clock: events have a resolution of about a microsecond."""
SHORT_S: Final = 0.005
"""The least shortfall of marks that is refused: a host may see the end of short blocks late."""


class TimingError(RuntimeError):
    """The times contradict each other, so the turn has no valid result."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Steps that ran without interruption, by the clocks of the device and of the host."""

    phase_s: tuple[tuple[float, ...], ...]
    """Seconds of each phase of each timed step."""
    marked_s: float
    """Device time of all steps, the dropped steps included."""
    queued_s: float
    """Host's time until all steps were queued."""
    wall_s: float
    """Host's time until all steps were done."""

    @property
    def falls_short(self) -> bool:
        """Whether the device worked on after its last mark.

        A device is behind the host's queueing, and its marks then reach beyond it, or it waits for the host, and then
        there is nothing to wait for in the end. So marks that end with the queueing, before a long wait, are false.
        """
        unseen_s = self.wall_s - self.marked_s
        return self.marked_s <= self.queued_s * (1 + CLOCK_SLACK) and unseen_s > max(SHORT_S, self.marked_s)


def time_turn(
    step: Step, device: Device, *, steps: int, drop: int = 0, clock: Callable[[], float] = time.perf_counter
) -> Turn:
    """Run `drop` steps untimed, then time `steps` more.

    Raises:
        TimingError: a step took no time, or the marks contradict the wall clock.
    """
    block = _run(step, device, steps, drop, clock)
    queues = not is_cpu(device.name)
    if queues and block.falls_short:
        block = _run(step, device, steps, drop, clock)  # a host that stood still for a moment does so once
        if block.falls_short:
            raise TimingError(
                f"the device's marks end after {block.marked_s:.6g} s of a block that took {block.wall_s:.6g} s by the "
                "wall clock: it works on after its last mark, so they are no times of the device"
            )
    step_s = [sum(phases) for phases in block.phase_s]
    if not min(step_s) > 0:
        raise TimingError(f"a step took {min(step_s)} s by the device's clock")
    if block.marked_s > block.wall_s * (1 + CLOCK_SLACK):
        raise TimingError(
            f"the device's marks add up to {block.marked_s:.6g} s in a block that took {block.wall_s:.6g} s by the "
            "wall clock: it was not synchronised"
        )
    return Turn(
        phase_s=block.phase_s,
        wall_s=sum(step_s) / steps * (block.wall_s / block.marked_s),
        queued=min(1.0, block.queued_s / block.wall_s) if queues else None,
    )


def mark_s(device: Device) -> float:
    """Return the seconds of a mark: those of the device, or of the host where it takes longer to queue a mark."""
    for _ in range(2):  # at first the device creates its events
        device.synchronize()
        first = device.mark()
        for _ in range(MARKS - 1):
            device.mark()
        last = device.mark()
        device.synchronize()
    return device.seconds(first, last) / MARKS


def _run(step: Step, device: Device, steps: int, drop: int, clock: Callable[[], float]) -> _Block:
    mark = device.mark
    rows: list[list[Mark]] = []
    device.synchronize()
    began = clock()
    start = mark()
    for _ in range(drop):
        step(_ignore)
    border = mark()
    for _ in range(steps):
        row = [border]
        step(lambda row=row: row.append(mark()))  # type: ignore[misc]
        border = mark()
        row.append(border)
        rows.append(row)
    queued = clock()
    device.synchronize()
    ended = clock()
    return _Block(
        phase_s=tuple(tuple(device.seconds(a, b) for a, b in itertools.pairwise(row)) for row in rows),
        marked_s=device.seconds(start, border),
        queued_s=queued - began,
        wall_s=ended - began,
    )


def _ignore() -> None:
    """Stand in for a mark in steps that are not timed."""
