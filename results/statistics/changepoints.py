"""Changes of the level of a series of runs.

A history is short (some runs to some hundred) and its noise is unknown. Changes come in pairs: a regression, then its
fix. The search is seeded binary segmentation (Kovács, Bühlmann, Li and Munk 2023, "Seeded binary
segmentation: a general methodology for fast and optimal changepoint detection", Biometrika 110): every split of a fixed
system of long and short intervals is tested, the surest split is a change, and both sides of it are searched next. The
test is Student's, as in Fleming et al. 2023, "Hunter: using change point detection to hunt for performance
regressions": with no random permutation the same runs always give the same changes. All on logarithms.

Bonferroni's correction for all those tests limits the chance that independent runs of a single level show any change to
about `FALSE_ALARMS`. A series that drifts from day to day, or jumps between two levels, raises more false alarms:
`python -m tests.selftest history` measures how many, and the smallest change that is detected.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from results.statistics.difference import FALSE_ALARMS, Difference, chance
from results.statistics.intervals import MAD_TO_SD, Interval

MIN_RUNS: Final = 4
"""Least runs on each side of a change: a slow day or two are no new level."""

_DECAY: Final = math.sqrt(0.5)
"""Length of an interval over the length of the next longer interval, as the authors recommend."""
_ROUNDING: Final = 1e-9
"""Values this close to a whole number are rounded to it."""
_FINEST: Final = 1e-4
"""Least standard deviation (of logs) between runs: imported times are rounded, and may all be the same."""
_CLIP: Final = 3.0
"""Runs further than so many robust standard deviations from their segment's median count as this far."""
_TELLING: Final = 8
"""Least runs whose spread identifies an outlier; in fewer runs an outlier only widens the interval."""

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A change of level."""

    index: int
    """The first value of the new level."""
    ratio: Interval
    """New level / old level, with Welch's 95 % interval, which assumes that `index` is right."""
    p: float
    """Chance of such a change anywhere in the runs of both levels, if these had a single level."""


def level(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values, with outliers clipped to 3 robust standard deviations."""
    return math.exp(float(_drawn_in(np.log(np.asarray(values, dtype=np.float64))).mean()))


def change_points(values: Sequence[float], margin: float) -> tuple[ChangePoint, ...]:
    """Return the changes of the level of positive `values`, in the order of time, by more than `margin`.

    Fewer than twice `MIN_RUNS` values have no change. O(n log n) for n values and few changes.

    Args:
        values: a value for each run.
        margin: the relative change that does not matter: 0.02 is 2 %, up or down.
    """
    log = np.log(np.asarray(values, dtype=np.float64))
    cuts: list[int] = []
    segments = [(0, log.size)]
    while segments:
        start, end = segments.pop()
        cut = _cut(log[start:end], margin)
        if cut is not None:
            cuts.append(start + cut)
            segments += [(start, start + cut), (start + cut, end)]
    return _confirmed(log, sorted(cuts), margin)


def _cut(log: _Floats, margin: float) -> int | None:
    """Return the split with the smallest p-value, None where no split is significant."""
    starts, cuts, ends = _tests(log.size)
    if cuts.size == 0:
        return None
    size, p = (np.abs(statistic) for statistic in _student(log, starts, cuts, ends))
    likely = np.flatnonzero((cuts.size * p <= FALSE_ALARMS) & (size > math.log1p(margin))).tolist()
    # Several p-values may underflow to 0: the largest change decides.
    return int(cuts[min(likely, key=lambda test: (p[test], -size[test]))]) if likely else None


def _confirmed(log: _Floats, cuts: list[int], margin: float) -> tuple[ChangePoint, ...]:
    """Return the cuts that are significant between their neighbours; remove the least sure of the others in turn.

    Outliers are clipped, and a segment may vary more than its neighbour: Welch's test has to agree with Student's.
    """
    while cuts:
        ends = [0, *cuts, log.size]
        drawn_in = np.concatenate([_drawn_in(log[start:end]) for start, end in itertools.pairwise(ends)])
        triples = list(zip(ends, cuts, ends[2:], strict=False))  # ends holds two more
        steps = [_difference(drawn_in[start:cut], drawn_in[cut:end]) for start, cut, end in triples]
        tests = np.array([_tests(end - start)[1].size for start, _, end in triples])
        corrected = np.minimum(tests * _student(drawn_in, *_columns(triples))[1], 1.0).tolist()
        welch = [chance(step, 0.0) for step in steps]
        doubtful = [
            index
            for index, step in enumerate(steps)
            if max(corrected[index], welch[index]) > FALSE_ALARMS or abs(step.log) <= math.log1p(margin)
        ]
        if not doubtful:
            return tuple(
                ChangePoint(index=cut, ratio=step.interval(), p=p)
                for cut, step, p in zip(cuts, steps, corrected, strict=True)
            )
        del cuts[max(doubtful, key=welch.__getitem__)]
    return ()


@functools.lru_cache(maxsize=32)
def _tests(n: int) -> tuple[_Ints, _Ints, _Ints]:
    """Return start, split and end of every test of `n` values (intervals as in the paper's definition 1)."""
    intervals: dict[tuple[int, int], None] = {}
    length = float(n)
    while length >= 2 * MIN_RUNS:
        count = 2 * math.ceil(n / length - _ROUNDING) - 1
        shift = (n - length) / max(count - 1, 1)
        for number in range(count):
            start, end = number * shift, number * shift + length
            intervals[math.floor(start + _ROUNDING), min(math.ceil(end - _ROUNDING), n)] = None
        length *= _DECAY
    return _columns(
        [(start, cut, end) for start, end in intervals for cut in range(start + MIN_RUNS, end - MIN_RUNS + 1)]
    )


def _columns(triples: Sequence[tuple[int, int, int]]) -> tuple[_Ints, _Ints, _Ints]:
    starts, cuts, ends = np.array(triples, dtype=np.int64).reshape(-1, 3).T
    return starts, cuts, ends


def _student(log: _Floats, starts: _Ints, cuts: _Ints, ends: _Ints) -> tuple[_Floats, _Floats]:
    """Return the difference of the means on both sides of each split, and its two-sided p-value."""
    from scipy.special import stdtr  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    centred = log - log.mean()  # keeps the sums small, and with them their rounding error
    sums, squares = (np.concatenate([[0.0], np.cumsum(series)]) for series in (centred, centred**2))
    before, after = cuts - starts, ends - cuts
    old, new = (sums[cuts] - sums[starts]) / before, (sums[ends] - sums[cuts]) / after
    degrees = ends - starts - 2
    variance = (squares[ends] - squares[starts] - before * old**2 - after * new**2) / degrees
    error = np.sqrt(np.maximum(variance, _FINEST**2) * (1 / before + 1 / after))
    return new - old, 2 * stdtr(degrees, -np.abs(new - old) / error)


def _difference(before: _Floats, after: _Floats) -> Difference:
    """Return Welch's difference of the means, for values that may have no variance (see `_FINEST`)."""
    old, new = (max(float(side.var(ddof=1)), _FINEST**2) / side.size for side in (before, after))
    degrees = (old + new) ** 2 / (old**2 / (before.size - 1) + new**2 / (after.size - 1))
    return Difference(log=float(after.mean() - before.mean()), error=math.sqrt(old + new), degrees=degrees)


def _drawn_in(log: _Floats) -> _Floats:
    if log.size < _TELLING:
        return log
    centre = np.median(log)
    scale = MAD_TO_SD * float(np.median(np.abs(log - centre)))
    return np.clip(log, centre - _CLIP * scale, centre + _CLIP * scale) if scale > 0 else log
