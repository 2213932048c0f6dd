"""Select the cases of a page that cannot hold all."""

import collections
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from reports.style.theme import FAMILIES
from reports.style.views import IMAGE_WORK
from results.analysis.study import Study
from results.metrics.measured import MeasuredRun
from results.metrics.reasons import is_wrong
from results.schema.axes import SETTINGS
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.static import Static, static_key
from results.statistics.intervals import geometric_mean
from results.storage.reader import Records, RunFile

MOST_CASES: Final = 5_000
"""The most cases of a page that shows all."""
FEW_CASES: Final = 1_000
"""The most cases of a page that shows a selection; more where it has more machines."""
_SETTING: Final = ("batch_size", *SETTINGS)
"""Axes of which a page with a selection shows the fastest values only, and those that most machines share."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A case with what decides whether it is shown."""

    run: str
    side: str
    case: Case
    rate: float
    """Images a second, 0 for a case that gave no right result."""
    accuracy: float
    foreign: int
    """0 for a variant of resnet-bench, 1 for a variant that only lacks a known family, 2 for others."""

    @property
    def work(self) -> tuple[Any, ...]:
        """The variant, and what it computes for an image."""
        return (self.case.model, *(getattr(self.case, axis) for axis in IMAGE_WORK))

    @property
    def setting(self) -> tuple[Any, ...]:
        """How it computes it."""
        return tuple(getattr(self.case, axis) for axis in _SETTING)


def shown(study: Study, sides: Mapping[tuple[str, str], str]) -> tuple[Study, str]:
    """Return the study of the cases that the page shows, and what to say of the others.

    More than `MOST_CASES` cases are cut to `FEW_CASES`. Only their table is computed: the table of all cases takes as
    long as the page.

    Args:
        study: what the page is made of.
        sides: the side of each device of a run, by the run's id and the device.
    """
    if sum(len(run.replicates) for run in study.runs) <= MOST_CASES:
        return study, ""
    candidates = [candidate for run in study.runs for candidate in _candidates(run, sides)]
    shown = {(candidate.run, candidate.case) for candidate in _selected(candidates)}
    failed = sum(
        any(run.file.records[row].status != "ok" for row in rows.values())
        for run in study.runs
        for rows in run.replicates.values()
    )
    said = (
        f"{len(candidates):,} cases are more than a page can show. Here are {len(shown):,}: of each machine, variant, "
        "task and image size the fastest setting, and the setting that most machines share; variants of resnet-bench "
        "come first, then what most machines have in common, then what is most accurate. `resnet-bench table` and "
        f"`export` have every case. Of all, {failed:,} failed in at least one process."
    )
    return Study(Records(tuple(_only(run.file, shown) for run in study.runs))), said


def _candidates(run: MeasuredRun, sides: Mapping[tuple[str, str], str]) -> Iterable[_Candidate]:
    """Yield the cases of a run."""
    file, costs = run.file, run.file.static_costs()
    for case, rows in run.replicates.items():
        indices = list(rows.values())
        replicates = [file.records[row] for row in indices]
        static = costs.get(static_key(case))
        yield _Candidate(
            run=file.run.id,
            side=sides[file.run.id, case.device],
            case=case,
            rate=_throughput(replicates, run.latencies[indices].tolist()),
            accuracy=_accuracy(static, replicates),
            foreign=_foreign(case.model, static, replicates),
        )


def _selected(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return `FEW_CASES` of the candidates: a share of each side, and then whole works, the first in rank first."""
    works: dict[tuple[Any, ...], list[_Candidate]] = collections.defaultdict(list)
    for candidate in candidates:
        works[candidate.work].append(candidate)
    ranked = [member for work in sorted(works.values(), key=_rank) for member in _telling(work)]
    sides = collections.Counter(member.side for member in ranked)
    share = max(1, FEW_CASES // (2 * len(sides)))
    taken: collections.Counter[str] = collections.Counter()
    first: list[_Candidate] = []
    rest: list[_Candidate] = []
    for member in ranked:
        taken[member.side] += 1
        (first if taken[member.side] <= share else rest).append(member)
    return first + rest[: max(0, FEW_CASES - len(first))]


def _rank(work: Sequence[_Candidate]) -> tuple[int, int, float]:
    """Return the rank of the candidates of a work: our variants, many sides and high accuracy come first."""
    return (
        min(member.foreign for member in work),
        -len({member.side for member in work}),
        -max(member.accuracy for member in work),
    )


def _telling(work: Sequence[_Candidate]) -> list[_Candidate]:
    """Return of each side the fastest candidate, and the candidate of the setting that most sides share."""
    fastest = sorted(work, key=lambda member: -member.rate)
    sound = [member for member in fastest if member.rate > 0]
    best = {member.side: member for member in reversed(fastest)}
    by_setting: dict[tuple[Any, ...], dict[str, _Candidate]] = collections.defaultdict(dict)
    for member in reversed(sound):
        by_setting[member.setting][member.side] = member
    shared = max(
        by_setting.values(), key=lambda sides: (len(sides), sum(row.rate for row in sides.values())), default={}
    )
    common = list(shared.values()) if len(shared) > 1 else []
    return list({(member.run, member.case): member for member in (*common, *best.values())}.values())


def _only(file: RunFile, shown: set[tuple[str, Case]]) -> RunFile:
    """Return the file with the shown cases only; its plan is cut too, because ordering the cases walks all of it."""
    plan = tuple(case for case in file.cases() if (file.run.id, case) in shown)
    among = set(plan)
    records = tuple(record for record in file.records if record.case in among)
    return dataclasses.replace(file, run=structs.replace(file.run, plan=plan), records=records)


def _throughput(replicates: Sequence[Record], latency_s: Sequence[float]) -> float:
    """Return images a second as in the table, 0 for a case that failed, is wrong or has no latency."""
    for record in replicates:
        if record.status != "ok" or is_wrong(record):
            return 0.0
    known = [value for value in latency_s if not math.isnan(value)]
    return replicates[0].case.batch_size / geometric_mean(known) if known else 0.0


def _accuracy(static: Static | None, replicates: Iterable[Record]) -> float:
    if static is not None:
        return static.imagenet_top1 or 0.0
    summaries = [record.summary.metrics for record in replicates if record.summary is not None]
    return max((metrics.get("imagenet_top1", 0.0) for metrics in summaries), default=0.0)


def _foreign(model: str, static: Static | None, replicates: Iterable[Record]) -> int:
    """Return `_Candidate.foreign`: names of other programs' networks have a prefix, such as ``timm:``."""
    summaries = (record.summary.family for record in replicates if record.summary is not None)
    family = static.family if static is not None else next(summaries, None)
    if ":" in model:
        return 2
    return 0 if family in FAMILIES else 1
