"""The timing loop for every task and device.

The loop queues steps without waiting: the device's own queue has marks around each step and between its phases, and the
loop synchronises once before and once after the block. The host's clock measures from the first synchronisation to the
second. If the marks add up to more time, the block ended before the device's work, and the turn is refused.
"""

import itertools
import time
from collections.abc import Callable

from bench.measure.device import Device, Mark
from bench.process.protocol import Turn

Step = Callable[[Callable[[], None]], object]
"""A unit of work, which calls its argument at each border between its phases."""

CLOCK_SLACK = 0.02
"""By how much marks may exceed the wall clock: events have a resolution of about a microsecond."""


class TimingError(RuntimeError):
    """The times contradict each other, so the turn has no valid result."""


def time_turn(
    step: Step, device: Device, *, steps: int, drop: int = 0, clock: Callable[[], float] = time.perf_counter
) -> Turn:
    """Run `drop` steps untimed, then time `steps` more.

    Raises:
        TimingError: a step took no time, or the marks add up to more than the wall clock saw.
    """
    for _ in range(drop):
        step(_ignore)
    device.synchronize()
    rows: list[list[Mark]] = []
    mark = device.mark
    began = clock()
    for _ in range(steps):
        row = [mark()]
        step(lambda row=row: row.append(mark()))  # type: ignore[misc]
        row.append(mark())
        rows.append(row)
    device.synchronize()
    wall_s = (clock() - began) / steps
    phase_s = tuple(tuple(device.seconds(a, b) for a, b in itertools.pairwise(row)) for row in rows)
    turn = Turn(phase_s=phase_s, wall_s=wall_s)
    _check(turn)
    return turn


def _ignore() -> None:
    """Stand in for a mark in steps that are not timed."""


def _check(turn: Turn) -> None:
    shortest = min(turn.step_s)
    if not shortest > 0:
        raise TimingError(f"a step took {shortest} s by the device's clock")
    marked, wall = sum(turn.step_s), turn.wall_s * len(turn.phase_s)
    if marked > wall * (1 + CLOCK_SLACK):
        raise TimingError(
            f"the device's marks add up to {marked:.6g} s in a block that took {wall:.6g} s by the wall clock: "
            "it was not synchronised"
        )
