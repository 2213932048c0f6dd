"""When compiling pays: after how many steps it has saved the time that it took.

steps = seconds of compilation / (eager step - compiled step)
"""

import dataclasses
import math
import operator
import statistics
from collections.abc import Mapping
from typing import Final

from results.attribution import Factor, factor, speedups
from results.metrics import Measured, measure_file
from results.schema import AXES, Case, Record, Run
from results.stats import geometric_mean
from results.store import Records, RunFile
from results.timings import timings

_but_runtime: Final = operator.attrgetter(*(axis for axis in AXES if axis != "runtime"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps until compiling has paid; infinite is never. Bounds are None where too few steady turns give none."""

    value: float
    low: float | None
    high: float | None


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


def break_evens(records: Records) -> list[BreakEven]:
    """Return the break-even of each compiled case whose run also holds it eager, in the order of the plans."""
    return [
        one
        for file in records.files
        for one in of_file(file, file.cases(), measure_file(file, timings(file.records))).values()
    ]


def of_file(
    file: RunFile, cases: Mapping[Case, Mapping[int, Record]], measured: Mapping[int, Measured]
) -> dict[Case, BreakEven]:
    """Return the break-even of each compiled case of one run that has its eager twin.

    Args:
        file: the run.
        cases: its `RunFile.cases`.
        measured: the metrics of its records, by the identity of the record.
    """
    found = {}
    eager = {_but_runtime(case): replicates for case, replicates in cases.items() if case.runtime == "eager"}
    for case, replicates in cases.items():
        twin = None if case.runtime == "eager" else eager.get(_but_runtime(case))
        if twin is not None:
            found[case] = _break_even(file.run, case, replicates, twin, measured)
    return found


def _break_even(
    run: Run,
    case: Case,
    compiled: Mapping[int, Record],
    eager: Mapping[int, Record],
    measured: Mapping[int, Measured],
) -> BreakEven:
    before, after = speedups(eager, measured), speedups(compiled, measured)
    if isinstance(before, str):
        return _none(run, case, f"eager: {before}")
    if isinstance(after, str):
        return _none(run, case, after)
    common = sorted(set(before) & set(after))
    if not common:
        return _none(run, case, f"no replicate has both eager and {case.runtime}")
    ratio = factor(before, after, common)
    metrics = [measured[id(compiled[one])].metrics for one in common]
    step_s = geometric_mean([step for one in metrics if (step := one["latency_s"]) is not None])
    cold_s, warm_s = (_median([one[name] for one in metrics]) for name in ("compile_s", "warm_compile_s"))
    return BreakEven(
        run=run.id,
        case=case,
        compile_s=cold_s,
        ratio=ratio,
        cold=None if cold_s is None else steps(cold_s, step_s, ratio),
        warm=None if warm_s is None else steps(warm_s, step_s, ratio),
        reason="the time of its compilation is not known" if cold_s is None else None,
    )


def _none(run: Run, case: Case, reason: str) -> BreakEven:
    return BreakEven(run=run.id, case=case, compile_s=None, ratio=None, cold=None, warm=None, reason=reason)


def _median(values: list[float | int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def steps(compile_s: float, step_s: float, ratio: Factor) -> Steps:
    """Return after how many steps compiling pays.

    A compiled step of `step_s` seconds saves (ratio - 1) times itself. The bounds are those of the ratio, whose share
    of the uncertainty is by far the largest: at a gain of 5 % known to 1 %, the saving is known to 20 %.

    Args:
        compile_s: seconds of compilation.
        step_s: seconds of a compiled step.
        ratio: eager step over compiled step.
    """

    def at(gain: float) -> float:
        return compile_s / (step_s * (gain - 1)) if gain > 1 else math.inf

    return Steps(
        value=at(ratio.value),
        low=None if ratio.high is None else at(ratio.high),
        high=None if ratio.low is None else at(ratio.low),
    )
