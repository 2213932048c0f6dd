"""Combine the replicates of each case of a run: a value of each metric, its interval, or the reason of a null."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain, compress
from typing import Final, NamedTuple

import numpy as np

from results.metrics.breakeven import REACHES, SLOWER, STEP_COLUMNS, BreakEvens
from results.metrics.reasons import flags_of_rows
from results.metrics.values import ENDS, Measures
from results.schema.lines.record import Record
from results.schema.metrics import BOUNDS, METRICS
from results.statistics import intervals
from results.statistics.segments import Floats, Segments

NUMBERS: Final = (*METRICS, *BOUNDS)

_FEW: Final = f"fewer than {intervals.TURNS_FOR_INTERVAL} steady turns"
_SINGLE: Final = "a single replicate has both times"
_APART: Final = "both times were measured apart"
_ITSELF: Final = {"speedup": "it is the baseline", "relative": "it is the reference"}
_NEVER: Final = (SLOWER, REACHES, REACHES, SLOWER)
"""The reason of each of `breakeven.STEP_COLUMNS` that is never reached."""


class NoBreakEven(NamedTuple):
    """Why a compiled case has no break-even."""

    reason: str | None
    never: tuple[bool, ...]
    """Which of `breakeven.STEP_COLUMNS` are never reached."""


def combined(records: Sequence[Record], measures: Measures, counted: Sequence[Sequence[int]]) -> dict[str, Floats]:
    """Return for each of `NUMBERS` an array with an entry a case, NaN for a missing value.

    Args:
        records: the records of a run.
        measures: their metrics.
        counted: for each case, the indices of the records that count: at least one index.
    """
    firsts = np.array([indices[0] for indices in counted], dtype=np.int64)
    numbers = {name: measures.values[name][firsts] for name in METRICS}
    numbers |= {name: np.full(len(counted), np.nan) for name in BOUNDS}
    numbers |= {end: measures.values[end][firsts] for ends in ENDS.values() for end in ends}
    # Values of a single process stay as they are.
    rows = [row for row, indices in enumerate(counted) if len(indices) > 1]
    if rows:
        several = np.fromiter(chain.from_iterable(counted[row] for row in rows), np.int64)
        series = Segments(np.array([len(counted[row]) for row in rows]))
        for name in METRICS:
            numbers[name][rows] = _combined(name, measures.values[name][several], series)
        for name, ends in ENDS.items():
            across = _across(name, measures.values[name][several], series)
            own = measures.against[name].itself[firsts[rows]] if name in measures.against else False
            for end, column in zip(ends, across[1:], strict=True):
                numbers[end][rows] = np.where(own, np.nan, column)  # the ratio to itself is 1 by definition
    for row, (first, *_) in enumerate(counted):
        summary = records[first].summary
        if summary is not None:
            for name, value in summary.bounds.items():
                numbers[name][row] = value
    return numbers


def _across(name: str, values: Floats, series: Segments) -> intervals.Intervals:
    """Return the geometric mean of a metric over the replicates of each case, with its interval."""
    if METRICS[name].combine != "paired":
        return intervals.intervals_across(values, series)
    known = ~np.isnan(values)
    counts = series.sums(known.astype(np.float64)).astype(np.int64)
    ends = np.full((3, counts.size), np.nan)
    if known.any():
        some = Segments(counts[counts > 0])
        ends[:, counts > 0] = intervals.intervals_across(values[known], some)
        ends[0, counts > 0] = some.geometric_means(values[known])
    return intervals.Intervals(*ends)


def _combined(name: str, values: Floats, series: Segments) -> Floats:
    """Return a value of the metric for each case, combined over its replicates."""
    combine = METRICS[name].combine
    if combine == "known":
        return series.known_medians(values)
    if combine == "worst":
        return np.fmax.reduceat(values, series.starts)
    if combine == "paired":
        return _across(name, values, series).value
    largest = np.maximum.reduceat(values, series.starts)  # NaN where any replicate has NaN
    match combine:
        case "geometric":
            least = np.minimum.reduceat(values, series.starts)  # the geometric mean of [0, …] is 0
            positive = np.maximum(values, np.finfo(np.float64).tiny)
            several = np.where(least > 0, series.geometric_means(positive), least)
        case "median":
            several = series.medians(values)
        case "max":
            several = largest
        case "same" | "run":
            several = values[series.starts]
    return np.where(np.isnan(largest), np.nan, several)


def add_break_evens(
    values: Mapping[str, Floats], break_evens: BreakEvens, imported: Collection[int]
) -> list[NoBreakEven | None]:
    """Write break-evens into `values`, and return why cases lack them; None for cases without an eager twin.

    Args:
        values: the result of `combined`; steps that are never reached become NaN.
        break_evens: the break-even of the compiled cases.
        imported: rows of imported cases, which keep the values of their source.
    """
    own = np.array([row not in imported for row in break_evens.rows], dtype=bool)
    rows = np.array(break_evens.rows, dtype=np.int64)[own]
    columns = (break_evens.cold.value, break_evens.cold.low, break_evens.cold.high, break_evens.warm.value)
    for name, column in zip(STEP_COLUMNS, columns, strict=True):
        values[name][rows] = np.where(np.isinf(column), np.nan, column)[own]
    lacking: list[NoBreakEven | None] = [None] * len(values[STEP_COLUMNS[0]])
    nevers = zip(*(np.isinf(column).tolist() for column in columns), strict=True)
    for row, reason, never in zip(break_evens.rows, break_evens.reasons, nevers, strict=True):
        lacking[row] = NoBreakEven(reason, never)
    return lacking


def nulls(
    records: Sequence[Record],
    measures: Measures,
    counted: Sequence[Sequence[int]],
    values: Mapping[str, Floats],
    break_evens: Sequence[NoBreakEven | None],
    verdicts: Sequence[str | None],
) -> list[dict[str, str]]:
    """Return the reasons of the missing numbers of each case, by column.

    Cases that lack the same numbers for the same reasons share a dict, which callers must not change.

    Args:
        records: the records of a run.
        measures: their metrics.
        counted: the indices of each case's records.
        values: the result of `combined`, with break-evens.
        break_evens: the result of `add_break_evens`.
        verdicts: the verdict on the result of each case.
    """
    absent = flags_of_rows(np.isnan(np.array([values[name] for name in NUMBERS])).T)
    unbounded = _unbounded(measures, counted, values)
    by_kind: dict[tuple[object, ...], dict[str, str]] = {}
    cases = []
    columns = zip(counted, absent, break_evens, verdicts, *unbounded.values(), strict=True)
    for indices, lacking, break_even, verdict, *without in columns:
        first = records[indices[0]]
        if first.summary is not None:
            cases.append(measures.reasons[indices[0]] | first.nulls)  # the reasons that its source states
            continue
        # All facts that determine the reasons.
        kind = (
            lacking,
            *without,
            break_even,
            verdict is None,
            *[measures.reasons.kinds[index] for index in indices],
        )
        reasons = by_kind.get(kind)
        if reasons is None:
            of_records: dict[str, str] = {}
            for index in reversed(indices):  # the first record that lacks a metric says why
                of_records |= measures.reasons[index]
            ends = dict(zip(unbounded, without, strict=True))
            reasons = by_kind[kind] = _reasons(list(compress(NUMBERS, lacking)), of_records, break_even, ends)
            if verdict is None:
                reasons["equality"] = reasons.get("equality_error", "no replicate that came to its end was checked")
        cases.append(reasons)
    return cases


def _unbounded(
    measures: Measures, counted: Sequence[Sequence[int]], values: Mapping[str, Floats]
) -> dict[str, list[str]]:
    """Return for each metric that compares records why each case has no bounds; it matters only where it has none."""
    reasons: dict[str, list[str]] = {}
    for name, against in measures.against.items():
        reasons[name] = [_FEW] * len(counted)
        for row in np.flatnonzero(np.isnan(values[ENDS[name][0]])).tolist():
            first = counted[row][0]
            if against.itself[first]:
                reasons[name][row] = _ITSELF[name]
            elif len(counted[row]) > 1:
                reasons[name][row] = _SINGLE
            elif against.apart[first]:
                reasons[name][row] = _APART
    return reasons


def _reasons(
    names: Sequence[str],
    of_records: Mapping[str, str],
    break_even: NoBreakEven | None,
    unbounded: Mapping[str, str],
) -> dict[str, str]:
    """Return why the numbers `names` of one case are null, from the reasons of its records and the missing bounds."""
    reasons = {name: of_records[name] for name in names if name in METRICS}
    for name, ends in ENDS.items():
        reasons |= {end: reasons.get(name, unbounded.get(name, _FEW)) for end in ends if end in names}
    if break_even is None:
        return reasons | {name: of_records[STEP_COLUMNS[0]] for name in names if name in STEP_COLUMNS}
    usual = (
        break_even.reason,
        break_even.reason or _FEW,
        break_even.reason or _FEW,
        break_even.reason or of_records.get("warm_compile_s"),
    )
    for name, reason, is_never, never in zip(STEP_COLUMNS, usual, break_even.never, _NEVER, strict=True):
        if name in names:
            reasons[name] = never if is_never else reason or "not known"
    return reasons
