"""The cases of a run in the order of their time, and which differences between them are shown.

Cases are ranked where they compute the same on the same device: cases of equal task, batch size, image size, threads,
and other conditions are a ranking, whatever their models and settings. Their replicates are paired, and so free of the
drift that they share (`results.metrics.levels`); all pairs are tested together (`results.statistics.allpairs`).
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import numpy as np

from results.analysis.machines import machine_text
from results.analysis.study import Study
from results.errors import InputError
from results.metrics.levels import halves, log_ratios
from results.metrics.measured import MeasuredRun
from results.metrics.reasons import usable_record
from results.metrics.relative.reference import reference as reference_of
from results.schema.axes import CONDITIONS, axis_text, is_silent
from results.schema.case import Case
from results.statistics.allpairs import all_pairs
from results.statistics.intervals import CONFIDENCE
from results.statistics.segments import Flags, Floats, Whole
from results.storage.reader import Records
from results.text import REMEDY

FAMILY_ALARMS: Final = 1 - CONFIDENCE
"""Chance that any pair of a ranking is shown to differ although none does by more than the margin."""

_ABSENT: Final = -1
"""The record of a replicate that a case lacks."""
_LARGEST_LOG: Final = 709.0
"""Largest logarithm of an end of an interval: the exponential of more is infinite."""
_RELATIVE: Final = ("relative", "relative_low", "relative_high")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A case of a ranking. Missing values are None."""

    case: Case
    rank: int
    """Its place in the order of time an image, from 1."""
    best: int
    """The least rank that the differences shown allow: as many cases, and one more, are not shown to be faster."""
    worst: int
    """The greatest rank that they allow."""
    relative: float
    """Time over that of the reference: above 1 is slower."""
    relative_low: float | None
    """95 % interval of the relative time, for this case alone."""
    relative_high: float | None
    latency_s: float
    throughput_img_per_s: float
    replicates: int
    next_slower: bool | None
    """Whether the next case is shown to be slower; None for the last."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RankedPair:
    """Two cases of a ranking, in its order."""

    faster: str
    """Key of the case that comes first."""
    slower: str
    ratio: float | None
    """Time of the second over the first."""
    low: float | None
    """95 % interval of the ratio, for this pair alone."""
    high: float | None
    p: float | None
    """Chance of such a ratio if the true one lies within the margin."""
    p_holm: float | None
    """The same, corrected for the number of pairs (Holm 1979)."""
    verdict: Literal["slower", "inconclusive"]
    """``slower``: the second case is shown to be slower than the first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The cases of a run that may be compared, in the order of time."""

    run: str
    machine: str
    conditions: str
    """What the cases have in common."""
    reference: Case
    """The case to which times are relative."""
    margin: float
    cases: tuple[Ranked, ...]
    pairs: tuple[RankedPair, ...]
    """All pairs, those with the first case first; empty where no case has two replicates."""
    reasons: tuple[str, ...]
    """Why differences are not shown, with the remedies; and the cases that are not ranked."""


def rank(records: Records | Study, *, reference: str | None = None, margin: float = 0.0) -> tuple[Ranking, ...]:
    """Return the rankings of each run, in the order of the plan.

        >>> for ranking in results.rank(results.load("runs/"), reference="resnet50"):
        ...     print([(case.case.model, case.relative) for case in ranking.cases])

    Runs are not mixed: the machine may have changed between them. A difference is shown where Holm's correction over
    all pairs of the ranking leaves it at most 5 % chance.

    Args:
        records: the result of `results.load`, or a study of it, which has its own reference.
        reference: the model, or the key of the case, to which times are relative; see
            `results.metrics.relative.reference`.
        margin: the relative difference that does not matter; with 0, any difference counts.

    Raises:
        InputError: The margin is not in [0, 1), or a run has no case of the reference's name.
    """
    if not 0 <= margin < 1:
        raise InputError(f"margin {margin:g} is not between 0 and 1 (0.02 is 2 %)")
    study = records if isinstance(records, Study) else Study(records, reference)
    rankings = []
    for run in study.runs:
        counted = study.part({run.file.run.id}).usable.tolist()
        sets: dict[tuple[object, ...], list[Case]] = {}
        for case, counts in zip(run.replicates, counted, strict=False):  # a run without records has no rows
            if counts and (_records(run, [case]) != _ABSENT).any():
                sets.setdefault(_conditions(case), []).append(case)
        rankings += [_ranking(run, cases, margin) for cases in sets.values()]
    return tuple(rankings)


def _ranking(run: MeasuredRun, cases: Sequence[Case], margin: float) -> Ranking:
    """Rank cases of equal conditions."""
    base = _base(run, cases)
    records = _records(run, cases)
    order = np.argsort(_relative(run, records, cases.index(base)), kind="stable")
    cases, records = [cases[index] for index in order], records[order]
    several = (records != _ABSENT).sum(axis=1).max() > 1
    first, second = np.triu_indices(len(cases), 1) if several else np.empty((2, 0), dtype=np.int64)
    tests = all_pairs(_logs(run, records, second, first), len(cases), margin)
    shown = np.zeros((len(cases), len(cases)), dtype=bool)  # whether the second is slower than the first
    shown[first, second] = (tests.corrected <= FAMILY_ALARMS) & (tests.log > 0)
    halves = np.zeros(shown.shape)
    halves[first, second] = halves[second, first] = tests.half
    at = cases.index(base)
    ranked = _ranked(run, cases, records, at, halves[at] if several else _within(run, records, at), shown)
    return Ranking(
        run=run.file.run.id,
        machine=machine_text(run.file.run.environment),
        conditions=", ".join(
            axis_text(name, value) for name in CONDITIONS if not is_silent(name, value := getattr(base, name))
        ),
        reference=base,
        margin=margin,
        cases=ranked,
        pairs=tuple(
            RankedPair(
                faster=cases[index].key,
                slower=cases[other].key,
                **_interval(log, half, ("ratio", "low", "high")),
                p=None if np.isnan(p) else p,
                p_holm=None if np.isnan(p) else corrected,
                verdict="slower" if shown[index, other] else "inconclusive",
            )
            for index, other, log, half, p, corrected in zip(
                first.tolist(), second.tolist(), *(column.tolist() for column in tests), strict=True
            )
        ),
        reasons=tuple(_reasons(run, ranked, len(first), int(shown.sum()))),
    )


def _ranked(
    run: MeasuredRun, cases: Sequence[Case], records: Whole, base: int, halves: Floats, shown: Flags
) -> tuple[Ranked, ...]:
    """Return the cases, which are in order; `base` is the index of the reference."""
    latencies = _latencies(run, records).tolist()
    relative = _relative(run, records, base).tolist()
    return tuple(
        Ranked(
            case=case,
            rank=index + 1,
            best=1 + int(shown[:, index].sum()),
            worst=len(cases) - int(shown[index].sum()),
            **_interval(relative[index], np.nan if index == base else halves[index], _RELATIVE),
            latency_s=latencies[index],
            throughput_img_per_s=case.batch_size / latencies[index],
            replicates=int((records[index] != _ABSENT).sum()),
            next_slower=bool(shown[index, index + 1]) if index + 1 < len(cases) else None,
        )
        for index, case in enumerate(cases)
    )


def _base(run: MeasuredRun, cases: Sequence[Case]) -> Case:
    """Return the reference among cases: that of the run, else a case of its model, else the usual choice."""
    if run.reference is None or run.reference in cases:
        base = run.reference
    else:
        own = run.reference.model if any(case.model == run.reference.model for case in cases) else None
        base = reference_of(cases, own)
    return cases[0] if base is None else base


def _records(run: MeasuredRun, cases: Sequence[Case]) -> Whole:
    """Return the index of the record of each case (rows) in each replicate (columns); `_ABSENT` if none counts."""
    numbers = sorted({replicate for case in cases for replicate in run.replicates[case]})
    records = np.full((len(cases), len(numbers)), _ABSENT, dtype=np.int64)
    for row, case in enumerate(cases):
        for replicate, index in run.replicates[case].items():
            if usable_record(run.file.records[index]) and not np.isnan(run.latencies[index]):
                records[row, numbers.index(replicate)] = index
    return records


def _logs(run: MeasuredRun, records: Whole, after: Whole, before: Whole) -> Floats:
    """Return the log of the time of cases `after` over cases `before` in each replicate (rows), NaN where unknown."""
    logs = log_ratios(run.levels, run.latencies, records[after].T.ravel(), records[before].T.ravel())
    known = (records[after] != _ABSENT) & (records[before] != _ABSENT)
    return np.asarray(np.where(known.T, logs.reshape(records.shape[1], -1), np.nan))


def _relative(run: MeasuredRun, records: Whole, base: int) -> Floats:
    """Return the logarithm of the time of each case over that of the reference."""
    everyone = np.arange(len(records))
    logs = _logs(run, records, everyone, np.full(len(records), base))
    paired = ~np.isnan(logs)
    apart = np.log(_latencies(run, records))
    means = np.where(paired, logs, 0.0).sum(axis=0) / np.maximum(paired.sum(axis=0), 1)
    return np.asarray(np.where(paired.any(axis=0), means, apart - apart[base]))


def _latencies(run: MeasuredRun, records: Whole) -> Floats:
    """Return the geometric mean of the latencies of each case, in seconds."""
    known = records != _ABSENT
    logs = np.where(known, np.log(run.latencies)[records], 0.0)
    return np.asarray(np.exp(logs.sum(axis=1) / known.sum(axis=1)))


def _within(run: MeasuredRun, records: Whole, base: int) -> Floats:
    """Return the half-width of the interval of relative times within a single process."""
    return halves(run.levels, np.full(len(records), records[base, 0]), records[:, 0])


def _interval(log: float, half: float, names: tuple[str, str, str]) -> dict[str, Any]:
    """Return a ratio and its interval from logarithms, by their names; None for unknown ends."""
    ends = (None, None) if np.isnan(half) else (_exp(log - half), _exp(log + half))
    return dict(zip(names, (None if np.isnan(log) else _exp(log), *ends), strict=True))


def _exp(log: float) -> float:
    return math.exp(min(log, _LARGEST_LOG))


def _reasons(run: MeasuredRun, ranked: Sequence[Ranked], pairs: int, shown: int) -> Iterator[str]:
    """Yield why differences are not shown, and how many cases are not ranked."""
    if len(ranked) == 1:
        yield "a single case: there is nothing to rank it against"
    elif not pairs and run.file.run.source is not None:
        yield "no difference is shown: the source states a single value a case"
    elif not pairs:
        yield "no difference is shown: a single process says nothing of the next; measure with --replicates 5 or more"
    elif shown < pairs:
        yield f"{pairs - shown:,} of {pairs:,} differences are not shown: it takes {REMEDY}"
    left_out = sum(_conditions(case) == _conditions(ranked[0].case) for case in run.replicates) - len(ranked)
    if left_out:
        yield f"{left_out:,} of these cases have no time that counts: `resnet-bench table` says why"


def _conditions(case: Case) -> tuple[object, ...]:
    """Return the values on which two cases must agree to be compared."""
    return tuple(getattr(case, name) for name in CONDITIONS)
