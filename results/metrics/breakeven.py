"""When compiling pays: after how many steps it has saved the time that it took.

steps = seconds of compilation / (eager step - compiled step)
"""

import dataclasses
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple, Self

import numpy as np

from results.metrics.reasons import Memo
from results.metrics.speedups import Factor, factors, speedups, without_speedup
from results.metrics.timings import timings
from results.metrics.values import Measures, measure_file
from results.schema.axes import AXES
from results.schema.case import Case
from results.statistics import intervals
from results.statistics.segments import Floats, Segments
from results.storage.reader import Records, RunFile

_NOT_KNOWN: Final = "the time of its compilation is not known"
_but_runtime: Final = operator.attrgetter(*(axis for axis in AXES if axis != "runtime"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps until compiling has paid; infinite is never. Bounds are None where too few steady turns give none."""

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Self | None:
        """Return the steps, whose bounds are NaN where there are none; None where the value is."""
        if math.isnan(value):
            return None
        return cls(value=value, low=None if math.isnan(low) else low, high=None if math.isnan(high) else high)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """One compiled case against the same case run eagerly. What could not be had is None, and `reason` says why."""

    run: str
    case: Case
    compile_s: float | None
    """Seconds of a cold compilation: the median over the replicates."""
    ratio: Factor | None
    """Eager step over compiled step, in the same replicates."""
    cold: Steps | None
    warm: Steps | None
    """The same for a compilation that finds the artefacts of an earlier one; None also where that was not measured."""
    reason: str | None


class Evens(NamedTuple):
    """The break-even of compiled cases: arrays of one entry a case, NaN where there is none; infinite is never."""

    rows: list[int]
    """Where each is among the cases of its run."""
    reasons: list[str | None]
    """Why one has none."""
    compile_s: Floats
    ratio: intervals.Intervals
    cold: intervals.Intervals
    """Steps until a cold compilation has paid."""
    warm: intervals.Intervals


def break_evens(records: Records) -> list[BreakEven]:
    """Return the break-even of each compiled case whose run also holds it eager, in the order of the plans."""
    found = []
    for file in records.files:
        places = file.indices()
        cases = list(places)
        evens = of_file(file, places, measure_file(file, *timings(file.records), Memo()))
        numbers = zip(evens.compile_s.tolist(), *map(_rows, (evens.ratio, evens.cold, evens.warm)), strict=True)
        for row, reason, (compile_s, ratio, cold, warm) in zip(evens.rows, evens.reasons, numbers, strict=True):
            found.append(
                BreakEven(
                    run=file.run.id,
                    case=cases[row],
                    compile_s=None if math.isnan(compile_s) else compile_s,
                    ratio=None if math.isnan(ratio[0]) else Factor.of(*ratio),
                    cold=Steps.of(*cold),
                    warm=Steps.of(*warm),
                    reason=reason,
                )
            )
    return found


def _rows(found: intervals.Intervals) -> Iterator[tuple[float, ...]]:
    return zip(*(end.tolist() for end in found), strict=True)


def of_file(file: RunFile, cases: Mapping[Case, Mapping[int, int]], measures: Measures) -> Evens:
    """Return the break-even of each compiled case of one run that has its eager twin.

    Args:
        file: the run.
        cases: its `RunFile.places`.
        measures: the metrics of its records.
    """
    eager = {_but_runtime(case): replicates for case, replicates in cases.items() if case.runtime == "eager"}
    rows: list[int] = []
    reasons: list[str | None] = []
    pairs: list[list[tuple[int, int]]] = []
    for row, (case, own) in enumerate(cases.items()):
        twin = None if case.runtime == "eager" else eager.get(_but_runtime(case))
        if twin is None:
            continue
        common = [(twin[one], own[one]) for one in sorted(own) if one in twin]
        reason = _no_ratio(twin, own, measures) or (
            None if common else f"no replicate has both eager and {case.runtime}"
        )
        rows.append(row)
        reasons.append(reason)
        pairs.append([] if reason else common)
    found = np.full((10, len(rows)), np.nan)
    some = np.array([bool(one) for one in pairs], dtype=bool)
    if some.any():
        found[:, some] = _numbers(file, measures, [one for one in pairs if one])
    unknown = some & np.isnan(found[0])
    return Evens(
        rows=rows,
        reasons=[
            _NOT_KNOWN if not_known else reason for not_known, reason in zip(unknown.tolist(), reasons, strict=True)
        ],
        compile_s=found[0],
        ratio=intervals.Intervals(*found[1:4]),
        cold=intervals.Intervals(*found[4:7]),
        warm=intervals.Intervals(*found[7:]),
    )


def _no_ratio(eager: Mapping[int, int], compiled: Mapping[int, int], measures: Measures) -> str | None:
    """Return why one of a case's replicates, or of its twin's, cannot be compared."""
    before = without_speedup(eager, measures)
    return without_speedup(compiled, measures) if before is None else f"eager: {before}"


def _numbers(file: RunFile, measures: Measures, pairs: Sequence[Sequence[tuple[int, int]]]) -> Floats:
    """Return the numbers of `Evens` for cases of which each has the places of some eager and compiled replicates."""
    counts = [len(one) for one in pairs]
    before, after = zip(*chain.from_iterable(pairs), strict=True)
    ratio = factors(speedups(file.records, measures), before, after, counts)
    series, values, places_ = Segments(np.array(counts)), measures.values, list(after)
    step_s = series.geometric_means(values["latency_s"][places_])
    cold_s, warm_s = (series.known_medians(values[name][places_]) for name in ("compile_s", "warm_compile_s"))
    return np.array([cold_s, *ratio, *steps(cold_s, step_s, ratio), *steps(warm_s, step_s, ratio)])


def steps(compile_s: Floats, step_s: Floats, ratio: intervals.Intervals) -> intervals.Intervals:
    """Return after how many steps compiling pays, for many cases.

    A compiled step of `step_s` seconds saves (ratio - 1) times itself. The bounds are those of the ratio, whose share
    of the uncertainty is by far the largest: at a gain of 5 % known to 1 %, the saving is known to 20 %.

    Args:
        compile_s: seconds of compilation.
        step_s: seconds of a compiled step.
        ratio: eager step over compiled step.
    """

    def at(gain: Floats) -> Floats:
        saved = np.where(gain > 1, gain - 1, np.nan)
        return np.where(gain <= 1, np.where(np.isnan(compile_s), np.nan, np.inf), compile_s / (step_s * saved))

    return intervals.Intervals(value=at(ratio.value), low=at(ratio.high), high=at(ratio.low))
