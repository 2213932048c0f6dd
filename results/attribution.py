"""Which change gave what: a case's speed-up as a chain of steps, each of one axis, whose factors multiply to the total.

    nchw → nhwc × eager → compile × fp32 → amp-bf16

The order is fixed, and it matters: a step is what its change gives on top of those before it.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

from results import stats
from results.metrics import Measured, is_baseline, measure_file
from results.schema import Case, Record, Run
from results.store import Records
from results.timings import timings

Axis = Literal["layout", "runtime", "precision"]

ORDER: Final[tuple[Axis, ...]] = ("layout", "runtime", "precision")
"""The axes in the order in which they are changed."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """How many times as fast one case is as another. Bounds are None where too few steady turns give none."""

    value: float
    low: float | None
    high: float | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Speedup:
    """The speed-up of one process over its baseline."""

    value: float
    half: float | None
    """Half the width of its interval in logs: 0 for the baseline itself, None where too few steady turns give none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change on one axis, and what it gave."""

    axis: Axis
    before: str
    after: str
    factor: Factor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The way from the baseline to one case. Without a total there are no steps, and `reason` says why."""

    run: str
    case: Case
    replicates: tuple[int, ...]
    """Those that all cases of the chain have: every factor is of these."""
    steps: tuple[Step, ...]
    total: Factor | None
    """The product of the factors, but for rounding."""
    reason: str | None


def chains(records: Records) -> list[Chain]:
    """Return a chain for each case that differs from its baseline on two axes or more, in the order of the plans.

    Cases between which no way leads, because the run does not hold what lies between, are left out. Where any case of
    the way failed or is wrong, the chain has a reason in place of its numbers.
    """
    found = []
    for file in records.files:
        cases = file.cases()
        ways = [way for case in cases if len(way := path(case)) > 2 and all(one in cases for one in way)]
        measured = measure_file(file, timings(file.records)) if ways else {}
        found_speedups = {case: speedups(cases[case], measured) for case in {case for way in ways for case in way}}
        found += [_chain(file.run, way, found_speedups) for way in ways]
    return found


def path(case: Case) -> list[Case]:
    """Return the cases from the baseline to `case`, both included, each with one more of its axes."""
    way = [case.baseline]
    for axis in ORDER:
        changed = dataclasses.replace(way[-1], **{axis: getattr(case, axis)})
        if changed != way[-1]:
            way.append(changed)
    return way


def _chain(run: Run, way: Sequence[Case], measured: Mapping[Case, Mapping[int, Speedup] | str]) -> Chain:
    sound: list[Mapping[int, Speedup]] = []
    for case in way:
        one = measured[case]
        if isinstance(one, str):
            return _broken(run, way, f"{setting(case)}: {one}")
        sound.append(one)
    common = tuple(sorted(set.intersection(*(set(one) for one in sound))))
    if not common:
        return _broken(run, way, "no replicate has all its cases")
    steps = []
    for (before, after), (one, other) in zip(pairwise(way), pairwise(sound), strict=True):
        axis = next(axis for axis in ORDER if getattr(before, axis) != getattr(after, axis))
        change = {"before": getattr(before, axis), "after": getattr(after, axis)}
        steps.append(Step(axis=axis, **change, factor=factor(one, other, common)))
    total = factor(sound[0], sound[-1], common)
    return Chain(run=run.id, case=way[-1], replicates=common, steps=tuple(steps), total=total, reason=None)


def _broken(run: Run, way: Sequence[Case], reason: str) -> Chain:
    return Chain(run=run.id, case=way[-1], replicates=(), steps=(), total=None, reason=reason)


def setting(case: Case) -> str:
    """Return what may be chosen to make a model faster, as in ``fp32 compile nhwc``."""
    return f"{case.precision} {case.runtime} {case.layout}"


def speedups(replicates: Mapping[int, Record], measured: Mapping[int, Measured]) -> dict[int, Speedup] | str:
    """Return the speed-up of each replicate of one case, or why one of them has none.

    Args:
        replicates: the records of the case.
        measured: their metrics, by the identity of the record.
    """
    found = {}
    for replicate, record in replicates.items():
        one = measured[id(record)]
        value, interval = one.metrics["speedup"], one.intervals.get("speedup")
        if value is None:
            return one.nulls["speedup"]
        half = 0.0 if is_baseline(record.case) else None
        if interval is not None:
            half = math.log(interval.high / interval.low) / 2
        found[replicate] = Speedup(value=value, half=half)
    return found


def factor(before: Mapping[int, Speedup], after: Mapping[int, Speedup], replicates: Sequence[int]) -> Factor:
    """Return how many times as fast one case is as another, from both speed-ups over one baseline.

    Replicates pair up, as both cases lived beside the same baseline: the value is the geometric mean of their ratios,
    the interval that across them. A single replicate has the interval within its process, in which the widths of both
    speed-ups add in squares: too wide if anything, as they share the noise of their baseline.
    """
    ratios = [after[one].value / before[one].value for one in replicates]
    across = stats.across(ratios)
    if across is not None:
        return Factor(value=across.value, low=across.low, high=across.high)
    halves = [side[replicates[0]].half for side in (before, after)]
    known = [half for half in halves if half is not None]
    if len(known) < len(halves):
        return Factor(value=ratios[0], low=None, high=None)
    spread = math.exp(math.hypot(*known))
    return Factor(value=ratios[0], low=ratios[0] / spread, high=ratios[0] * spread)
