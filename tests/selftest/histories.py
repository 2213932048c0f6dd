"""Simulations of runs over time: how often a change of level is seen where there is none, and how small a one is found.

Runs are drawn; what judges them is the product's own `results.statistics.changepoints.change_points`.
"""

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from results.statistics.changepoints import change_points
from tests.selftest.rows import Row, share_row
from tests.selftest.series import Floats, autoregressive

RUNS: Final = 10_000
MARGIN: Final = 0.02
_STEP: Final = math.log(1.05)
_NOISE: Final = 0.01
_LONG: Final = 100
"""Series of so many runs and more are drawn a tenth as often: each takes 3 ms."""

Draw = Callable[[np.random.Generator, int], Floats]
"""Draw the logarithms of so many runs."""


def normal(spread: float) -> Draw:
    """Return independent runs of one level."""
    return lambda rng, size: spread * rng.standard_normal(size)


def drifting(correlation: float, spread: float) -> Draw:
    """Return runs of which neighbours resemble each other, as those of a machine in a warm week."""
    return lambda rng, size: spread * autoregressive(rng, size, correlation)


def two_modes(share: float) -> Draw:
    """Return runs of which so many are 30 % slower, at random."""
    return lambda rng, size: _NOISE * rng.standard_normal(size) + math.log(1.3) * (rng.random(size) < share)


def half_noisy(rng: np.random.Generator, size: int) -> Floats:
    """Return runs of one level whose later half spreads ten times as much."""
    return _NOISE * np.where(np.arange(size) < size // 2, 1, 10) * rng.standard_normal(size)


STATIONARY: Final[dict[str, tuple[Draw, tuple[int, ...], float]]] = {
    "spread 0.5 %": (normal(0.005), (8, 20, 50, 200), 0.01),
    "spread 3 %": (normal(0.03), (8, 20, 50, 200), 0.01),
    "spread 10 %": (normal(0.1), (8, 20, 50, 200), 0.01),
    "spread 10 %, skewed": (lambda rng, size: 0.1 * rng.exponential(size=size), (8, 20, 50, 200), 0.01),
    "spread 3 %, t₃": (lambda rng, size: 0.03 * rng.standard_t(3, size), (8, 20, 50, 200), 0.01),
    "1 %, 5 % of runs 30 % slower": (two_modes(0.05), (8, 20, 50, 200), 0.01),
    # What is no series of independent runs of one level: the figures say how often it alarms.
    "1 %, 20 % of runs 30 % slower": (two_modes(0.2), (20, 50, 200), 0.08),
    "1 %, then 10 %": (half_noisy, (8, 20, 50), 0.025),
    "1 %, neighbours correlate 0.6": (drifting(0.6, 0.01), (8, 20, 50), 0.06),
    "3 %, neighbours correlate 0.3": (drifting(0.3, 0.03), (8, 20, 50), 0.05),
    "3 %, neighbours correlate 0.6": (drifting(0.6, 0.03), (8, 20, 50), 0.4),
}
"""Noise of one level, the numbers of runs it is drawn for, and the share of series that may show a change."""

STEPS: Final[dict[str, tuple[int, tuple[int, ...], float]]] = {
    "4 of 8 runs": (8, (4,), 0.93),
    "10 of 20 runs": (20, (10,), 0.95),
    "16 of 20 runs": (20, (16,), 0.95),
    "46 of 50 runs": (50, (46,), 0.95),
    "10 of 24 runs, back after 16": (24, (10, 16), 0.95),
    "20 of 60 runs, back after 30": (60, (20, 30), 0.95),
    "100 of 200 runs, back after 110": (200, (100, 110), 0.95),
}
"""Number of runs, those at which the level goes up or back, and the share of series in which they must be found."""


def history(*, quick: bool) -> Iterator[Row]:
    """False alarms, power within one run, changes too many, and coverage of the ratio's interval."""
    yield from _alarms(quick=quick)
    yield from _power(quick=quick)


def _runs(size: int, *, quick: bool) -> int:
    return RUNS // (10 if quick else 1) // (10 if size >= _LONG else 1)


def _alarms(*, quick: bool) -> Iterator[Row]:
    rng = np.random.default_rng(20261201)
    for name, (draw, sizes, high) in STATIONARY.items():
        for size in sizes:
            runs = _runs(size, quick=quick)
            alarms = sum(bool(change_points(np.exp(draw(rng, size)).tolist(), MARGIN)) for _ in range(runs))
            yield share_row(f"history: {name}: any change", alarms, runs, high=high, variant=f"{size} runs")


def _power(*, quick: bool) -> Iterator[Row]:
    rng = np.random.default_rng(20261202)
    for name, (size, places, low) in STEPS.items():
        runs = _runs(size, quick=quick)
        slow = _STEP * (np.searchsorted(places, np.arange(size), side="right") % 2)
        hits = extra = held = exact = 0
        for _ in range(runs):
            found = change_points(np.exp(slow + _NOISE * rng.standard_normal(size)).tolist(), MARGIN)
            near = [any(abs(one.index - place) <= 1 for one in found) for place in places]
            hits += all(near)
            extra += len(found) > len(places)
            if tuple(one.index for one in found) == places:
                exact += 1
                held += found[0].ratio.low <= math.exp(_STEP) <= found[0].ratio.high
        yield share_row("history: +5 %: found within one run", hits, runs, low=low, variant=f"after {name}")
        yield share_row("history: +5 %: more changes", extra, runs, high=0.02, variant=f"after {name}")
        yield share_row("history: +5 %: interval holds the ratio", held, exact, low=0.92, variant=f"after {name}")
