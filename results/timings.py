"""What the samples of records tell, without anything else of the record: all records at once, as numpy is fast then.

`results.metrics` makes metrics of it, `results.sanity` checks.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from results import stats
from results.schema import Record, Samples
from results.segments import Floats, Segments, Whole

QUANTILES: Final = (0.50, 0.90, 0.95, 0.99)
_AT_ONCE: Final = 4096
"""Records that are computed together: enough for numpy, and some megabytes of temporary arrays."""


class Clocks(NamedTuple):
    """The two clocks of a record, over all its turns, warm-up included."""

    step_s: float
    """Median over the turns of their mean step."""
    wall_s: float
    """Median over the turns of their wall seconds a step."""


class Steady(NamedTuple):
    """What the steady steps of a record tell. Intervals are None where too few turns give none."""

    latency_s: float
    """Median step."""
    interval: stats.Interval | None
    """Of the median over the turns."""
    worth: float
    """How many independent steps they are worth."""
    quantiles: tuple[float | None, ...]
    """Those of `QUANTILES`, None where the steps cannot bound it."""
    speedup: float | None
    """Median over the turns of the baseline's median step over the own one; None where no baseline ran beside it."""
    speedup_interval: stats.Interval | None


class Timing(NamedTuple):
    """What the samples of one record tell."""

    clocks: Clocks | None
    """None where there is no step."""
    steady: Steady | None
    """None where no step is steady."""


NOTHING: Final = Timing(None, None)
"""Of a record without samples."""


def timings(records: Sequence[Record]) -> list[Timing]:
    """Return what the samples of each record tell, in the order of the records: O(n log m) for n series of m steps."""
    found: list[Timing] = []
    for start in range(0, len(records), _AT_ONCE):
        found += _timings([record.samples for record in records[start : start + _AT_ONCE]])
    return found


def _timings(samples: Sequence[Samples | None]) -> list[Timing]:
    stepped = [one for one in samples if one is not None and one.step_s]
    steady = [one for one in stepped if one.warmup < len(one.step_s)]
    clocks, steadies = iter(_clocks(stepped)), iter(_steadies(steady))
    return [
        NOTHING
        if one is None or not one.step_s
        else Timing(next(clocks), next(steadies) if one.warmup < len(one.step_s) else None)
        for one in samples
    ]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Turns:
    """The turns of many series of steps."""

    steps: Floats
    of_record: Segments
    """The steps of each record."""
    of_turn: Segments
    """The steps of each turn."""
    turns: Segments
    """The turns of each record."""
    index: Whole
    """Each turn's own index in its record."""


def _turns(samples: Sequence[Samples], first: Sequence[int]) -> _Turns:
    """Return the turns of the steps from `first` on, at least one for each record."""
    counts = [len(one.step_s) - start for one, start in zip(samples, first, strict=True)]
    of_record = Segments(np.array(counts))
    steps = _flat((one.step_s[start:] for one, start in zip(samples, first, strict=True)), sum(counts), np.float64)
    index = _flat((one.turn[start:] for one, start in zip(samples, first, strict=True)), sum(counts), np.int64)
    begins = np.append(True, index[1:] != index[:-1])
    begins[of_record.starts] = True
    places = np.flatnonzero(begins)
    return _Turns(
        steps=steps,
        of_record=of_record,
        of_turn=Segments(np.diff(np.append(places, len(steps)))),
        turns=Segments(np.add.reduceat(begins.astype(np.int64), of_record.starts)),
        index=index[places],
    )


def _flat(series: Iterable[Sequence[Any]], count: int, kind: Any) -> Any:
    return np.fromiter(chain.from_iterable(series), kind, count)


def _of_turns(series: Sequence[Sequence[Any]], found: _Turns) -> Floats:
    """Return the value of each turn, from one series a record that has one for every turn, None is NaN."""
    lengths = np.array([len(one) for one in series])
    known = (one if None not in one else [math.nan if value is None else value for value in one] for one in series)
    values: Floats = _flat(known, int(lengths.sum()), np.float64)
    picked: Floats = values[found.turns.each(np.cumsum(lengths) - lengths) + found.index]
    return picked


def _clocks(samples: Sequence[Samples]) -> Iterator[Clocks]:
    if not samples:
        return
    found = _turns(samples, [0] * len(samples))
    means = found.of_turn.sums(found.steps) / found.of_turn.counts
    walls = _of_turns([one.wall_s for one in samples], found)
    yield from map(Clocks, *(found.turns.medians(one).tolist() for one in (means, walls)))


def _steadies(samples: Sequence[Samples]) -> Iterator[Steady]:
    if not samples:
        return
    found = _turns(samples, [one.warmup for one in samples])
    ordered = found.of_record.ordered(found.steps)
    latencies = found.of_record.middles(ordered).tolist()
    worths = stats.effectives(found.steps, found.of_record)
    medians = found.of_turn.medians(found.steps)
    intervals = stats.median_intervals(medians, found.turns)
    speedups = _speedups(samples, found, medians)
    columns = zip(latencies, intervals, worths.tolist(), _quantiles(ordered, found, worths), speedups, strict=True)
    for latency, interval, worth, quantiles, speedup in columns:
        yield Steady(latency, interval, worth, quantiles, *speedup)


def _quantiles(ordered: Floats, found: _Turns, worths: Floats) -> Iterator[tuple[float | None, ...]]:
    sizes, place = np.unique(worths.astype(np.int64), return_inverse=True)
    columns: list[list[float | None]] = []
    for q in QUANTILES:
        bounded = np.array([stats.bounding_ranks(size, q) is not None for size in sizes.tolist()])[place].tolist()
        values = found.of_record.quantiles(ordered, q).tolist()
        columns.append([value if fit else None for value, fit in zip(values, bounded, strict=True)])
    return zip(*columns, strict=True)


def _speedups(
    samples: Sequence[Samples], found: _Turns, medians: Floats
) -> Iterator[tuple[float | None, stats.Interval | None]]:
    beside = np.array([bool(one.baseline_s) for one in samples])
    baselines = _of_turns([one.baseline_s or one.wall_s for one in samples], found)
    ratios = baselines / medians
    kept = found.turns.each(beside) & ~np.isnan(ratios)
    counts = np.add.reduceat(kept.astype(np.int64), found.turns.starts)
    if not counts.any():
        return iter([(None, None)] * len(samples))
    series = Segments(counts[counts > 0])
    values = series.medians(ratios[kept]).tolist()
    pairs = zip(values, stats.median_intervals(ratios[kept], series), strict=True)
    return (next(pairs) if count else (None, None) for count in counts.tolist())
