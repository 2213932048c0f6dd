"""Confidence intervals within a process and across processes.

Times are positive and their errors multiply, so everything here works on logarithms. There are two levels: the turns
of a process are correlated (`median_interval` corrects for that), and only processes are replicates (`across`).
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
TURNS_FOR_INTERVAL: Final = 4
"""Fewer turns have no interval: their spread itself is unknown."""

MAD_TO_SD: Final = 1.4826
"""Standard deviation of normal values over their median absolute deviation."""

_MEDIAN_TO_MEAN: Final = math.sqrt(math.pi / 2)
"""Standard error of the median of a normal sample over the standard error of its mean."""


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
    """Estimates with their intervals for many series: arrays with an entry a series, NaN for a missing value."""

    value: Floats
    low: Floats
    high: Floats


def median_interval(turn_medians: Sequence[float]) -> Interval | None:
    """Return the median step of a single process with its interval, from the median step of each turn in seconds.

    Neighbouring turns are correlated, so n turns count as n (1 - r) / (1 + r) independent turns, with r the lag-1
    autocorrelation corrected for its bias (Kendall 1954; Marriott and Pope 1954), as in a first-order
    autoregressive series. The interval is the median, plus and minus Student's t times the standard error of a
    median (1.2533 s / sqrt(n)), on logs whose outliers are clipped to 3 robust standard deviations.
    The turns' ratios to a baseline work as well. None with fewer than 4 turns.
    """
    if len(turn_medians) < TURNS_FOR_INTERVAL:
        return None
    return _only(median_intervals(np.asarray(turn_medians, dtype=np.float64), Segments(np.array([len(turn_medians)]))))


def median_intervals(turn_medians: Floats, series: Segments) -> Intervals:
    """Return `median_interval` of each of many series."""
    log = np.log(turn_medians)
    centre = series.medians(log)
    scale = MAD_TO_SD * series.medians(np.abs(log - series.each(centre)))
    reach = np.where(scale > 0, 3 * scale, np.inf)
    drawn_in = np.clip(log, series.each(centre - reach), series.each(centre + reach))
    effective, variance = _effective(drawn_in, series)
    # The correlation of few turns is hardly known. Without this bound it could leave a single degree of freedom and
    # an interval of thrice the width for a hundredth more coverage (simulated, 4 to 20 turns, correlation to 0.6).
    degrees = np.maximum(effective - 1, (series.counts - 1) / 2)
    half = _t_quantiles(degrees) * _MEDIAN_TO_MEAN * np.sqrt(variance / effective)
    return _exponentials(centre, half, series.counts >= TURNS_FOR_INTERVAL)


def _exponentials(centre: Floats, half: Floats, known: Flags) -> Intervals:
    """Return the intervals whose logs are `centre` ± `half`, NaN where they are not `known`."""
    ends = (centre, centre - half, centre + half)
    return Intervals(*(np.where(known, np.exp(end), np.nan) for end in ends))


def _only(ends: Intervals) -> Interval:
    """Return the interval of a single series."""
    return Interval(*(float(end[0]) for end in ends))


def effectives(times_s: Floats, series: Segments) -> Floats:
    """Return the effective number of independent times of each series of correlated times, in measured order."""
    effective, _ = _effective(np.log(times_s), series)
    return np.where(series.counts >= TURNS_FOR_INTERVAL, effective, series.counts)


def _effective(values: Floats, series: Segments) -> tuple[Floats, Floats]:
    """Return the effective number of independent values of each series, and the variance of its values.

    Both are meaningless for fewer than `TURNS_FOR_INTERVAL` values.
    """
    n = series.counts
    above = values - series.each(values[series.starts])  # exactly 0 where all values are equal
    deviation = above - series.each(series.sums(above) / n)
    total = series.sums(deviation**2)
    products = np.append(deviation[:-1] * deviation[1:], 0.0)
    products[series.starts[1:] - 1] = 0.0  # no value has a neighbour in another series
    lag = series.sums(products) / np.where(total > 0, total, 1.0)
    corrected = np.clip((n * lag + 1) / np.maximum(n - 3, 1), 0.0, 0.99)
    effective = np.where(total > 0, np.maximum(n * (1 - corrected) / (1 + corrected), 2.0), n)
    return effective, total / np.maximum(n - 1, 1)


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values, exact for a single value."""
    return values[0] if len(values) == 1 else statistics.geometric_mean(values)


def across(values: Sequence[float]) -> Interval | None:
    """Return the geometric mean of the replicates' positive values with its t-interval on logs; None below 2 values."""
    if len(values) < 2:
        return None
    return _only(intervals_across(np.asarray(values, dtype=np.float64), Segments(np.array([len(values)]))))


def intervals_across(values: Floats, series: Segments) -> Intervals:
    """Return `across` of each of many series."""
    log = np.log(values)
    above = log - series.each(log[series.starts])  # exactly 0 where all values are equal
    mean = series.sums(above) / series.counts
    degrees = np.maximum(series.counts - 1, 1)
    variance = series.sums((above - series.each(mean)) ** 2) / degrees
    half = _t_quantiles(degrees.astype(np.float64)) * np.sqrt(variance / series.counts)
    return _exponentials(log[series.starts] + mean, half, series.counts > 1)


@functools.cache
def bounding_ranks(n: int, q: float) -> tuple[int, int] | None:
    """Return the ranks (from 1) of `n` independent values that bound their quantile `q`.

    Free of any distribution (David and Nagaraja 2003, "Order Statistics", section 7.1). Each bound holds with 95 % on
    its own. None where even the largest value is no upper bound (1 - q**n < 0.95: p90 needs 29 independent values,
    p95 59, p99 299) or the smallest is no lower one.
    """
    from scipy.special import bdtr  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    below = bdtr(np.arange(n + 1), n, q)  # chance that at most so many lie below the quantile
    high = int(np.searchsorted(below, CONFIDENCE)) + 1  # the smallest rank with P(at most rank - 1 below) >= 95 %
    low = int(np.searchsorted(below, 1 - CONFIDENCE))  # the largest rank with P(at least rank below) >= 95 %
    return None if high > n or low < 1 else (low, high)


def _t_quantiles(degrees: Floats) -> Floats:
    """Return Student's two-sided 95 % quantiles (stdtrit is the cheap core of scipy.stats.t)."""
    from scipy.special import stdtrit  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    values, value_of = np.unique(
        degrees, return_inverse=True
    )  # uncorrelated series of equal length share their degrees
    return np.asarray(stdtrit(values, (1 + CONFIDENCE) / 2), dtype=np.float64)[value_of]
