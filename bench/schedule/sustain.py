"""Sustained use: a case steps alone without a pause, while a counter of energy is read."""

import time
from collections.abc import Callable
from typing import Final

from bench.process.client import WorkerClient
from bench.process.sustained import SustainedUse
from bench.schedule.seat import Seat

ENERGY_WINDOW_S: Final = 5.0
"""Least seconds of a window of energy: counters are updated up to ten times a second, and power settles slowly."""
COOL_DOWN_S: Final = 5.0
"""Seconds of idleness before the idle power is measured."""


def sustain(
    seat: Seat,
    live: WorkerClient,
    seconds: float,
    *,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> SustainedUse:
    """Let a worker step alone for so long, the first half to warm the device up; the other workers are idle.

    Where a counter of energy can be read, the device is idle for a while before that. Raises `Failed`.
    """
    half_s, nulls = seconds / 2, dict[str, str]()
    meter = live.energy_meter()
    reason = meter.reason
    if reason is None and half_s < ENERGY_WINDOW_S:
        reason = (
            f"energy needs a window of {ENERGY_WINDOW_S:g} s: let it step for {2 * ENERGY_WINDOW_S:g} s (--sustained)"
        )
    idle_w = image_j = None
    if reason is None:
        sleep(COOL_DOWN_S)
        meter.restart()
        began = clock()
        sleep(ENERGY_WINDOW_S)
        joules, reason = meter.joules()
        idle_w = None if joules is None else joules / (clock() - began)
    seat.sustain(half_s, clock)
    live.watch_again()
    if reason is None:
        meter.restart()
    step_s, steps = seat.sustain(half_s, clock, meter.tick)
    if reason is None:
        joules, reason = meter.joules()
        image_j = None if joules is None else joules / (steps * seat.case.batch_size)
    if reason is not None:
        nulls = {name: reason for name, value in (("image_j", image_j), ("idle_w", idle_w)) if value is None}
    return SustainedUse(step_s=step_s, image_j=image_j, idle_w=idle_w, nulls=nulls)
