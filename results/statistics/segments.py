"""Statistics of many series of different lengths, concatenated in a single array for numpy."""

import dataclasses
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_Kind = TypeVar("_Kind", np.float64, np.int64)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The number of values of each series, at least 1. Arrays have an entry for every value or every series."""

    counts: Whole
    starts: Whole = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", np.cumsum(self.counts) - self.counts)

    def sums(self, values: Floats) -> Floats:
        """Return the sum of each series."""
        sums: Floats = np.add.reduceat(values, self.starts)
        return sums

    def each(self, of_series: npt.NDArray[_Kind]) -> npt.NDArray[_Kind]:
        """Repeat the entry of each series for each of its values."""
        return np.repeat(of_series, self.counts)

    def ordered(self, values: Floats) -> Floats:
        """Sort the values of each series in rising order: O(n log m) for n values in series of m."""
        longest = int(self.counts.max(initial=0))
        if longest * self.counts.size <= 2 * values.size:  # a single sort of rows, padded with NaN, which comes last
            slots = np.arange(values.size) + self.each(np.arange(self.counts.size) * longest - self.starts)
            padded = np.full(self.counts.size * longest, np.nan)
            padded[slots] = values
            padded.reshape(-1, longest or 1).sort(axis=1)
            return np.asarray(padded[slots])
        ordered = np.empty_like(values)
        for count in np.unique(self.counts):
            indices = self.starts[self.counts == count][:, None] + np.arange(count)
            ordered[indices] = np.sort(values[indices], axis=1)
        return ordered

    def medians(self, values: Floats) -> Floats:
        """Return the median of each series."""
        medians: Floats = values[self.starts] / 2 + values[self.starts + self.counts - 1] / 2
        longer = self.counts > 2  # of two values the order does not matter
        if longer.any():
            rest = Segments(self.counts[longer])
            medians[longer] = rest.middles(rest.ordered(values[np.repeat(longer, self.counts)]))
        return medians

    def known_medians(self, values: Floats) -> Floats:
        """Return the median of each series' values that are not NaN, NaN where all are."""
        known = ~np.isnan(values)
        counts = np.add.reduceat(known.astype(np.int64), self.starts)
        medians = np.full(len(counts), np.nan)
        if known.any():
            medians[counts > 0] = Segments(counts[counts > 0]).medians(values[known])
        return medians

    def geometric_means(self, values: Floats) -> Floats:
        """Return the geometric mean of each series of positive values, exact for a single value."""
        first = values[self.starts]
        means: Floats = first * np.exp(self.sums(np.log(values / self.each(first))) / self.counts)
        return means

    def middles(self, ordered: Floats) -> Floats:
        """Return the median of each series whose values are in rising order."""
        lower, upper = (ordered[self.starts + middle] for middle in ((self.counts - 1) // 2, self.counts // 2))
        medians: Floats = lower / 2 + upper / 2
        return medians

    def quantiles(self, ordered: Floats, q: float) -> Floats:
        """Return the quantile `q` of each series in rising order, between two values by `numpy.quantile`'s rule."""
        rank = (self.counts - 1) * q
        below = np.floor(rank).astype(np.int64)
        low, high = (ordered[self.starts + np.minimum(index, self.counts - 1)] for index in (below, below + 1))
        share, step = rank - below, high - low
        quantiles: Floats = np.where(share < 0.5, low + step * share, high - step * (1 - share))
        return quantiles
