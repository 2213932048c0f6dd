"""What the samples of records tell, without anything else of the record: all records at once, as numpy is fast then.

`results.metrics.values` makes metrics of it, `results.metrics.warnings` checks.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from results.schema.record import Record, Samples
from results.statistics import intervals
from results.statistics.segments import Flags, Floats, Segments, Whole

QUANTILES: Final = (0.50, 0.90, 0.95, 0.99)
PHASES: Final = ("forward_s", "backward_s", "optimizer_s")
_AT_ONCE: Final = 2048
"""Records that are computed together: enough for numpy, and arrays that its cache holds."""


class Medians(NamedTuple):
    """What the samples of some records tell at least: arrays of one entry a record, NaN where there is none."""

    clock_step_s: Floats
    """Median over the turns, warm-up included, of their mean step."""
    clock_wall_s: Floats
    """Median over the turns, warm-up included, of their wall seconds a step."""
    latency_s: Floats
    """Median of the steady steps."""
    forward_s: Floats
    """Median over the steady steps of this part, where steps were split (training)."""
    backward_s: Floats
    optimizer_s: Floats
    phases: Floats
    """Median over the steps, warm-up included, of what the three parts add up to, as a share of the step."""


class Spread(NamedTuple):
    """What they tell of certainty, and beside their baselines: arrays as in `Medians`."""

    latency_low_s: Floats
    """The interval of the median over the steady turns, drawn around the median step: turns weigh alike in the interval
    and steps alike in the median, so its relative width is kept. Too few turns have none."""
    latency_high_s: Floats
    effective: Floats
    """How many independent steps the steady steps are worth."""
    p50_s: Floats
    """One of `QUANTILES`, where the steps can bound it."""
    p90_s: Floats
    p95_s: Floats
    p99_s: Floats
    speedup: Floats
    """Median over the steady turns of the baseline's median step over the own one, where a baseline ran beside them."""
    speedup_low: Floats
    """Too few turns have no interval."""
    speedup_high: Floats


def medians(records: Sequence[Record]) -> Medians:
    """Return what the samples of each record tell at least: O(n log m) for n series of m steps."""
    found = np.full((len(Medians._fields), len(records)), np.nan)
    for start, samples in _parts(records):
        _fill(found[:, start : start + _AT_ONCE], None, samples)
    return Medians(*found)


def timings(records: Sequence[Record]) -> tuple[Medians, Spread]:
    """Return all that the samples of each record tell: O(n log m) for n series of m steps."""
    typical, spread = (np.full((len(kind._fields), len(records)), np.nan) for kind in (Medians, Spread))
    for start, samples in _parts(records):
        _fill(typical[:, start : start + _AT_ONCE], spread[:, start : start + _AT_ONCE], samples)
    return Medians(*typical), Spread(*spread)


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


def _fill(typical: Floats, spread: Floats | None, samples: Sequence[Samples | None]) -> None:
    """Write what `samples` tell into rows, one for each field of `Medians` and, where it is wanted, of `Spread`."""
    places = np.array([place for place, one in enumerate(samples) if one is not None and one.step_s], dtype=np.int64)
    if not places.size:
        return
    series = [one for one in samples if one is not None and one.step_s]
    counts = np.array([len(one.step_s) for one in series])
    steps = _flat([one.step_s for one in series], counts, np.float64)
    turn = _flat([one.turn for one in series], counts, np.int64)
    whole = _turns(steps, turn, counts)
    typical[:2, places] = _clocks(whole, series)
    warmups = np.array([one.warmup for one in series])
    warm = np.arange(len(steps)) - whole.of_record.each(whole.of_record.starts) >= whole.of_record.each(warmups)
    if any(one.forward_s or one.backward_s or one.optimizer_s for one in series):
        typical[3:, places] = _phases(whole, warm, series)
    left = np.maximum(counts - warmups, 0)
    some = left > 0
    if some.any():
        segments = Segments(left[some])
        ordered = segments.ordered(steps[warm])
        typical[2, places[some]] = latency = segments.middles(ordered)
        if spread is not None:
            steady = [one for one, any_left in zip(series, some.tolist(), strict=True) if any_left]
            turns = _turns(steps[warm], turn[warm], left[some])
            spread[:, places[some]] = _spread(turns, steady, ordered, latency)


def _turns(steps: Floats, turn: Whole, counts: Whole) -> _Turns:
    """Return the turns of series of `counts` steps, none of which is empty, from the turn of each step."""
    of_record = Segments(counts)
    begins = np.append(True, turn[1:] != turn[:-1])
    begins[of_record.starts] = True
    places = np.flatnonzero(begins)
    return _Turns(
        steps=steps,
        of_record=of_record,
        of_turn=Segments(np.diff(np.append(places, len(steps)))),
        turns=Segments(np.add.reduceat(begins.astype(np.int64), of_record.starts)),
        index=turn[places],
    )


def _flat(series: Sequence[Sequence[Any]], counts: Whole, kind: type) -> Any:
    """Return all series end to end; None is NaN."""
    try:
        return np.fromiter(chain.from_iterable(series), kind, int(counts.sum()))
    except TypeError:  # a None; rare, so no number is asked whether it is one
        known = (math.nan if value is None else value for one in series for value in one)
        return np.fromiter(known, kind, int(counts.sum()))


def _of_turns(series: Sequence[Sequence[Any]], found: _Turns) -> Floats:
    """Return the value of each turn from one series a record, which is empty or has an entry for every turn."""
    lengths = np.array([len(one) for one in series])
    values: Floats = _flat(series, lengths, np.float64)
    there = found.turns.each(lengths) > 0
    places = found.turns.each(np.cumsum(lengths) - lengths) + found.index
    picked = np.full(len(places), np.nan)
    picked[there] = values[places[there]]
    return picked


def _clocks(found: _Turns, series: Sequence[Samples]) -> tuple[Floats, Floats]:
    means = found.of_turn.sums(found.steps) / found.of_turn.counts
    walls = _of_turns([one.wall_s for one in series], found)
    return found.turns.medians(means), found.turns.medians(walls)


def _spread(found: _Turns, series: Sequence[Samples], ordered: Floats, latency: Floats) -> tuple[Floats, ...]:
    """Return the fields of `Spread` from the steady steps, which are there in rising order too, and their median."""
    effective = intervals.effectives(found.steps, found.of_record)
    per_turn = found.of_turn.medians(found.steps)
    interval = intervals.median_intervals(per_turn, found.turns)
    return (
        latency * (interval.low / interval.value),
        latency * (interval.high / interval.value),
        effective,
        *_quantiles(ordered, found, effective),
        *_speedups(series, found, per_turn),
    )


def _quantiles(ordered: Floats, found: _Turns, effective: Floats) -> list[Floats]:
    sizes, place = np.unique(effective.astype(np.int64), return_inverse=True)
    values = []
    for q in QUANTILES:
        bounded: Flags = np.array([intervals.bounding_ranks(size, q) is not None for size in sizes.tolist()])
        values.append(np.where(bounded[place], found.of_record.quantiles(ordered, q), np.nan))
    return values


def _speedups(series: Sequence[Samples], found: _Turns, per_turn: Floats) -> Floats:
    rows = np.full((3, len(series)), np.nan)
    ratios = _of_turns([one.baseline_s for one in series], found) / per_turn
    kept = ~np.isnan(ratios)
    counts = np.add.reduceat(kept.astype(np.int64), found.turns.starts)
    beside = counts > 0
    if beside.any():
        ratios, turns = ratios[kept], Segments(counts[beside])
        interval = intervals.median_intervals(ratios, turns)
        rows[:, beside] = interval
        few = np.isnan(interval.value)
        if few.any():
            rows[0, np.flatnonzero(beside)[few]] = turns.medians(ratios)[few]
    return rows


def _phases(found: _Turns, warm: Flags, series: Sequence[Samples]) -> Floats:
    rows = np.full((len(PHASES) + 1, len(series)), np.nan)
    total = np.zeros(len(found.steps))
    for place, name in enumerate(PHASES):
        parts = [getattr(one, name) for one in series]
        counts = np.array([len(one) for one in parts])
        values = np.full(len(found.steps), np.nan)
        values[found.of_record.each(counts) > 0] = _flat(parts, counts, np.float64)
        rows[place] = found.of_record.known_medians(np.where(warm, values, np.nan))
        total += values
    rows[-1] = found.of_record.known_medians(total / found.steps)
    return rows
