"""Medians, intervals and quantiles of the samples of records, of all records at once for numpy's speed.

`results.metrics.values` turns them into metrics, and `results.metrics.warnings` looks for implausible values.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from results.schema.labels import TASKS
from results.schema.lines.record import Record, Samples
from results.statistics import intervals
from results.statistics.segments import Flags, Floats, Segments, Whole

QUANTILES: Final = (0.50, 0.90, 0.95, 0.99)
PHASES: Final = tuple(f"{phase}_s" for task in TASKS.values() for phase in task.phases)
_AT_ONCE: Final = 2048
"""Records that are computed together: enough for numpy's speed, with arrays that fit in the cache."""


class Medians(NamedTuple):
    """Medians of the samples of some records: arrays with an entry a record, NaN for a missing value."""

    clock_step_s: Floats
    """Median over the turns, warm-up included, of their mean step."""
    clock_wall_s: Floats
    """Median over the turns, warm-up included, of their wall seconds a step."""
    latency_s: Floats
    """Median of the steady steps."""
    forward_s: Floats
    """Median of this part over the steady steps, where steps were split (training)."""
    backward_s: Floats
    optimizer_s: Floats
    phases: Floats
    """Median over the steps, warm-up included, of the sum of the three parts as a share of the step."""


class Spread(NamedTuple):
    """Intervals and quantiles of the same samples: arrays as in `Medians`."""

    latency_low_s: Floats
    """Interval of the median over the steady turns, rescaled to be centred on the median over the steps. NaN where the
    turns are too few."""
    latency_high_s: Floats
    effective: Floats
    """Effective number of independent steady steps."""
    p50_s: Floats
    """Each quantile of `QUANTILES`, where the steps can bound it."""
    p90_s: Floats
    p95_s: Floats
    p99_s: Floats


class SteadyTurns(NamedTuple):
    """The turns of some records after warm-up: arrays with an entry a turn."""

    record: Whole
    """Index of the record."""
    turn: Whole
    """Index of the turn in its record."""
    step_s: Floats
    """Median of its steady steps."""

    def chosen(self, flags: Flags) -> "SteadyTurns":
        """Return the turns with a flag."""
        return SteadyTurns(self.record[flags], self.turn[flags], self.step_s[flags])


def medians(records: Sequence[Record]) -> Medians:
    """Return the medians of the samples of each record: O(n log m) for n series of m steps."""
    rows = np.full((len(Medians._fields), len(records)), np.nan)
    for start, samples in _parts(records):
        _fill(rows[:, start : start + _AT_ONCE], None, samples)
    return Medians(*rows)


def timings(records: Sequence[Record]) -> tuple[Medians, Spread, SteadyTurns]:
    """Return all statistics of the samples of each record: O(n log m) for n series of m steps."""
    typical, spread = (np.full((len(kind._fields), len(records)), np.nan) for kind in (Medians, Spread))
    steady = [SteadyTurns(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for start, samples in _parts(records):
        turns = _fill(typical[:, start : start + _AT_ONCE], spread[:, start : start + _AT_ONCE], samples)
        if turns is not None:
            steady.append(turns._replace(record=turns.record + start))
    return Medians(*typical), Spread(*spread), SteadyTurns(*map(np.concatenate, zip(*steady, strict=True)))


def end_to_end(series: Sequence[Sequence[Any]], counts: Whole, kind: type) -> Any:
    """Return all series end to end; None is NaN."""
    try:
        return np.fromiter(chain.from_iterable(series), kind, int(counts.sum()))
    except TypeError:  # a None, which is rare: the numbers are not checked for it
        known = (math.nan if value is None else value for values in series for value in values)
        return np.fromiter(known, kind, int(counts.sum()))


def _parts(records: Sequence[Record]) -> Iterator[tuple[int, list[Samples | None]]]:
    for start in range(0, len(records), _AT_ONCE):
        yield start, [record.samples for record in records[start : start + _AT_ONCE]]


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


def _fill(typical: Floats, spread: Floats | None, samples: Sequence[Samples | None]) -> SteadyTurns | None:
    """Write statistics of `samples` into rows: a row for each field of `Medians` and, where given, of `Spread`.

    Return the steady turns where `spread` is given and there are any.
    """
    indices = np.array(
        [index for index, record in enumerate(samples) if record is not None and record.step_s], dtype=np.int64
    )
    if not indices.size:
        return None
    series = [record for record in samples if record is not None and record.step_s]
    counts = np.array([len(record.step_s) for record in series])
    steps = end_to_end([record.step_s for record in series], counts, np.float64)
    turn = end_to_end([record.turn for record in series], counts, np.int64)
    whole = _turns(steps, turn, counts)
    typical[:2, indices] = _clocks(whole, series)
    warmups = np.array([record.warmup for record in series])
    warm = np.arange(len(steps)) - whole.of_record.each(whole.of_record.starts) >= whole.of_record.each(warmups)
    if any(getattr(record, phase) for record in series for phase in PHASES):
        typical[3:, indices] = _phases(whole, warm, series)
    left = np.maximum(counts - warmups, 0)
    has_steady = left > 0
    if has_steady.any():
        segments = Segments(left[has_steady])
        ordered = segments.ordered(steps[warm])
        typical[2, indices[has_steady]] = latency = segments.middles(ordered)
        if spread is not None:
            turns = _turns(steps[warm], turn[warm], left[has_steady])
            per_turn = turns.of_turn.medians(turns.steps)
            spread[:, indices[has_steady]] = _spread(turns, per_turn, ordered, latency)
            return SteadyTurns(turns.turns.each(indices[has_steady]), turns.index, per_turn)
    return None


def _turns(steps: Floats, turn: Whole, counts: Whole) -> _Turns:
    """Return the turns of series of `counts` steps (at least 1), from the turn of each step."""
    of_record = Segments(counts)
    begins = np.append(True, turn[1:] != turn[:-1])
    begins[of_record.starts] = True
    starts = np.flatnonzero(begins)
    return _Turns(
        steps=steps,
        of_record=of_record,
        of_turn=Segments(np.diff(np.append(starts, len(steps)))),
        turns=Segments(np.add.reduceat(begins.astype(np.int64), of_record.starts)),
        index=turn[starts],
    )


def _of_turns(series: Sequence[Sequence[Any]], turns: _Turns) -> Floats:
    """Return the value of each turn, from the series of each record, which is empty or has an entry a turn."""
    lengths = np.array([len(values) for values in series])
    flat: Floats = end_to_end(series, lengths, np.float64)
    present = turns.turns.each(lengths) > 0
    indices = turns.turns.each(np.cumsum(lengths) - lengths) + turns.index
    values = np.full(len(indices), np.nan)
    values[present] = flat[indices[present]]
    return values


def _clocks(turns: _Turns, series: Sequence[Samples]) -> tuple[Floats, Floats]:
    means = turns.of_turn.sums(turns.steps) / turns.of_turn.counts
    walls = _of_turns([record.wall_s for record in series], turns)
    return turns.turns.medians(means), turns.turns.medians(walls)


def _spread(turns: _Turns, per_turn: Floats, ordered: Floats, latency: Floats) -> tuple[Floats, ...]:
    """Return the fields of `Spread`.

    Args:
        turns: the steady turns.
        per_turn: the median step of each turn.
        ordered: the steady steps of each record in rising order.
        latency: the median steady step of each record.
    """
    effective = intervals.effectives(turns.steps, turns.of_record)
    interval = intervals.median_intervals(per_turn, turns.turns)
    return (
        latency * (interval.low / interval.value),
        latency * (interval.high / interval.value),
        effective,
        *_quantiles(ordered, turns, effective),
    )


def _quantiles(ordered: Floats, turns: _Turns, effective: Floats) -> list[Floats]:
    sizes, size_of = np.unique(effective.astype(np.int64), return_inverse=True)
    values = []
    for q in QUANTILES:
        bounded: Flags = np.array([intervals.bounding_ranks(size, q) is not None for size in sizes.tolist()])
        values.append(np.where(bounded[size_of], turns.of_record.quantiles(ordered, q), np.nan))
    return values


def _phases(turns: _Turns, warm: Flags, series: Sequence[Samples]) -> Floats:
    rows = np.full((len(PHASES) + 1, len(series)), np.nan)
    total = np.zeros(len(turns.steps))
    for row, name in enumerate(PHASES):
        parts = [getattr(record, name) for record in series]
        counts = np.array([len(part) for part in parts])
        values = np.full(len(turns.steps), np.nan)
        values[turns.of_record.each(counts) > 0] = end_to_end(parts, counts, np.float64)
        rows[row] = turns.of_record.known_medians(np.where(warm, values, np.nan))
        total += values
    rows[-1] = turns.of_record.known_medians(total / turns.steps)
    return rows
