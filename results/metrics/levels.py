"""The level of each record: its time, free of the drift which it shares with the records that were timed with it.

Records that took turns with one another are a field. Only levels of the same field can be subtracted; their differences
are known far better than the times themselves. `results.statistics.drift` has the model.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from results.metrics.timings import SteadyTurns, end_to_end, timings
from results.schema.lines.record import Record, Samples
from results.statistics import intervals
from results.statistics.drift import Turns, fit
from results.statistics.segments import Flags, Floats, Segments, Whole

ALONE: Final = -1
"""The field of a record that was not timed together with others."""


Indices = Sequence[int] | Whole


class Levels(NamedTuple):
    """The levels of some records: arrays with an entry a record."""

    level: Floats
    """Logarithm of the seconds of a step, up to a constant that the field shares; NaN where it is unknown."""
    half: Floats
    """Half-width of its 95 % interval within the process, NaN where the steady turns are too few."""
    field: Whole
    """The field of the record, from 0, or `ALONE`."""


def levels(
    records: Sequence[Record], names: Sequence[Hashable] | None = None, steady: SteadyTurns | None = None
) -> Levels:
    """Return the level of each record of a run that has steady turns and the status ``ok``.

    A field holds the records of a replicate that shared parts on a device, directly or through other records; two
    devices have no common drift. Several records of a case in a replicate count as a single case. In files of the
    schemas 1 to 4, a record knows the turns of its baseline (or of arm a) in the same rounds: its level is relative to
    these, and the level of the baseline is 0.

    Args:
        records: the records of a run, or of a pair of arms.
        names: the name of each record's case; by default the case itself.
        steady: their steady turns, where `results.metrics.timings.timings` has computed them already.
    """
    level, half = np.full((2, len(records)), np.nan)
    whole = Levels(level, half, np.full(len(records), ALONE, dtype=np.int64))
    steady = timings(records)[2] if steady is None else steady
    names = [record.case for record in records] if names is None else names
    for add, linked in ((_add_timed, _timed), (_add_paired, _paired)):
        flags = np.array([record.status == "ok" and linked(record.samples) for record in records], dtype=bool)
        chosen = flags[steady.record]
        if chosen.any():
            add(whole, records, names, steady.chosen(chosen))
    return whole


def _timed(samples: Samples | None) -> bool:
    return samples is not None and len(samples.at_s) > 0


def _paired(samples: Samples | None) -> bool:
    return samples is not None and len(_partner_s(samples)) > 0


def _partner_s(samples: Samples) -> tuple[float | None, ...]:
    """Return the turns of the baseline, or of arm a, that files of the schemas 1 to 4 hold."""
    return samples.baseline_s or samples.arm_s


def _add_timed(whole: Levels, records: Sequence[Record], names: Sequence[Hashable], steady: SteadyTurns) -> None:
    """Write the levels of records whose turns have times and parts."""
    turns = _runs(steady.record)
    rows = steady.record[turns.starts].tolist()
    samples = [records[row].samples for row in rows]
    at_s, part = (
        _of_turns([getattr(series, link) for series in samples], turns, steady.turn) for link in ("at_s", "part")
    )
    # A record is mostly in a single part: numbers are made for stretches of turns.
    stretches = _runs(steady.record, part)
    row = turns.each(np.arange(len(rows)))[stretches.starts]
    replicate = np.array([records[row].replicate for row in rows])[row]
    case = _numbered((names[row], records[row].replicate) for row in rows)[row]
    device = _numbered(records[row].case.device for row in rows)[row]
    parts = _numbered(zip(replicate.tolist(), device.tolist(), part[stretches.starts].tolist(), strict=True))
    field = _components(case, parts)
    series, parts = (_in_order(field, numbers) for numbers in (case, parts))
    log = np.log(steady.step_s)
    level, drift = fit(Turns(log, at_s, *(stretches.each(numbers) for numbers in (series, parts, field))))
    whole.level[steady.record[stretches.starts]] = level[series]
    whole.field[steady.record[stretches.starts]] = field
    whole.half[rows] = _halves(log - drift, turns)


def _add_paired(whole: Levels, records: Sequence[Record], names: Sequence[Hashable], steady: SteadyTurns) -> None:
    """Write the levels of records that hold the turns of their partner (baseline or arm a), and those of partners."""
    turns = _runs(steady.record)
    series = [records[row].samples for row in steady.record[turns.starts].tolist()]
    partner_s = _of_turns([_partner_s(samples) for samples in series if samples is not None], turns, steady.turn)
    shared = ~np.isnan(partner_s)
    if not shared.any():
        return
    turns = _runs(steady.record[shared])
    rows = steady.record[shared][turns.starts]
    pair, at = turns.each(np.arange(len(rows))), steady.turn[shared].astype(np.float64)
    log = np.log(np.array([steady.step_s[shared], partner_s[shared]]))
    level, drift = fit(Turns(log.ravel(), np.tile(at, 2), np.append(2 * pair, 2 * pair + 1), *np.tile(pair, (2, 2))))
    own, partner = (_halves(rest, turns) for rest in log - drift.reshape(2, -1))
    whole.level[rows], whole.half[rows] = level[::2] - level[1::2], np.hypot(own, partner)
    groups = [(_partner(records[row], names), records[row].replicate) for row in rows.tolist()]
    fields = whole.field.max() + 1 + _numbered(groups)
    whole.field[rows] = fields
    group_fields = dict(zip(groups, fields.tolist(), strict=True))
    for index, record in enumerate(records):
        field = group_fields.get((names[index], record.replicate))
        if field is not None and whole.field[index] == ALONE:
            whole.level[index], whole.half[index], whole.field[index] = 0.0, 0.0, field


def _partner(record: Record, names: Sequence[Hashable]) -> Hashable:
    """Return the name of the case whose turns a record holds."""
    return names[0] if record.samples is not None and record.samples.arm_s else record.case.baseline


def _runs(*columns: Whole | Floats) -> Segments:
    """Return the stretches in which all columns stay the same."""
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return Segments(np.diff(np.flatnonzero(np.concatenate([[True], changes, [True]]))))


def _of_turns(series: Sequence[Sequence[Any]], turns: Segments, index: Whole) -> Floats:
    """Return the value of each turn from the values of its record, in the order of all turns; NaN for None."""
    lengths = np.array([len(values) for values in series])
    flat: Floats = end_to_end(series, lengths, np.float64)
    return np.asarray(flat[turns.each(np.cumsum(lengths) - lengths) + index])


def _numbered(keys: Iterable[Hashable]) -> Whole:
    """Return a number from 0 for each key, the same for equal keys."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _in_order(field: Whole, numbers: Whole) -> Whole:
    """Return other numbers from 0 for the same things, field by field."""
    return np.unique(field * (numbers.max() + 1) + numbers, return_inverse=True)[1]


def _components(case: Whole, part: Whole) -> Whole:
    """Return the fields of pairs of a case and a part, from 0: fields are connected by common cases and parts."""
    field = np.arange(int(part.max()) + 1)
    while True:
        of_case = np.full(int(case.max()) + 1, field.size)
        np.minimum.at(of_case, case, field[part])
        least = field.copy()
        np.minimum.at(least, part, of_case[case])
        if np.array_equal(least, field):
            return np.unique(field[part], return_inverse=True)[1]
        field = least


def _halves(logs: Floats, series: Segments) -> Floats:
    """Return the half-width of the interval of each series of logs, NaN where its turns are too few."""
    ends = intervals.median_intervals(np.exp(logs), series)
    return np.asarray(np.log(ends.high / ends.low) / 2)


def log_ratios(levels: Levels, latencies: Floats, before: Indices, after: Indices) -> Floats:
    """Return the logarithm of the speed of records `after` over records `before`, NaN where a time is unknown.

    Where two records share no field, their times were measured apart: the ratio of their latencies holds the drift of
    the machine between them.

    Args:
        levels: the levels of all records of a run.
        latencies: their metric ``latency_s``.
        before: indices of records.
        after: indices of as many other records.
    """
    slower, faster, together = _sides(levels, before, after)
    times = np.log(np.where(latencies > 0, latencies, np.nan))  # an imported time may be 0
    return np.where(together, levels.level[slower] - levels.level[faster], times[slower] - times[faster])


def ratios(
    levels: Levels, latencies: Floats, before: Indices, after: Indices, counts: Sequence[int]
) -> intervals.Intervals:
    """Return the speed of the cases `after` over the cases `before`.

    Replicates are paired: the value is the geometric mean of their ratios, with the t-interval across them. A single
    replicate has the interval within its process, in which the widths of both levels add in squares; it has none where
    its records were measured apart.

    Args:
        levels: the levels of all records of a run.
        latencies: their metric ``latency_s``.
        before: indices of records of the slower cases; the replicates of a case follow one another.
        after: indices of records of the faster cases, of the same replicates as in `before`.
        counts: the number of replicates of each case.
    """
    if not counts:
        return intervals.Intervals(*np.empty((3, 0)))
    series = Segments(np.array(counts))
    speed = np.exp(log_ratios(levels, latencies, before, after))
    across = intervals.intervals_across(speed, series)
    first = speed[series.starts]
    spread = np.exp(halves(levels, before, after))[series.starts]
    within = (first, first / spread, first * spread)
    single = series.counts == 1
    return intervals.Intervals(*(np.where(single, own, end) for own, end in zip(within, across, strict=True)))


def halves(levels: Levels, before: Indices, after: Indices) -> Floats:
    """Return the half-width of the interval within the process of each of `log_ratios`, NaN where it has none."""
    slower, faster, together = _sides(levels, before, after)
    return np.where(together, np.hypot(levels.half[slower], levels.half[faster]), np.nan)


def _sides(levels: Levels, before: Indices, after: Indices) -> tuple[Whole, Whole, Flags]:
    """Return both sides as arrays, and whether the records of each pair were timed together."""
    slower, faster = np.asarray(before, dtype=np.int64), np.asarray(after, dtype=np.int64)
    return slower, faster, (levels.field[slower] == levels.field[faster]) & (levels.field[slower] != ALONE)
