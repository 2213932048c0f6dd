"""The answer of a search: the winner, what it gains, what gave the gain, what it costs, and who came second."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from results.analysis.study import Study
from results.metrics.levels import ratios
from results.metrics.measured import MeasuredRun
from results.metrics.speedups import Factor, Step, path
from results.schema.axes import axis_text, setting_texts
from results.schema.case import Case
from results.schema.lines.search import Fate, Search

if TYPE_CHECKING:
    import pandas as pd

_NAMED: Final = ("model", "batch_size", "threads")
"""Axes beside the settings on which candidates may differ."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fastest:
    """The winner of a search, with its figures."""

    search: Search
    case: Case
    row: "pd.Series"
    """The winner's row of `results.table`."""
    gain: Factor | None
    """Speed over the baseline, None where the baseline was not measured beside it or is the winner."""
    steps: tuple[Step, ...]
    """What gave the gain: changes of a single axis, whose factors multiply to it, as far as they were measured."""
    runner_up: Case | None
    lead: Factor | None
    """Speed over the runner-up, an image each."""

    @property
    def apart(self) -> bool:
        """Whether winner and runner-up can be told apart."""
        return self.lead is not None and self.lead.low is not None and self.lead.low > 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """A candidate of a search with its figures, None where it was not timed."""

    case: Case
    name: str
    """Its settings, with the other axes on which the candidates differ."""
    fate: Fate
    image_s: float | None
    """Least median seconds an image of its processes."""
    speedup: float | None
    """Speed over its baseline, in the processes that were timed beside it."""
    reason: str | None


def candidate_rows(run: MeasuredRun, search: Search) -> list[CandidateRow]:
    """Return a row for each candidate of a search in its run, in the order in which they were tried."""
    rows = []
    cases = [candidate.case for candidate in search.candidates]
    varying = [name for name in _NAMED if len({getattr(case, name) for case in cases}) > 1]
    for candidate in search.candidates:
        case = candidate.case
        name = " ".join([*(axis_text(axis, getattr(case, axis)) for axis in varying), *setting_texts(case)])
        gain = speed_over(run, case.baseline, case)
        image_s = _typical(run, case) if case in run.replicates else None
        speedup = None if gain is None or math.isnan(gain.value) else gain.value
        rows.append(
            CandidateRow(
                case=case, name=name, fate=candidate.fate, image_s=image_s, speedup=speedup, reason=candidate.reason
            )
        )
    return rows


def fastest(study: Study) -> Fastest | None:
    """Return the answer of the search in a study of its file, None if it has no winner."""
    (run,) = study.runs
    (search,) = run.file.bodies("search")
    winner = search.winner
    if winner is None:
        return None
    table = study.table
    row = _row(table, winner)
    times = {case: known for case in run.replicates if (known := _typical(run, case)) is not None}
    others = sorted((case for case in times if case != winner and _common(run, case, winner)), key=times.__getitem__)
    second = others[0] if others else None
    way = [case for case in path(winner) if case in run.replicates]
    return Fastest(
        search=search,
        case=winner,
        row=row,
        gain=None if winner == winner.baseline else speed_over(run, winner.baseline, winner),
        steps=_steps(run, way) if len(way) == len(path(winner)) else (),
        runner_up=second,
        lead=None if second is None else speed_over(run, second, winner),
    )


def speed_over(run: MeasuredRun, before: Case, after: Case) -> Factor | None:
    """Return the speed of `after` over `before`, an image each, None where no replicate has both."""
    common = _common(run, before, after)
    if not common:
        return None
    slower, faster = ([run.replicates[case][number] for number in common] for case in (before, after))
    ends = ratios(run.levels, run.latencies, slower, faster, [len(common)])
    images = after.batch_size / before.batch_size
    return Factor.of(*(float(end[0]) * images for end in ends))


def _steps(run: MeasuredRun, way: Sequence[Case]) -> tuple[Step, ...]:
    steps = []
    for before, after in itertools.pairwise(way):
        factor = speed_over(run, before, after)
        if factor is None:
            return ()
        (axis,) = (axis for axis in ("layout", "runtime", "precision") if getattr(before, axis) != getattr(after, axis))
        steps.append(Step(axis=axis, before=getattr(before, axis), after=getattr(after, axis), factor=factor))
    return tuple(steps)


def _typical(run: MeasuredRun, case: Case) -> float | None:
    """Return the least median time an image of a case's processes that count, None where none does."""
    values = [run.latencies[index] for index in run.replicates[case].values() if run.measures.exclusions[index] is None]
    known = [float(value) / case.batch_size for value in values if not math.isnan(value)]
    return min(known, default=None)


def _common(run: MeasuredRun, first: Case, second: Case) -> list[int]:
    """Return the replicates that have a time of both cases."""
    sides = [
        {number for number, index in run.replicates.get(case, {}).items() if run.file.records[index].status == "ok"}
        for case in (first, second)
    ]
    return sorted(sides[0] & sides[1])


def _row(table: "pd.DataFrame", case: Case) -> "pd.Series":
    """Return the row of a case."""
    axes = ("model", "batch_size", "precision", "runtime", "layout", "threads")
    same = table[axes[0]].eq(getattr(case, axes[0]))
    for axis in axes[1:]:
        same &= table[axis].eq(getattr(case, axis))
    return table[same].iloc[0]
