"""Statistics of timings: where warm-up ends, and how sure a number is.

Times are positive and their errors multiply, so everything here works on logarithms. Two levels are kept
apart: within one process the turns are correlated (`median_interval` corrects for it), and only processes are
replicates of one another (`across`).
"""

import dataclasses
import functools
import math
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from results.statistics.segments import Flags, Floats, Segments
from results.text import half_width

CONFIDENCE: Final = 0.95
MIN_STEADY: Final = 3
"""Fewer steady steps than this show nothing, however slow they are."""
MIN_TURNS: Final = 4
"""Fewer turns than this give no interval: their spread itself is unknown."""

_SHORT: Final = 15
"""A series up to this length is judged step by step, a longer one in segments."""
_SEGMENTS: Final = 8
_MIN_SEGMENT: Final = 4
_MAX_CORRELATION: Final = 0.85
"""More than this between neighbouring steps is drift rather than noise."""
_SHORT_TOLERANCE: Final = 0.05
"""Difference (in logs) from the median within which a step of a short series surely belongs to its level."""
_SHORT_NOISE: Final = 3.0
"""The same in standard deviations of the noise, which a busy machine makes larger."""
_LEVEL_TOLERANCE: Final = 0.03
"""Range (in logs) of the segments' means that is taken for the slow drift of a shared machine."""
_NOISE_RANGE: Final = 5.5
"""Range of the means of `_SEGMENTS` segments, in their standard errors, that noise alone hardly exceeds (the
studentised range of 8 means passes 5.5 in fewer than 1 of 200 cases)."""
_SLOWING_FALL: Final = 0.05
"""A series that grows ever slower falls back by at most this share of its whole rise (by noise)…"""
_SLOWING_JUMP: Final = 1 / 3
"""…and rises by no more than this share of it from one segment to the next: a load that sets in comes at once. Together
the two pass 97 % of ramps and 3 % of random walks (simulated)."""
_CLIP: Final = 4.0
"""Steps further than this many robust standard deviations from the later half's median count as this far."""
_MAD_TO_SD: Final = 1.4826
_MEDIAN_TO_MEAN: Final = math.sqrt(math.pi / 2)
"""Standard error of a normal sample's median, in that of its mean."""


@dataclasses.dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def relative(self) -> float:
        """Half-width as a fraction of the value: 0.01 is ±1 %."""
        return half_width(self.value, self.low, self.high)


class Intervals(NamedTuple):
    """Estimates with their intervals for many series: arrays of one entry a series, NaN where there is none."""

    value: Floats
    low: Floats
    high: Floats


@dataclasses.dataclass(frozen=True, slots=True)
class Steady:
    """Where warm-up ends."""

    start: int
    """Index of the first steady step; the best guess where the series is not steady."""
    steady: bool
    slowing: bool = False
    """Whether it is not steady because steps grow ever slower. Neither steady nor slowing is never steady."""


def steady(step_s: Sequence[float]) -> Steady:
    """Find the end of warm-up in a series of step times in seconds.

    The cut is MSER (White 1997, "An effective truncation heuristic for bias reduction in simulation output"): the
    one that gives the mean of what remains the smallest standard error, on logs that are clipped so that
    single spikes do not steer it. The series is steady if the cut lies in its first half (a later one means that
    it was still changing) and the means of eight segments of the rest agree, within the noise or within 3 %.
    A cycle that is short against the series is steady; one as long as the series cannot be told from drift.
    A series of at most 15 steps is steady from the first step of its first half that, like the medians of both
    halves of what follows, lies within 5 % or within the noise of the median of the rest; the noise is told by
    differences of neighbours, which a trend hardly moves. Where nothing is steady the second half is the best guess.
    It is slowing if, behind its first eighth, the segments' medians rise all the way (see `_slowing`), as on a machine
    that grows hot; a load that sets in at once, or comes and goes, is not.

    O(n log n) for n steps.
    """
    log = np.log(np.asarray(step_s, dtype=np.float64))
    start, is_steady = _steady_short(log) if log.size <= _SHORT else _steady_long(log)
    return Steady(start, is_steady, slowing=not is_steady and _slowing(log))


def _steady_long(log: Floats) -> tuple[int, bool]:
    later = log[log.size // 2 :]
    centre = float(np.median(later))
    scale = _robust_sd(later)
    if scale == 0.0:  # a clock too coarse to show noise, or recorded constants
        scale = 1e-4
    clipped = np.clip(log, centre - _CLIP * scale, centre + _CLIP * scale)
    start = _mser(clipped)
    if start > log.size // 2:
        return log.size // 2, False
    return start, _level(clipped[start:])


def _steady_short(log: Floats) -> tuple[int, bool]:
    noise = _robust_sd(np.diff(log)) / math.sqrt(2) if log.size > MIN_STEADY else 0.0
    tolerance = max(_SHORT_TOLERANCE, _SHORT_NOISE * noise)
    for start in range(min(log.size - MIN_STEADY, log.size // 2) + 1):
        rest = log[start:]
        half = rest.size // 2
        level = np.median(rest)
        marks = (rest[0], np.median(rest[:half]), np.median(rest[-half:]))
        if max(abs(mark - level) for mark in marks) <= tolerance:
            return start, True
    return log.size // 2, False


def _slowing(log: Floats) -> bool:
    """Tell whether a series that is not steady rises evenly, from the medians of its segments but the first."""
    if log.size < _SEGMENTS:
        return False
    size = log.size // _SEGMENTS
    marks = np.median(log[log.size - size * _SEGMENTS :].reshape(_SEGMENTS, size), axis=1)[1:]
    rise = marks[-1] - marks[0]
    fall = (np.maximum.accumulate(marks) - marks).max()
    return bool(
        rise > _LEVEL_TOLERANCE and fall <= _SLOWING_FALL * rise and np.diff(marks).max() <= _SLOWING_JUMP * rise
    )


def _mser(log: Floats) -> int:
    """Return the cut that minimises the squared standard error of the mean of what remains."""
    kept = np.arange(log.size, 0, -1, dtype=np.float64)
    centred = log - log[-1]  # keeps the sums of squares small, and with them their rounding error
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum((centred**2)[::-1])[::-1]
    variance = np.maximum(squares / kept - (sums / kept) ** 2, 1e-12)
    # The last steps are no candidates: the spread of a handful is small by luck.
    return int(np.argmin((variance / kept)[: log.size - _SHORT // 2]))


def _level(log: Floats) -> bool:
    """Tell whether the segments' means agree, within noise or within the tolerance.

    The noise is that within segments, and a segment of correlated steps is worth fewer of them.
    """
    segments = min(_SEGMENTS, log.size // _MIN_SEGMENT)
    size = log.size // segments
    rows = log[log.size - size * segments :].reshape(segments, size)
    means = rows.mean(axis=1)
    within = rows - means[:, None]
    variance = float((within**2).sum()) / (segments * (size - 1))
    lagged = float((within[:, 1:] * within[:, :-1]).sum()) / (segments * (size - 1))
    correlation = min(max(lagged / variance + 1 / size, 0.0), _MAX_CORRELATION) if variance > 0 else 0.0
    error = math.sqrt(variance / size * (1 + correlation) / (1 - correlation))
    return float(np.ptp(means)) <= max(_LEVEL_TOLERANCE, _NOISE_RANGE * error)


def _robust_sd(values: Floats) -> float:
    return _MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))


def median_interval(turn_medians: Sequence[float]) -> Interval | None:
    """Return the typical step of ONE process with its interval, from the median step of each turn in seconds.

    Neighbouring turns resemble each other, so n of them are worth fewer: n (1 - r) / (1 + r), with r the lag-1
    autocorrelation corrected for its bias (Kendall 1954; Marriott and Pope 1954), as of a first-order
    autoregressive series. The interval is the median, plus and minus Student's t times the standard error of a
    median (1.2533 s / sqrt(n)), on logs whose outliers are drawn in to 3 robust standard deviations.
    Works as well on the turns' ratios to a baseline. None with fewer than 4 turns.
    """
    if len(turn_medians) < MIN_TURNS:
        return None
    return _only(median_intervals(np.asarray(turn_medians, dtype=np.float64), Segments(np.array([len(turn_medians)]))))


def median_intervals(turn_medians: Floats, series: Segments) -> Intervals:
    """Return `median_interval` of each of many series."""
    log = np.log(turn_medians)
    centre = series.medians(log)
    scale = _MAD_TO_SD * series.medians(np.abs(log - series.each(centre)))
    reach = np.where(scale > 0, 3 * scale, np.inf)
    drawn_in = np.clip(log, series.each(centre - reach), series.each(centre + reach))
    worth, variance = _effective(drawn_in, series)
    # The correlation of few turns is hardly known, and taken at its word it would give one degree of freedom and
    # an interval of thrice the width for a hundredth more coverage (simulated, 4 to 20 turns, correlation to 0.6).
    degrees = np.maximum(worth - 1, (series.counts - 1) / 2)
    half = _t_quantiles(degrees) * _MEDIAN_TO_MEAN * np.sqrt(variance / worth)
    return _exponentials(centre, half, series.counts >= MIN_TURNS)


def _exponentials(centre: Floats, half: Floats, known: Flags) -> Intervals:
    """Return the intervals whose logs are `centre` ± `half`, and none where they are not `known`."""
    ends = (centre, centre - half, centre + half)
    return Intervals(*(np.where(known, np.exp(end), np.nan) for end in ends))


def _only(found: Intervals) -> Interval:
    """Return the interval of the one series that there is."""
    return Interval(*(float(end[0]) for end in found))


def effectives(times_s: Floats, series: Segments) -> Floats:
    """Return how many independent times each of many series of correlated ones, as they were measured, is worth."""
    worth, _ = _effective(np.log(times_s), series)
    return np.where(series.counts >= MIN_TURNS, worth, series.counts)


def _effective(values: Floats, series: Segments) -> tuple[Floats, Floats]:
    """Return how many independent values each series of correlated ones is worth, and their variance.

    Of fewer than `MIN_TURNS` values neither means anything.
    """
    n = series.counts
    above = values - series.each(values[series.starts])  # exactly 0 where all are the same
    deviation = above - series.each(series.sums(above) / n)
    total = series.sums(deviation**2)
    products = np.append(deviation[:-1] * deviation[1:], 0.0)
    products[series.starts[1:] - 1] = 0.0  # no value has a neighbour in another series
    lag = series.sums(products) / np.where(total > 0, total, 1.0)
    corrected = np.clip((n * lag + 1) / np.maximum(n - 3, 1), 0.0, 0.99)
    worth = np.where(total > 0, np.maximum(n * (1 - corrected) / (1 + corrected), 2.0), n)
    return worth, total / np.maximum(n - 1, 1)


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values; that of a single one is exact."""
    return values[0] if len(values) == 1 else statistics.geometric_mean(values)


def across(values: Sequence[float]) -> Interval | None:
    """Return the geometric mean of the replicates' positive values with its t-interval on logs; None below two."""
    if len(values) < 2:
        return None
    return _only(intervals_across(np.asarray(values, dtype=np.float64), Segments(np.array([len(values)]))))


def intervals_across(values: Floats, series: Segments) -> Intervals:
    """Return `across` of each of many series."""
    log = np.log(values)
    above = log - series.each(log[series.starts])  # exactly 0 where all are the same
    mean = series.sums(above) / series.counts
    degrees = np.maximum(series.counts - 1, 1)
    variance = series.sums((above - series.each(mean)) ** 2) / degrees
    half = _t_quantiles(degrees.astype(np.float64)) * np.sqrt(variance / series.counts)
    return _exponentials(log[series.starts] + mean, half, series.counts > 1)


def quantile_interval(values: Sequence[float], q: float, worth: float) -> Interval | None:
    """Return the quantile `q` with bounds from order statistics; `worth` is how many independent values there are.

    Free of any distribution (David and Nagaraja 2003, "Order Statistics", section 7.1). Each bound holds with
    95 % on its own. The ranks are those of a sample of `worth` (see `effectives`), at the same share of the
    series. None where even the largest value is no upper bound (1 - q**n < 0.95: p90 needs 29 independent values,
    p95 59, p99 299) or the smallest is no lower one.
    """
    ranks = bounding_ranks(int(worth), q)
    if ranks is None:
        return None
    low, high = ranks
    ordered = sorted(values)
    top, bottom = math.ceil(high * len(ordered) / int(worth)), low * len(ordered) // int(worth)
    return Interval(float(np.quantile(ordered, q)), ordered[bottom - 1], ordered[top - 1])


@functools.cache
def bounding_ranks(n: int, q: float) -> tuple[int, int] | None:
    """Return the ranks (from 1) of `n` independent values that bound their quantile `q`; see `quantile_interval`."""
    from scipy.special import bdtr  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    below = bdtr(np.arange(n + 1), n, q)  # chance that at most so many lie below the quantile
    high = int(np.searchsorted(below, CONFIDENCE)) + 1  # the smallest rank with P(at most rank - 1 below) >= 95 %
    low = int(np.searchsorted(below, 1 - CONFIDENCE))  # the largest rank with P(at least rank below) >= 95 %
    return None if high > n or low < 1 else (low, high)


def _t_quantiles(degrees: Floats) -> Floats:
    """Return Student's two-sided 95 % quantiles (stdtrit is the cheap core of scipy.stats.t)."""
    from scipy.special import stdtrit  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    values, places = np.unique(degrees, return_inverse=True)  # uncorrelated series have as many as they have values
    return np.asarray(stdtrit(values, (1 + CONFIDENCE) / 2), dtype=np.float64)[places]
