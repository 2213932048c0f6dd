"""Attribution of a speed-up: a chain of steps that change a single axis, whose factors multiply to the total.

    nchw → nhwc × eager → compile × fp32 → amp-bf16

The order is fixed, and it matters: the factor of a step is its gain on top of the steps before it.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Self

from msgspec import structs

from results.metrics.levels import Levels, ratios
from results.metrics.values import Measures
from results.schema.axes import SETTINGS, setting_texts
from results.schema.case import Case

ORDER: Final = tuple(reversed(SETTINGS))
"""The axes in the order in which they are changed: optimizer, checkpointing, layout, runtime, precision."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Speed of a case over the speed of another case. Bounds are None where the steady turns are too few."""

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Self:
        """Return the factor, with None for bounds that are NaN."""
        return cls(value=value, low=None if math.isnan(low) else low, high=None if math.isnan(high) else high)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change on one axis, and its factor."""

    axis: str
    """One of `ORDER`."""
    before: str
    after: str
    factor: Factor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The steps from the baseline to a case. A chain without a total has no steps, and `reason` says why."""

    run: str
    case: Case
    replicates: tuple[int, ...]
    """The replicates that all cases of the chain have; every factor uses exactly these."""
    steps: tuple[Step, ...]
    total: Factor | None
    """The product of the factors, up to rounding."""
    reason: str | None


def chains(run: str, replicates: Mapping[Case, Mapping[int, int]], measures: Measures, levels: Levels) -> list[Chain]:
    """Return a chain for each case of a run that differs from its baseline in two settings or more.

    Cases are left out where the run lacks a step between them and their baseline. A chain in which a case failed or is
    wrong has a reason in place of its numbers.
    """
    ways = [way for case in replicates if len(way := path(case)) > 2 and all(step in replicates for step in way)]
    if not ways:
        return []
    reasons = [_broken(way, replicates, measures) for way in ways]
    pairs = [
        (before, after, _common([replicates[case] for case in way]))
        for way, reason in zip(ways, reasons, strict=True)
        if reason is None
        for before, after in (*pairwise(way), (way[0], way[-1]))
    ]
    numbers = ratios(
        levels,
        measures.values["latency_s"],
        [replicates[before][index] for before, _, common in pairs for index in common],
        [replicates[after][index] for _, after, common in pairs for index in common],
        [len(common) for _, _, common in pairs],
    )
    all_factors = map(Factor.of, *(end.tolist() for end in numbers))
    return [
        _chain(run, way, () if reason else _common([replicates[case] for case in way]), all_factors, reason)
        for way, reason in zip(ways, reasons, strict=True)
    ]


def path(case: Case) -> list[Case]:
    """Return the cases from the baseline to `case`, both included; each adds a setting to the case before it."""
    way = [case.baseline]
    for axis in ORDER:
        changed = structs.replace(way[-1], **{axis: getattr(case, axis)})
        if changed != way[-1]:
            way.append(changed)
    return way


def _broken(way: Sequence[Case], replicates: Mapping[Case, Mapping[int, int]], measures: Measures) -> str | None:
    """Return why a chain has no numbers, None where it has them."""
    for case in way:
        lacking = not_comparable(replicates[case], measures)
        if lacking is not None:
            return f"{setting(case)}: {lacking}"
    return None if _common([replicates[case] for case in way]) else "no replicate has all its cases"


def _common(sides: Sequence[Mapping[int, int]]) -> tuple[int, ...]:
    """Return the replicates that all cases have."""
    return tuple(sorted(set.intersection(*map(set, sides))))


def _chain(
    run: str, way: Sequence[Case], replicates: tuple[int, ...], of_all: Iterator[Factor], reason: str | None
) -> Chain:
    """Return the chain of the cases, with factors and total from `of_all`; a chain with a `reason` takes none."""
    if reason is not None:
        return Chain(run=run, case=way[-1], replicates=(), steps=(), total=None, reason=reason)
    steps = []
    for before, after in pairwise(way):
        axis = next(axis for axis in ORDER if getattr(before, axis) != getattr(after, axis))
        change = {"before": getattr(before, axis), "after": getattr(after, axis)}
        steps.append(Step(axis=axis, **change, factor=next(of_all)))
    return Chain(run=run, case=way[-1], replicates=replicates, steps=tuple(steps), total=next(of_all), reason=None)


def setting(case: Case) -> str:
    """Return the settings of a case for people, as in ``fp32 compile nhwc``."""
    return " ".join(setting_texts(case))


def not_comparable(replicates: Mapping[int, int], measures: Measures) -> str | None:
    """Return why a replicate has no time to compare, None where all have it; `replicates` are indices of records."""
    reasons = (measures.reasons[index].get("latency_s") or measures.exclusions[index] for index in replicates.values())
    return next((reason for reason in reasons if reason is not None), None)
