"""The replicates of each case of a run brought together: one value of each metric, its interval, and why it is null."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain, compress
from typing import Final

import numpy as np

from results.metrics.breakeven import BreakEvens
from results.metrics.reasons import Memo, patterns
from results.metrics.values import ENDS, Measures
from results.schema.metrics import BOUNDS, METRICS
from results.schema.record import Record
from results.statistics import intervals
from results.statistics.segments import Floats, Segments

NUMBERS: Final = (*METRICS, *BOUNDS)

_FEW: Final = f"fewer than {intervals.TURNS_FOR_INTERVAL} steady turns"
_EVENS: Final = ("break_even_steps", "break_even_low", "break_even_high", "warm_break_even_steps")
_SLOWER: Final = "never: it is not faster than eager"
_REACHES: Final = "never: the interval of the ratio to eager reaches 1"
_NEVER: Final = (_SLOWER, _REACHES, _REACHES, _SLOWER)

_Even = tuple[str | None, tuple[bool, ...]]
"""Why a case has no break-even, and which of `_EVENS` are never reached."""


def combined(records: Sequence[Record], measures: Measures, picked: Sequence[Sequence[int]]) -> dict[str, Floats]:
    """Return for each of `NUMBERS` an array of one entry a case, NaN where there is none.

    Args:
        records: those of a run.
        measures: their metrics.
        picked: for each case the places of the records that count, at least one.
    """
    firsts = np.array([one[0] for one in picked], dtype=np.int64)
    found = {name: measures.values[name][firsts] for name in METRICS}
    found |= {name: np.full(len(picked), np.nan) for name in BOUNDS}
    found |= {end: measures.values[end][firsts] for ends in ENDS.values() for end in ends}
    # What a single process gave stands as it is.
    rows = [row for row, one in enumerate(picked) if len(one) > 1]
    if rows:
        places = np.fromiter(chain.from_iterable(picked[row] for row in rows), np.int64)
        series = Segments(np.array([len(picked[row]) for row in rows]))
        for name in METRICS:
            found[name][rows] = _combined(name, measures.values[name][places], series)
        baseline = np.array([records[picked[row][0]].case.is_baseline for row in rows], dtype=bool)
        for name, ends in ENDS.items():
            across = intervals.intervals_across(measures.values[name][places], series)
            for end, column in zip(ends, across[1:], strict=True):
                # The baseline's speed-up is 1 by definition.
                found[end][rows] = np.where(baseline, np.nan, column) if name == "speedup" else column
    for row, (first, *_) in enumerate(picked):
        summary = records[first].summary
        if summary is not None:
            for name, value in summary.bounds.items():
                found[name][row] = value
    return found


def _combined(name: str, values: Floats, series: Segments) -> Floats:
    """Return one value of the metric for each case, from those of all its replicates."""
    combine = METRICS[name].combine
    if combine == "known":
        return np.fmax.reduceat(values, series.starts)
    largest = np.maximum.reduceat(values, series.starts)  # NaN where any is
    match combine:
        case "geometric":
            least = np.minimum.reduceat(values, series.starts)  # a rate of no work is 0, and so is its mean
            positive = np.maximum(values, np.finfo(np.float64).tiny)
            found = np.where(least > 0, series.geometric_means(positive), least)
        case "median":
            found = series.medians(values)
        case "max":
            found = largest
        case "same" | "run":
            found = values[series.starts]
    return np.where(np.isnan(largest), np.nan, found)


def add_break_evens(values: Mapping[str, Floats], evens: BreakEvens, imported: Collection[int]) -> list[_Even | None]:
    """Write break-evens into the values of `combined`, and return what each case's tells of why there is none.

    Args:
        values: those of `combined`; steps that are never reached become NaN.
        evens: the break-even of those that have one.
        imported: the entries that keep what their source told.
    """
    own = np.array([row not in imported for row in evens.rows], dtype=bool)
    rows = np.array(evens.rows, dtype=np.int64)[own]
    columns = (evens.cold.value, evens.cold.low, evens.cold.high, evens.warm.value)
    for name, column in zip(_EVENS, columns, strict=True):
        values[name][rows] = np.where(np.isinf(column), np.nan, column)[own]
    told: list[_Even | None] = [None] * len(values["break_even_steps"])
    nevers = zip(*(np.isinf(column).tolist() for column in columns), strict=True)
    for row, reason, never in zip(evens.rows, evens.reasons, nevers, strict=True):
        told[row] = (reason, never)
    return told


def nulls(
    records: Sequence[Record],
    measures: Measures,
    picked: Sequence[Sequence[int]],
    values: Mapping[str, Floats],
    evens: Sequence[_Even | None],
    verdicts: Sequence[str | None],
    memo: Memo,
) -> list[dict[str, str]]:
    """Return why the numbers of each case are null, by the names of those that are.

    Cases that lack the same for the same reasons, as most of a run do, share one dict, which is not to be changed.

    Args:
        records: as for `combined`, and so are the next two.
        measures: their metrics.
        picked: the places of each case's records.
        values: those of `combined`, with break-evens.
        evens: those of `add_break_evens`.
        verdicts: on the results of each case.
        memo: that of the measures.
    """
    absent = np.isnan(np.array([values[name] for name in NUMBERS])).T
    known = memo.cases
    found = []
    columns = zip(picked, patterns(absent), evens, verdicts, strict=True)
    for row, (places, pattern, even, verdict) in enumerate(columns):
        first = records[places[0]]
        if first.summary is not None:
            found.append(measures.nulls[places[0]] | first.nulls)  # what its source told
            continue
        baseline = first.case.is_baseline
        key = (pattern, baseline, even, verdict is None, *[id(measures.nulls[place]) for place in places])
        reasons = known.get(key)
        if reasons is None:
            names = list(compress(NUMBERS, absent[row]))
            told: dict[str, str] = {}
            for place in reversed(places):  # the first that tells counts
                told |= measures.nulls[place]
            reasons = known[key] = _reasons(names, told, even, baseline=baseline)
            if verdict is None:
                reasons["equality"] = reasons.get("equality_error", "no replicate that came to its end was checked")
        found.append(reasons)
    return found


def _reasons(names: Sequence[str], told: Mapping[str, str], even: _Even | None, *, baseline: bool) -> dict[str, str]:
    """Return why the numbers of one case are null, from what its records told of their metrics."""
    found = {name: told[name] for name in names if name in METRICS}
    for name, ends in ENDS.items():
        few = "it is the baseline" if name == "speedup" and baseline else _FEW
        found |= {end: found.get(name, few) for end in ends if end in names}
    if even is None:
        return found | {name: told["break_even_steps"] for name in names if name in _EVENS}
    reason, never = even
    usual = (reason, reason or _FEW, reason or _FEW, reason or told.get("warm_compile_s"))
    for name, why, is_never, for_ever in zip(_EVENS, usual, never, _NEVER, strict=True):
        if name in names:
            found[name] = for_ever if is_never else why or "not known"
    return found
