"""The model of a field: log time = level of the case + drift of the machine.

A field holds cases whose workers took turns. The drift is a piecewise linear function of time in each part of the
field, the same for all its cases. Levels and drift are fitted together by Huber's robust regression (Huber 1964,
"Robust estimation of a location parameter"), by iteratively reweighted least squares: a slow turn of a single case
moves neither. Many fields are fitted at once, for numpy's speed.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from results.statistics.intervals import MAD_TO_SD
from results.statistics.segments import Floats, Segments, Whole

_TURNS_A_PIECE: Final = 2
"""Turns of each case in a linear piece of the drift: finer pieces would follow the noise."""
_HUBER: Final = 1.5
"""Residuals of more robust standard deviations than this lose weight."""
_ITERATIONS: Final = 8
"""The most: enough for levels within 0.02 % of the minimum of Huber's loss, in fields of few turns and many spikes."""
_CLOSE: Final = 1e-4
"""Largest change of a level at which the iterations end earlier: a hundredth of what a run can show."""
_FINEST: Final = 1e-7
"""Least residual: recorded constants have none."""
_RIDGE: Final = 1e-6
"""Turns that the latest solution counts as: it decides only what no turn decides."""
_AT_ONCE: Final = 2**17
"""The most numbers in an array of fields that are fitted together: arrays that fit in the cache."""


class Turns(NamedTuple):
    """Turns of fields: arrays with an entry a turn. Series, parts and fields are numbered from 0, field by field."""

    log: Floats
    """Logarithm of the time of a step."""
    at: Floats
    """The time at which the turn took place, on a clock that its part shares."""
    series: Whole
    """The turns of a case are a series."""
    part: Whole
    field: Whole

    def chosen(self, which: Whole | slice) -> "Turns":
        """Return some of the turns."""
        return Turns(self.log[which], self.at[which], self.series[which], self.part[which], self.field[which])


class Fit(NamedTuple):
    """Levels and drift of fields. Only differences between levels of the same field have a meaning."""

    level: Floats
    """An entry for each series, near the median of its logs."""
    drift: Floats
    """An entry for each turn, near 0."""


class _Hats(NamedTuple):
    """Turns between two knots of the drift each: arrays of a row for the knot before and a row for the knot after."""

    knot: Whole
    """Knots are numbered from 0, field by field."""
    share: Floats
    """Weights of both knots, which add up to 1."""


def fit(turns: Turns) -> Fit:
    """Return the levels of all series and the drift at all turns, in whatever order the turns are."""
    if not turns.log.size:
        return Fit(np.empty(0), np.empty(0))
    by_series = np.argsort(turns.series, kind="stable")
    level = Segments(np.bincount(turns.series)).medians(turns.log[by_series])
    drift = np.empty_like(turns.log)
    order = np.lexsort((turns.at, turns.part))
    ordered = turns.chosen(order)
    hats = _hats(ordered)
    for some in _batches(ordered, hats):
        batch = ordered.chosen(some)
        series = slice(batch.series.min(), batch.series.max() + 1)
        hats_of_batch = _Hats(hats.knot[:, some], hats.share[:, some])
        level[series], drift[order[some]] = _fitted(batch, hats_of_batch, level[series])
    return Fit(level, drift)


def _hats(turns: Turns) -> _Hats:
    """Return the knots of turns in the order of their times; the pieces of a part have equal numbers of turns."""
    parts, width = Segments(np.bincount(turns.part)), int(turns.series.max()) + 1
    cases = np.bincount(np.unique(turns.part * width + turns.series) // width)
    pieces = parts.counts // (_TURNS_A_PIECE * cases)
    pieces[pieces < 2] = 0  # the drift of so few turns is a constant
    first, last, number = parts.each(parts.starts), parts.each(parts.counts - 1), np.maximum(parts.each(pieces), 1)
    piece = np.minimum((np.arange(first.size) - first) * number // np.maximum(last, 1), number - 1)
    # The turns at both ends of the piece: their ranks in the part are rounded up.
    before, after = (turns.at[first - -(piece + end) * last // number] for end in (0, 1))
    linear = (parts.each(pieces) > 0) & (after > before)
    share = np.where(linear, (turns.at - before) / np.where(linear, after - before, 1.0), 0.0)
    knot = parts.each(np.cumsum(pieces + 1) - pieces - 1) + piece
    return _Hats(np.array([knot, knot + (parts.each(pieces) > 0)]), np.array([1 - share, share]))


def _batches(turns: Turns, hats: _Hats) -> Iterator[slice]:
    """Yield the turns of some fields, few enough that arrays padded to the largest field stay small."""
    fields = Segments(np.bincount(turns.field))
    series, knots = (
        np.maximum.reduceat(column, fields.starts) - np.minimum.reduceat(column, fields.starts) + 1
        for column in (turns.series, hats.knot[1])
    )
    sizes = np.maximum(fields.counts, (knots + 1) * np.maximum(series, knots + 1)).tolist()
    bounds = [*fields.starts.tolist(), turns.log.size]
    first = largest = 0
    for field, size in enumerate(sizes):
        largest = max(largest, size)
        if field > first and largest * (field - first + 1) > _AT_ONCE:
            yield slice(bounds[first], bounds[field])
            first, largest = field, size
    yield slice(bounds[first], bounds[-1])


class _Grid(NamedTuple):
    """Indices of turns in arrays of the numbers of fields, padded to the field with the most series and knots."""

    shape: tuple[int, int, int]
    """The number of fields, and the most series and knots of a field."""
    series: Whole
    """Of fields × series."""
    knot: Whole
    """Of fields × knots; of this and the next two, a row for the knot before and a row for the knot after."""
    mixed: Whole
    """Of fields × series × knots."""
    squares: Whole
    """Of fields × knots × knots: both on the diagonal."""
    pair: Whole
    """Of fields × knots × knots: the knot before and the knot after."""


def _grid(fields: Segments, series: Whole, knot: Whole) -> _Grid:
    """Return the grid of turns with these series and knots, both numbered from 0 in each field."""
    shape = count, width, height = fields.counts.size, int(series.max()) + 1, int(knot.max()) + 1
    field = fields.each(np.arange(count))
    of_series, of_knot = field * width + series, field * height + knot
    return _Grid(
        shape, of_series, of_knot, of_series * height + knot, of_knot * height + knot, of_knot[0] * height + knot[1]
    )


def _local(numbers: Whole, fields: Segments) -> Whole:
    """Return numbers of turns as numbers from 0 in each field."""
    least: Whole = np.minimum.reduceat(numbers, fields.starts)
    return numbers - fields.each(least)


def _fitted(turns: Turns, hats: _Hats, medians: Floats) -> tuple[Floats, Floats]:
    """Return the levels and the drift of some fields, from the medians of their series."""
    fields = Segments(np.bincount(turns.field - turns.field[0]))
    first = fields.each(hats.knot[0, fields.starts])
    grid = _grid(fields, _local(turns.series, fields), hats.knot - first)
    count, width, height = grid.shape
    series = turns.series - turns.series.min()
    level, knots = np.zeros((count, width)), np.zeros((count, height))
    level.flat[grid.series] = medians[series]
    moving = np.ones(count, dtype=bool)  # a field stops on its own, whatever fields are fitted with it
    for _ in range(_ITERATIONS):
        residual = turns.log - level.ravel()[grid.series] - _at_turns(knots, grid, hats)
        size = np.maximum(np.abs(residual), _FINEST)
        weight = np.minimum(1.0, fields.each(_HUBER * MAD_TO_SD * fields.medians(size)) / size)
        steps = _steps(grid, hats.share, weight, residual)
        level, knots = (old + moving[:, None] * step for old, step in zip((level, knots), steps, strict=True))
        moving &= np.abs(steps[0]).max(axis=1) > _CLOSE
        if not moving.any():
            break
    levels = np.empty_like(medians)
    levels[series] = level.ravel()[grid.series]
    return levels, _at_turns(knots, grid, hats)


def _at_turns(knots: Floats, grid: _Grid, hats: _Hats) -> Floats:
    """Return the drift at each turn."""
    before, after = hats.share * knots.ravel()[grid.knot]
    return np.asarray(before + after)


def _steps(grid: _Grid, share: Floats, weight: Floats, residual: Floats) -> tuple[Floats, Floats]:
    """Return the changes of levels and knots that make the weighted squares of the residuals least.

    The levels are eliminated: their part of the normal equations is diagonal, as each turn has a single level.
    """
    count, width, height = grid.shape
    shares, errors = share * weight, weight * residual
    levels = _totals(grid.series, weight, (count, width, 1)) + _RIDGE
    mixed = _totals(grid.mixed, shares, grid.shape)
    pairs = _totals(grid.pair, shares[0] * share[1], (count, height, height))
    knots = _totals(grid.squares, shares * share, (count, height, height)) + pairs + pairs.transpose(0, 2, 1)
    of_levels = _totals(grid.series, errors, (count, width, 1))
    of_knots = _totals(grid.knot, share * errors, (count, height, 1))
    eliminated = (mixed / levels).transpose(0, 2, 1)
    drift = np.linalg.solve(knots + _RIDGE * np.eye(height) - eliminated @ mixed, of_knots - eliminated @ of_levels)
    level = (of_levels - mixed @ drift) / levels
    return level[:, :, 0], np.asarray(drift[:, :, 0], dtype=np.float64)


def _totals(index: Whole, values: Floats, shape: tuple[int, ...]) -> Floats:
    """Return an array with the sums of the values that have the same index."""
    return np.bincount(index.ravel(), values.ravel(), math.prod(shape)).astype(np.float64, copy=False).reshape(shape)
