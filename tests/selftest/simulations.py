"""Simulations of the statistics: false alarms, coverage and power of A/B comparisons, and the end of warm-up.

The noise is drawn, whole arrays at a time; what judges it is the product's own code, once for each simulated run.
"""

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from results.statistics.drift import Turns, fit
from results.statistics.intervals import across
from results.statistics.looks import LOOKS, Judged, judge, smallest_effect
from results.statistics.steady import steady
from tests.selftest.rows import Row, share_row
from tests.selftest.series import KINDS, series

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
"""Draw an array of positive numbers in that shape."""

RUNS: Final = 10_000
STEPS: Final = (3, 10, 30, 100)
MARGIN: Final = 0.02
LAST: Final = max(LOOKS)
_BIAS: Final = 0.005

_CHUNK: Final = 250
"""Runs that are drawn at a time: 16 MB for each array of 100 steps."""
_LEVEL: Final = 0.01
"""Standard deviation of the log level between processes: memory placement, and the like."""
_SLOW: Final = 0.02
"""Share of processes that are slow as a whole, by 5 to 30 %, where there are any."""
_SPIKES: Final = 0.03
"""Share of turns that a spike hits, in one arm only, by 30 to 300 %."""
_LOADED: Final = 0.3
"""Share of pairs in the middle of which other load comes and slows both arms by 10 to 100 %."""
_DRIFT: Final = 0.1
"""Standard deviation of the log drift of the machine from the start of a pair to its end."""


def step_series(rng: np.random.Generator, runs: int, pairs: int, steps: int) -> tuple[Floats, Floats]:
    """Return the steps of arm a and of arm b in seconds, each (steps, runs, pairs); the true ratio is 1.

    A step is a turn whose first step was dropped. In each round the arms come in a random order, which the next round
    reverses, half a round apart, so that drift and load do not meet them quite alike. Each run has its own machine:
    correlation of neighbouring steps 0.2 to 0.95, noise of a step 0.5 to 5 %, and slow processes on every second one.
    """
    shape = (2, runs, pairs)
    process = _LEVEL * rng.standard_normal(shape)
    slow = rng.random(shape) < _SLOW * (rng.random((runs, 1)) < 0.5)
    process += np.where(slow, np.log(rng.uniform(1.05, 1.3, shape)), 0)
    log = _autoregressive(rng, rng.uniform(0.2, 0.95, (runs, 1)), steps, shape)
    log *= rng.uniform(0.005, 0.05, (runs, 1))
    log += process
    log += np.where(rng.random(log.shape) < _SPIKES, np.log(rng.uniform(1.3, 4, log.shape)), 0)
    a_is_late = np.repeat(rng.random(((steps + 1) // 2, runs, pairs)) < 0.5, 2, axis=0)[:steps]
    a_is_late[1::2] ^= True
    late = np.stack([a_is_late, ~a_is_late], axis=1)
    along = (np.arange(steps)[:, None, None, None] + 0.5 * late) / steps
    log += _DRIFT * rng.standard_normal((runs, pairs)) * along
    begin = np.where(rng.random((runs, pairs)) < _LOADED, rng.random((runs, pairs)), 1)
    log += np.where(along >= begin, np.log(rng.uniform(1.1, 2, (runs, pairs))), 0)
    times = 0.02 * np.exp(log)
    return times[:, 0], times[:, 1]


def _autoregressive(rng: np.random.Generator, correlation: Floats, steps: int, shape: tuple[int, ...]) -> Floats:
    """Return standard normal noise, (steps, *shape), whose neighbours along the first axis correlate so much."""
    noise = rng.standard_normal((steps, *shape))
    noise[1:] *= np.sqrt(1 - correlation**2)
    for step in range(1, steps):
        noise[step] += correlation * noise[step - 1]
    return noise


def ratios(a: Floats, b: Floats) -> Floats:
    """Return what `results.analysis.ab.ratio` gives for each pair of series, along the first axis."""
    steps, pairs = len(a), a[0].size
    number = np.tile(np.arange(pairs), 2 * steps)
    arm, at = np.repeat([0, 1], steps * pairs), np.tile(np.repeat(np.arange(steps), pairs), 2)
    log = np.log(np.concatenate([a.ravel(), b.ravel()]))
    level = fit(Turns(log, at + 0.5 * arm, 2 * number + arm, number, number)).level
    return np.exp(level[1::2] - level[::2]).reshape(a.shape[1:])


def noisy_ratios(rng: np.random.Generator, runs: int, steps: int) -> Floats:
    """Return the ratios of equal arms on a noisy machine, (runs, pairs of the last look)."""
    chunks = [min(_CHUNK, runs - done) for done in range(0, runs, _CHUNK)]
    return np.concatenate([ratios(*step_series(rng, chunk, LAST, steps)) for chunk in chunks])


def until_known(run: Floats, margin: float) -> Judged:
    """Return what a run shows at the first look that settles it, or at the last."""
    for look in LOOKS:
        judged = judge(run[:look].tolist(), margin)
        if judged.verdict != "inconclusive":
            break
    return judged


def null(*, quick: bool) -> Iterator[Row]:
    """Arms that do not differ by more than the margin: hardly ever called slower or faster.

    Both arms' processes vary alike. Where only one arm has a second mode, far off and rare, ten pairs may all miss it:
    30 % of processes, 6 to 15 standard deviations away, give 2.4 to 3.8 % of false alarms (4,000 runs each).
    """
    runs = RUNS // 10 if quick else RUNS
    rng = np.random.default_rng(20261122)
    machines = {f"{steps} steps": noisy_ratios(rng, runs, steps) for steps in STEPS}
    # The edge at which t intervals are exact: every disturbance above makes them wider than need be.
    machines["normal pairs"] = np.exp(0.015 * rng.standard_normal((runs, LAST)))
    for name, equal in machines.items():
        for what, truth, margin in (
            ("A/A", 1.0, MARGIN),
            ("A/A at no margin", 1.0, 0.0),
            ("ratio at the margin", 1 + MARGIN, MARGIN),
        ):
            found = [until_known(run, margin).verdict for run in truth * equal]
            alarms = found.count("slower") + found.count("faster")
            yield share_row(f"null: {what}: slower or faster", alarms, runs, high=0.01, variant=name)
            if truth > 1:
                yield share_row(f"null: {what}: same", found.count("same"), runs, high=0.025, variant=name)


def _bimodal(distance: float) -> Draw:
    """Seven of ten processes in one mode, the others in one so many standard deviations above; mean log 0."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        modes = distance * ((rng.random(shape) < 0.3) - 0.3)
        return np.exp(0.01 * (rng.standard_normal(shape) + modes))

    return draw


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return (1 + _NORMAL_SPREAD * rng.standard_normal(shape)) / math.exp(_NORMAL_MEAN_LOG)


_NORMAL_SPREAD: Final = 0.05
_NORMAL_MEAN_LOG: Final = -sum(math.prod(range(1, 2 * k, 2)) * _NORMAL_SPREAD ** (2 * k) / (2 * k) for k in range(1, 5))
"""Mean of log(1 + 0.05 z) for a standard normal z, from the moments of z."""

REPLICATES: Final[dict[str, tuple[Draw, float, float]]] = {
    "normal": (_normal, 0.94, 0.96),
    "lognormal": (lambda rng, shape: np.exp(0.05 * rng.standard_normal(shape)), 0.94, 0.96),
    # At K = 10 these two lie inside the bounds by a hair: 94.10 % (2 million runs) and 95.95 % (8 million).
    "bimodal, 3 sd apart": (_bimodal(3), 0.94, 0.96),
    "t₃": (lambda rng, shape: np.exp(0.02 * rng.standard_t(3, shape)), 0.94, 0.96),
    "bimodal, 6 sd apart": (_bimodal(6), 0.93, 0.96),
}
"""Distributions of a replicate's number, whose mean log is 0, and the coverage that is promised for them."""


def coverage(*, quick: bool) -> Iterator[Row]:
    """How often 95 % intervals hold the truth: across replicates, and of an A/B comparison where it stops."""
    runs = RUNS // 10 if quick else RUNS
    rng = np.random.default_rng(20261123)
    for name, (draw, low, high) in REPLICATES.items():
        for replicates in (10, 20, 30):
            values = draw(rng, (10 * runs, replicates))  # so many, as two of the shares lie at the very edge
            held = sum(found.low <= 1 <= found.high for found in map(across, values.tolist()) if found)
            yield share_row(f"coverage: {name}", held, len(values), low=low, high=high, variant=f"K = {replicates}")
    equal = noisy_ratios(rng, runs, 10)
    for truth in (1.0, 1 + MARGIN, 1.05):
        found = [until_known(run, MARGIN) for run in truth * equal]
        held = sum(one.low <= truth <= one.high for one in found)
        yield share_row("coverage: A/B at its last look", held, runs, low=0.95, variant=f"true ratio {truth:.2f}")


def power(*, quick: bool) -> Iterator[Row]:
    """How often a slow-down is found, and that it is not called the same."""
    runs = RUNS // 10 if quick else RUNS
    rng = np.random.default_rng(20261124)
    for spread in (0.015, 0.03):
        equal = np.exp(spread * rng.standard_normal((runs, LAST)))
        for effect in (0.05, 0.1):
            variant = f"pairs spread {spread:.1%}"
            found = [until_known(run, MARGIN) for run in (1 + effect) * equal]
            by_look = [sum(one.verdict == "slower" and one.pairs <= look for one in found) for look in LOOKS]
            told = " / ".join(f"{slower / runs:.1%}" for slower in by_look)
            last = share_row("", by_look[-1], runs, low=0.95)
            what = f"power: +{effect:.0%}: slower by {' / '.join(map(str, LOOKS))} pairs"
            yield Row(what, told, f"{last.bound} by the last", last.kept, variant)
            same = sum(one.verdict == "same" for one in found)
            yield share_row(f"power: +{effect:.0%}: same", same, runs, high=0.01, variant=variant)
        for look in LOOKS:
            slowed = (1 + smallest_effect(spread, look, MARGIN)) * equal[:, :look]
            slower = sum(judge(run, MARGIN).verdict == "slower" for run in slowed.tolist())
            variant = f"{look} pairs that spread {spread:.1%}"
            yield share_row("power: the smallest effect: slower", slower, runs, low=0.94, high=0.96, variant=variant)


def warmup(*, quick: bool) -> Iterator[Row]:
    """Series whose class and level are known: told apart, and the level of the steady part found."""
    runs = 100 if quick else 1000
    for kind in KINDS:
        rng = np.random.default_rng(20261125)
        right, errors = 0, []
        for _ in range(runs):
            times, wanted, level = series(kind, rng)
            found = steady(times.tolist())
            right += wanted == ("steady" if found.steady else "slowing" if found.slowing else "never steady")
            if found.steady and wanted == "steady":
                errors.append(math.log(np.median(times[found.start :]) / level))
        yield share_row("warm-up: classified right", right, runs, low=0.95, variant=kind)
        if errors:
            bias, error = float(np.mean(errors)), 2.6 * float(np.std(errors)) / math.sqrt(len(errors))
            far = abs(bias) > _BIAS
            kept = None if far and abs(bias) - error <= _BIAS else not far
            figure = f"{bias:+.3%} ± {error:.3%}"
            yield Row("warm-up: bias of the level", figure, f"≤ {100 * _BIAS:g} %", kept, kind)
