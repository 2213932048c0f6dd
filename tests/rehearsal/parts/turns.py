"""Physics of turns: what a mark costs, what the shape of a turn and a gap before it do to its steps.

Every function takes a `Device` and a clock, so that the simulated device of the tests can stand in for a GPU.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any, Final

from bench.measure.device import Device
from bench.measure.timing import Step, time_turn

Clock = Callable[[], float]
PLATEAU_STEPS: Final = 20
"""Steps in a row whose median is the plateau: the latency of a device that is never idle."""
WARM_STEPS: Final = 3
GAP_STEPS: Final = 6
NEAR: Final = 0.01
"""Steps within this share of the plateau need not be dropped."""


def mark_cost(device: Device, launch: Callable[[], object], *, clock: Clock, steps: int = 200) -> dict[str, float]:
    """Return the seconds of a tiny step, what two and four marks add to it, and the smallest interval of two marks."""

    def block(marks: int) -> float:
        device.synchronize()
        began = clock()
        for _ in range(steps):
            for _ in range(marks):
                device.mark()
            launch()
        device.synchronize()
        return (clock() - began) / steps

    block(4)  # the first marks and the first launch pay for what is loaded
    bare_s, two_s, four_s = (min(block(marks) for _ in range(5)) for marks in (0, 2, 4))
    pairs = [(device.mark(), device.mark()) for _ in range(steps)]
    device.synchronize()
    return {
        "step_s": bare_s,
        "two_marks_s": two_s - bare_s,
        "four_marks_s": four_s - bare_s,
        "interval_s": min(device.seconds(first, last) for first, last in pairs),
    }


def plateau(device: Device, step: Step, *, clock: Clock) -> float:
    """Return the median seconds of many steps in a row."""
    return statistics.median(time_turn(step, device, steps=PLATEAU_STEPS, drop=WARM_STEPS, clock=clock).step_s)


def turn_shapes(
    device: Device, step: Step, *, clock: Clock, repeats: int, sizes: Sequence[int] = (1, 2, 5)
) -> dict[str, float]:
    """Return the plateau, and by how much steps of short turns exceed it, as a share.

    ``harness_1`` is the project's own loop with turns of one step. ``behind_1`` marks behind the dropped step without
    waiting for it; ``after_1`` waits, so that the first step begins on an idle queue.
    """
    shapes: dict[str, list[float]] = {f"{kind}_{size}": [] for kind in ("harness", "behind", "after") for size in sizes}
    plateaus = [plateau(device, step, clock=clock)]
    for _ in range(repeats):  # in turn, so that drift of the clocks meets all shapes alike
        for size in sizes:
            shapes[f"harness_{size}"] += time_turn(step, device, steps=size, drop=1, clock=clock).step_s
            shapes[f"behind_{size}"] += _marked(device, step, size, drop=1)
            shapes[f"after_{size}"] += _marked(device, step, size, drop=1, wait=True)
    plateaus.append(plateau(device, step, clock=clock))
    level = statistics.mean(plateaus)
    return {
        "plateau_s": level,
        "plateau_moved": plateaus[1] / plateaus[0],
        **{shape: statistics.median(seconds) / level - 1 for shape, seconds in shapes.items()},
    }


def after_gaps(
    device: Device,
    step: Step,
    *,
    clock: Clock,
    sleep: Callable[[float], object],
    gaps_s: Sequence[float],
    repeats: int = 3,
) -> dict[str, Any]:
    """Return, for each idle gap, the first steps after it over the plateau, and how many of them are not near it."""
    level = plateau(device, step, clock=clock)
    ratios = []
    for gap_s in gaps_s:
        rows = []
        for _ in range(repeats):
            device.synchronize()
            sleep(gap_s)
            rows.append(_marked(device, step, GAP_STEPS))
        ratios.append([statistics.median(column) / level for column in zip(*rows, strict=True)])
    slow = [next((i for i, ratio in enumerate(row) if ratio <= 1 + NEAR), GAP_STEPS) for row in ratios]
    short = [count for gap_s, count in zip(gaps_s, slow, strict=True) if gap_s <= 0.1]
    return {
        "plateau_s": level,
        "gaps_s": list(gaps_s),
        "ratios": ratios,
        "slow_steps": slow,
        "slow_after_short_gaps": max(short),
        "slow_after_long_gaps": max(slow),
    }


def sustained(device: Device, step: Step, *, clock: Clock, seconds: float) -> dict[str, float]:
    """Return the plateau, and the median step of the last quarter of so many seconds without a pause, over it."""
    level = plateau(device, step, clock=clock)
    began, blocks = clock(), []
    while clock() - began < seconds:
        turn = time_turn(step, device, steps=PLATEAU_STEPS, clock=clock)
        blocks.append((clock() - began, statistics.median(turn.step_s)))
    late = [step_s for at_s, step_s in blocks if at_s >= 0.75 * blocks[-1][0]]
    return {"plateau_s": level, "sustained": statistics.median(late) / level, "steps": len(blocks) * PLATEAU_STEPS}


def _marked(device: Device, step: Step, count: int, *, drop: int = 0, wait: bool = False) -> list[float]:
    """Return the seconds of so many steps, timed by hand; with `wait` the queue is idle before the first of them."""
    device.synchronize()
    for _ in range(drop):
        step(_ignore)
    if wait:
        device.synchronize()
    marks = [device.mark()]
    for _ in range(count):
        step(_ignore)
        marks.append(device.mark())
    device.synchronize()
    return [device.seconds(marks[i], marks[i + 1]) for i in range(count)]


def _ignore() -> None:
    """Stand in for a mark between phases."""
