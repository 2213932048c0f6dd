"""Runs over time: the latency of each case from run to run on a machine, and the changes of its level.

The history is advisory and gates nothing: runs of different days cannot distinguish a change of the code from a change
of the machine. The gates are `results.compare` and `results.analysis.ab`. Each change of level lists the changes of the
environment.
"""

import collections
import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import structs

from results.analysis import differences
from results.analysis.history_points import Point, date_of, point_of
from results.analysis.machines import machines
from results.analysis.study import Study
from results.metrics.rows import Row, plain
from results.metrics.table import AXIS_TYPES, size_type
from results.schema.axes import AXES, SIZES
from results.schema.case import Case
from results.statistics.changepoints import MIN_RUNS, change_points, level
from results.statistics.margin import MARGIN, check_margin
from results.storage.reader import Records, RunFile

if TYPE_CHECKING:
    import pandas as pd

HISTORY_COLUMNS: Final = (
    "machine",
    *AXES,
    "family",
    "run",
    "started",
    "latency_s",
    "low",
    "high",
    "status",
    "cause",
    "noisy",
    "segment",
    "level_s",
    "change",
    "change_low",
    "change_high",
    "p",
    "environment",
    "commit",
)
"""The columns of `frame`, in order."""

_READ: Final = (
    "run",
    *AXES,
    "family",
    "latency_s",
    "latency_low_s",
    "latency_high_s",
    "status",
    "cause",
    "equality",
    "warnings",
    "nulls",
)
"""The columns of `results.table` that a history uses."""
_TELLING: Final = ("commit", "torch", "driver", "kernel", "tool_commit")
"""Fields of the environment that most often explain a change, listed first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """A change of level, with the numbers of `results.statistics.changepoints.ChangePoint`."""

    index: int
    """Index in `Series.points` of the first run with the new level."""
    run: str
    started: str
    previous: str
    """The last run of the old level."""
    before_s: float
    after_s: float
    ratio: float
    low: float
    high: float
    p: float
    runs: int
    """Runs of both levels."""
    noisy: int
    """The number of them with signs of noise."""
    environment: tuple[differences.Change, ...]
    """Differences of the environment between the previous run and this run."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A case on a machine over time."""

    machine: str
    case: Case
    family: str | None
    points: tuple[Point, ...]
    """Oldest first."""
    changes: tuple[LevelChange, ...]
    """Oldest first."""
    reason: str | None
    """Why changes cannot be detected, None where they can."""
    left_out: tuple[str, ...]
    """Runs that cannot be dated, and why, a line each."""


def history(runs: Records | Study, margin: float = MARGIN) -> tuple[Series, ...]:
    """Return a series for each case on each machine, in the order of the runs.

    Args:
        runs: records or a study of any number of machines, in any order.
        margin: the relative change of level that does not matter: 0.02 is 2 %, up or down.

    Raises:
        InputError: The margin breaks `results.statistics.margin.check_margin`.
    """
    check_margin(margin)
    study = runs if isinstance(runs, Study) else Study(runs)
    rows: dict[str, list[Row]] = {}
    for row, usable in zip(plain(study.table[list(_READ)]), study.usable, strict=True):
        rows.setdefault(row["run"], []).append({**row, "usable": usable})
    series: list[Series] = []
    named: collections.Counter[str] = collections.Counter()
    for machine in machines(study.records, Records(())):
        named[machine.name] += 1
        number = named[machine.name]  # of the machines with this name
        name = f"{machine.name} ({number})" if number > 1 else machine.name
        own = [row for file in machine.base.files for row in rows.get(file.run.id, ())]
        series += _of_machine(name, machine.base.files, own, margin)
    return tuple(series)


def frame(series: Sequence[Series]) -> "pd.DataFrame":
    """Return a tidy frame, a row a point, in SI units.

    ``segment`` is the number of changes of level up to the point and ``level_s`` its level, both missing for a point
    without a latency. Only the first point of a new level has ``change`` (new level / old level), its 95 % interval
    ``change_low`` to ``change_high``, ``p`` and ``environment`` (the changes of the environment as text).
    """
    import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

    # Objects: pandas' own type of text depends on the installed packages, and may refuse some text.
    rows = [row for each in series for row in _rows(each)]
    numbers = ("latency_s", "low", "high", "level_s", "change", "change_low", "change_high", "p")
    types = dict.fromkeys(numbers, "float64") | AXIS_TYPES | {"segment": "Int64"}
    types |= {axis: size_type(row[axis] for row in rows) for axis in SIZES}
    return pd.DataFrame(rows, columns=list(HISTORY_COLUMNS), dtype=object).astype(types)


def environment_text(change: LevelChange) -> str:
    """Return the changes of the environment in a line of text."""
    return "; ".join(map(_changed, change.environment)) or "nothing in the environment"


def _changed(field: differences.Change) -> str:
    if field.base != field.new:
        return f"{field.what}: {field.base} became {field.new}"
    changes = ", with unknown changes" if "-dirty" in field.new else ""
    return f"{field.what}: {field.new} before and after{changes}"


def _rows(series: Series) -> Iterator[Row]:
    changes = {change.index: change for change in series.changes}
    head = {"machine": series.machine, **structs.asdict(series.case), "family": series.family}
    for index, point in enumerate(series.points):
        row = {**head, **dataclasses.asdict(point), "noisy": ", ".join(point.noisy) or None}
        change = changes.get(index)
        if change is not None:
            row |= {"change": change.ratio, "change_low": change.low, "change_high": change.high, "p": change.p}
            row["environment"] = environment_text(change)
        yield row


def _of_machine(name: str, runs: Sequence[RunFile], rows: Sequence[Row], margin: float) -> Iterator[Series]:
    files = {file.run.id: file for file in runs}
    dates = {run: date_of(file.run.started) for run, file in files.items()}
    undated = {run: reason for run, file in files.items() if (reason := _undated(file))}
    by_case: dict[Case, list[Row]] = {}
    for row in rows:
        by_case.setdefault(Case(**{axis: row[axis] for axis in AXES}), []).append(row)
    for case, own in by_case.items():
        dated = sorted(
            ((date, row) for row in own if row["run"] not in undated and (date := dates[row["run"]])),
            key=lambda pair: (pair[0], pair[1]["run"]),
        )
        undivided = [point_of(row, date, _commit(files[row["run"]])) for date, row in dated]
        points, changes = _judged(undivided, files, margin)
        timed = sum(point.latency_s is not None for point in points)
        left_out = [row["run"] for row in own if row["run"] in undated]
        yield Series(
            machine=name,
            case=case,
            family=next((row["family"] for row in own if row["family"] is not None), None),
            points=points,
            changes=changes,
            reason=_too_few(timed) if timed < 2 * MIN_RUNS else None,
            left_out=tuple(f"run {run} is left out: {undated[run]}" for run in left_out),
        )


def _judged(
    points: Sequence[Point], files: dict[str, RunFile], margin: float
) -> tuple[tuple[Point, ...], tuple[LevelChange, ...]]:
    """Return the points with their segments, and the changes between segments."""
    timed = [index for index, point in enumerate(points) if point.latency_s is not None]
    times = [time for point in points if (time := point.latency_s) is not None]
    steps = change_points(times, margin)
    ends = [0, *(step.index for step in steps), len(timed)]
    levelled = list(points)
    levels: list[float] = []
    for segment, (start, end) in enumerate(itertools.pairwise(ends)):
        if end > start:
            levels.append(level(times[start:end]))
        for index in timed[start:end]:
            levelled[index] = dataclasses.replace(points[index], segment=segment, level_s=levels[segment])
    changes = []
    for segment, step in enumerate(steps):
        last, first = points[timed[step.index - 1]], points[timed[step.index]]
        both = [points[index] for index in timed[ends[segment] : ends[segment + 2]]]
        changes.append(
            LevelChange(
                index=timed[step.index],
                run=first.run,
                started=first.started,
                previous=last.run,
                before_s=levels[segment],
                after_s=levels[segment + 1],
                ratio=step.ratio.value,
                low=step.ratio.low,
                high=step.ratio.high,
                p=step.p,
                runs=len(both),
                noisy=sum(bool(point.noisy) for point in both),
                environment=_environment(files[last.run], files[first.run]),
            )
        )
    return tuple(levelled), tuple(changes)


def _undated(file: RunFile) -> str | None:
    """Return why a run cannot be dated, None where it can."""
    if file.run.arm is not None:
        return "it is an arm of an A/B comparison, whose code may never have been the current code"
    if file.run.started is None:
        return "its source gives no date"
    return None if date_of(file.run.started) else f"{file.run.started!r} is no date"


def _commit(file: RunFile) -> str | None:
    """Return the commit of the code that a run measured; of a measured run it is that of this tool and its networks."""
    source = file.run.source
    if source is None:
        return file.run.environment.tool_commit
    return f"{source.commit}-dirty" if source.commit and source.dirty else source.commit


def _too_few(timed: int) -> str:
    runs = f"{timed or 'no'} run{'s' if timed > 1 else ''} with a latency"
    return f"too few runs to tell: {runs}, and a change needs {MIN_RUNS} before and {MIN_RUNS} after it"


def _environment(before: RunFile, after: RunFile) -> tuple[differences.Change, ...]:
    """Return the differences of the environment between two runs, the most likely explanations first."""
    # Only the headers are compared, and records cost time to gather.
    sides = [Records((dataclasses.replace(file, records=(), statics=()),)) for file in (before, after)]
    changes = differences.environment(*sides)
    code = [file.run.source and file.run.source.code for file in (before, after)]
    if code[0] and code[0] == code[1]:  # each change shows its commit
        changes = (*changes, differences.Change(what="commit", base=code[0], new=code[0]))
    return tuple(sorted(changes, key=lambda change: change.what.rpartition(".")[2] not in _TELLING))
