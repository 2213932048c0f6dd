"""The break-even of compiling: the steps after which it has saved the time of the compilation.

steps = seconds of compilation / (eager step - compiled step)
"""

import dataclasses
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple, Self

import numpy as np

from results.metrics.levels import Levels, ratios
from results.metrics.speedups import Factor, not_comparable
from results.metrics.values import Measures
from results.schema.axes import AXES, BASELINE
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.metrics import RUN
from results.statistics import intervals
from results.statistics.segments import Floats, Segments

_COLD, _WARM = RUN
STEP_COLUMNS: Final = (_COLD.name, *(_COLD.bounds or ()), _WARM.name)
"""Columns of the table that hold steps."""
SLOWER: Final = "never: it is not faster than eager"
"""Reason of a missing break-even."""
REACHES: Final = "never: the interval of the ratio to eager reaches 1"
"""Reason of a missing bound of the break-even."""

_NOT_KNOWN: Final = "the time of its compilation is not known"
_but_runtime: Final = operator.attrgetter(*(axis for axis in AXES if axis != "runtime"))


def is_never(reason: str | None) -> bool:
    """Return whether `reason` says that steps of the table are null because compiling never pays."""
    return reason in {SLOWER, REACHES}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps to break-even, infinite for never. Bounds are None where the steady turns are too few."""

    value: float
    low: float | None
    high: float | None

    @property
    def never(self) -> bool:
        """Whether compiling never pays."""
        return math.isinf(self.value)

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Self | None:
        """Return the steps, with None for bounds that are NaN; None where the value itself is NaN."""
        if math.isnan(value):
            return None
        return cls(value=value, low=None if math.isnan(low) else low, high=None if math.isnan(high) else high)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """A compiled case against the same case in eager mode. Missing values are None, and `reason` says why."""

    run: str
    case: Case
    compile_s: float | None
    """Seconds of a cold compilation: the median over the replicates."""
    ratio: Factor | None
    """Eager step over compiled step, in the same replicates."""
    cold: Steps | None
    warm: Steps | None
    """The same for a compilation that reads the artefacts of an earlier compilation; None where it was not measured."""
    reason: str | None


class BreakEvens(NamedTuple):
    """The break-even of the compiled cases of a run: arrays with an entry a case, NaN for a missing value.

    Steps are infinite where compiling never pays.
    """

    rows: list[int]
    """Index of the case among the cases of the run."""
    reasons: list[str | None]
    """Why a case has no break-even."""
    compile_s: Floats
    ratio: intervals.Intervals
    cold: intervals.Intervals
    """Steps until a cold compilation has paid."""
    warm: intervals.Intervals


def listed(run: str, cases: Sequence[Case], computed: BreakEvens) -> list[BreakEven]:
    """Return the result of `break_evens` as a list, for the run with the id `run` and its cases."""
    numbers = zip(
        computed.compile_s.tolist(), *map(_triples, (computed.ratio, computed.cold, computed.warm)), strict=True
    )
    return [
        BreakEven(
            run=run,
            case=cases[row],
            compile_s=None if math.isnan(compile_s) else compile_s,
            ratio=None if math.isnan(ratio[0]) else Factor.of(*ratio),
            cold=Steps.of(*cold),
            warm=Steps.of(*warm),
            reason=reason,
        )
        for row, reason, (compile_s, ratio, cold, warm) in zip(computed.rows, computed.reasons, numbers, strict=True)
    ]


def _triples(ends: intervals.Intervals) -> Iterator[tuple[float, ...]]:
    return zip(*(end.tolist() for end in ends), strict=True)


def break_evens(replicates: Mapping[Case, Mapping[int, int]], measures: Measures, levels: Levels) -> BreakEvens:
    """Return the break-even of each compiled case of a run that also holds the eager case.

    Args:
        replicates: for each case the indices of its records, by replicate.
        measures: the metrics of the records of the run.
        levels: their levels.
    """
    eager = {_but_runtime(case): own for case, own in replicates.items() if case.runtime == BASELINE["runtime"]}
    rows: list[int] = []
    reasons: list[str | None] = []
    pairs: list[list[tuple[int, int]]] = []
    for row, (case, own) in enumerate(replicates.items()):
        twin = eager.get(_but_runtime(case)) if RUNTIMES[case.runtime].compiles else None
        if twin is None:
            continue
        common = [(twin[replicate], own[replicate]) for replicate in sorted(own) if replicate in twin]
        reason = _no_ratio(twin, own, measures) or (
            None if common else f"no replicate has both eager and {case.runtime}"
        )
        rows.append(row)
        reasons.append(reason)
        pairs.append([] if reason else common)
    numbers = np.full((10, len(rows)), np.nan)
    some = np.array([bool(common) for common in pairs], dtype=bool)
    if some.any():
        numbers[:, some] = _numbers(measures, levels, [common for common in pairs if common])
    unknown = some & np.isnan(numbers[0])
    return BreakEvens(
        rows=rows,
        reasons=[
            _NOT_KNOWN if not_known else reason for not_known, reason in zip(unknown.tolist(), reasons, strict=True)
        ],
        compile_s=numbers[0],
        ratio=intervals.Intervals(*numbers[1:4]),
        cold=intervals.Intervals(*numbers[4:7]),
        warm=intervals.Intervals(*numbers[7:]),
    )


def _no_ratio(eager: Mapping[int, int], compiled: Mapping[int, int], measures: Measures) -> str | None:
    """Return why a replicate of a case, or of its eager twin, has no time to compare."""
    before = not_comparable(eager, measures)
    return not_comparable(compiled, measures) if before is None else f"eager: {before}"


def _numbers(measures: Measures, levels: Levels, pairs: Sequence[Sequence[tuple[int, int]]]) -> Floats:
    """Return the numbers of `BreakEvens` for cases given as pairs of indices (eager, compiled)."""
    counts = [len(common) for common in pairs]
    before, after = zip(*chain.from_iterable(pairs), strict=True)
    series, values, indices = Segments(np.array(counts)), measures.values, list(after)
    ratio = ratios(levels, values["latency_s"], before, after, counts)
    step_s = series.geometric_means(values["latency_s"][indices])
    cold_s, warm_s = (series.known_medians(values[name][indices]) for name in ("compile_s", "warm_compile_s"))
    return np.array([cold_s, *ratio, *steps(cold_s, step_s, ratio), *steps(warm_s, step_s, ratio)])


def steps(compile_s: Floats, step_s: Floats, ratio: intervals.Intervals) -> intervals.Intervals:
    """Return the steps to break-even of many cases.

    A compiled step of `step_s` seconds saves (ratio - 1) times itself. The bounds follow from the bounds of the ratio,
    which dominates the uncertainty: at a gain of 5 % known to 1 %, the saving is known to 20 %.

    Args:
        compile_s: seconds of compilation.
        step_s: seconds of a compiled step.
        ratio: eager step over compiled step.
    """

    def at(gain: Floats) -> Floats:
        saved = np.where(gain > 1, gain - 1, np.nan)
        return np.where(gain <= 1, np.where(np.isnan(compile_s), np.nan, np.inf), compile_s / (step_s * saved))

    return intervals.Intervals(value=at(ratio.value), low=at(ratio.high), high=at(ratio.low))
