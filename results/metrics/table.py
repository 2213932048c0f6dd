"""Records to a tidy pandas frame, one row a case."""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from results.metrics.measured import MeasuredRun
from results.metrics.replicates import NUMBERS, add_break_evens, combined, nulls
from results.schema.axes import AXES, COUNTS
from results.schema.case import OPTIONAL, Case
from results.schema.metrics import BOUNDS, METRICS
from results.schema.record import Record, Samples
from results.storage.collector import paused
from results.storage.reader import Records, RunFile

if TYPE_CHECKING:
    import pandas as pd

_MACHINE: Final = ("run", "cpu", "accelerator", "torch")
_KIND: Final = ("family", "block", "depth")
_OUTCOME: Final = ("status", "cause", "replicates", "failed_replicates")
_TOLD: Final = ("interval", "equality", "state", "stop", "warnings", "notes", "nulls")
_TEXTS: Final = (*_MACHINE, *AXES, *_KIND, *_OUTCOME, *_TOLD)
"""All but the numbers, in order."""
_TYPES: Final = {
    **{axis: "Int64" if axis in OPTIONAL else "int64" for axis in COUNTS},
    **dict.fromkeys(("replicates", "failed_replicates"), "int64"),
    "depth": "Int64",
}
"""Types of those of `_TEXTS` that are numbers; `Int64` also holds nulls."""
WHOLE: Final = frozenset({*_TYPES, *(name for name, metric in METRICS.items() if metric.whole)})
"""Columns of whole numbers."""

COLUMNS: Final = (*_MACHINE, *AXES, *_KIND, *_OUTCOME, *NUMBERS, *_TOLD)
"""The columns of `table`, in order."""

_VERDICTS: Final = ("wrong", "eager-twice-differs", "equal", None)
_STATES: Final = ("never steady", "slowing", "steady", None)
_STOPS: Final = (None, "time-limit", "budget", "target")
"""What counts of several replicates comes first: one that was not checked tells nothing, one whose end is not known
all."""


def table(records: Records) -> "pd.DataFrame":
    """Return a frame with one row for each case of each run, failed cases included, in the order of the plan.

    Metrics are float64 columns in the units of ``frame.attrs["units"]`` (by column), NaN where a value could not
    be had; the column ``nulls`` holds a dict of the reasons, which rows that lack the same for the same reasons
    share: copy one before you change it. Replicates are brought together as `METRICS` says.
    The number of ``threads`` is null where an imported source does not tell it.
    ``interval`` says what the bounds of latency and speed-up span: ``replicates`` (two or more processes), or
    ``process`` (the turns of a single one, which does not tell how another would do). Where any replicate
    failed, ``status`` and ``cause`` are those of the first that did, and ``replicates`` counts only the others,
    from which the metrics come: a case that fails now and then never looks sound. A replicate that was measured
    again after a break counts once, as it was last.

    ``equality`` is the worst verdict of the replicates that were checked (a run checks the first);
    ``state`` is the worst of ``steady``, ``slowing`` and ``never steady``; ``stop`` is ``target`` only where all
    replicates became precise enough. Steps to break-even that are infinite are NaN with a reason that begins with
    ``never``.
    """
    return frame([MeasuredRun(file) for file in records.files])


@paused()
def frame(runs: Sequence[MeasuredRun]) -> "pd.DataFrame":
    """Return `table` of some runs."""
    import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

    parts = [_columns(run) for run in runs if run.file.records]
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name in NUMBERS:
            columns[name] = np.concatenate([np.empty(0), *(part[name] for part in parts)])
        else:
            column = list(chain.from_iterable(part[name] for part in parts))
            # Text is of type object: pandas' own holds, with pyarrow beside it, no lone surrogates.
            columns[name] = pd.Series(column, dtype=_TYPES.get(name, "object"))
    made = pd.DataFrame(columns)
    made.attrs["units"] = {name: metric.unit for name, metric in METRICS.items()} | BOUNDS
    return made


def usable(made: "pd.DataFrame") -> "pd.Series[bool]":
    """Return whether each row of `table` counts: its case ended well, computed the right result and has a value.

    What does not count is no point of a chart, no cell of a pivot, no benchmark of an export and no run of a history.
    """
    valued = made[list(METRICS)].notna().any(axis="columns")
    return made["status"].eq("ok") & made["equality"].ne("wrong") & valued


def _columns(run: MeasuredRun) -> dict[str, Any]:
    """Return the columns of one run that has a record: arrays of numbers, lists of everything else."""
    file, records, cases, measures, warned = run.file, run.file.records, run.replicates, run.measures, run.warnings
    failed = {place for place, record in enumerate(records) if record.status != "ok"}
    replicates = [list(one.values()) for one in cases.values()]
    sound = [one if failed.isdisjoint(one) else [place for place in one if place not in failed] for one in replicates]
    # Where none came to its end, the first tells why; an imported case is one row of its source.
    imported = {row for row, (first, *_) in enumerate(replicates) if records[first].summary is not None}
    picked = [
        one[:1] if not good or row in imported else good
        for row, (good, one) in enumerate(zip(sound, replicates, strict=True))
    ]
    values = combined(records, measures, picked)
    evens = add_break_evens(values, run.even, imported)
    columns = _of_run(file, list(cases)) | _outcomes(records, replicates, sound)
    bounded = ~(np.isnan(values["latency_low_s"]) & np.isnan(values["speedup_low"]))
    verdicts = _worst([one.equality.verdict if one.equality else None for one in records], sound, _VERDICTS)
    columns |= {
        "interval": [
            ("replicates" if len(good) > 1 else "process") if known else None
            for good, known in zip(sound, bounded.tolist(), strict=True)
        ],
        "equality": verdicts,
        "state": _worst([_state(one.samples) for one in records], sound, _STATES),
        "stop": _worst([one.stop for one in records], sound, _STOPS),
        "warnings": _merged(warned, sound),
        "notes": _merged([record.notes for record in records], replicates),
        "nulls": nulls(records, measures, picked, values, evens, verdicts, run.memo),
    }
    for row in imported:
        for name, value in _of_source(records[replicates[row][0]]).items():
            columns[name][row] = value
    return columns | values


def _of_run(file: RunFile, cases: Sequence[Case]) -> dict[str, list[Any]]:
    """Return the columns that tell what was measured, and where."""
    environment, statics = file.run.environment, file.static_costs()
    names = {one.device: one.name for one in environment.accelerators}
    costs = [statics.get((case.model, case.image_size)) for case in cases]
    return {
        "run": [file.run.id] * len(cases),
        "cpu": [environment.cpu] * len(cases),
        "accelerator": [names.get(case.device) for case in cases],
        "torch": [environment.torch] * len(cases),
        **{axis: [getattr(case, axis) for case in cases] for axis in AXES},
        **{name: [None if cost is None else getattr(cost, name) for cost in costs] for name in _KIND},
    }


def _outcomes(
    records: Sequence[Record], replicates: Sequence[Sequence[int]], sound: Sequence[Sequence[int]]
) -> dict[str, list[Any]]:
    """Return the columns of `_OUTCOME`, from the places of each case's records and of those that came to their end."""
    columns: dict[str, list[Any]] = {"status": ["ok"] * len(sound), "cause": [None] * len(sound)}
    columns["replicates"] = list(map(len, sound))
    columns["failed_replicates"] = [len(one) - len(good) for one, good in zip(replicates, sound, strict=True)]
    for row, count in enumerate(columns["failed_replicates"]):
        if count:
            first = next(records[place] for place in replicates[row] if records[place].status != "ok")
            cause = first.cause or "no cause given"
            several = f"{count} of {len(replicates[row])} replicates failed, the first with: {cause}"
            columns["status"][row] = first.status
            columns["cause"][row] = cause if len(replicates[row]) == 1 else several
    return columns


def _worst(
    values: Sequence[str | None], places: Sequence[Sequence[int]], order: Sequence[str | None]
) -> list[str | None]:
    """Return for each case the value of its records that comes first in `order`, None where it has no record."""
    return [values[one[0]] if len(one) == 1 else _first(order, [values[place] for place in one]) for one in places]


def _first(order: Sequence[str | None], values: Sequence[str | None]) -> str | None:
    return next((one for one in order if one in values), None)


def worst_stop(records: Sequence[Record]) -> str | None:
    """Return why sampling ended: ``target`` only if every replicate became precise enough."""
    return _first(_STOPS, [record.stop for record in records])


def _state(samples: Samples | None) -> str | None:
    if samples is None:
        return None
    return "steady" if samples.steady else "slowing" if samples.slowing else "never steady"


def _of_source(record: Record) -> dict[str, Any]:
    """Return what an imported case tells in place of what replicates would."""
    summary = record.summary
    return {
        **{name: getattr(summary, name) for name in (*_KIND, "replicates", "failed_replicates", "interval")},
        **{name: getattr(summary, name) for name in ("equality", "state", "warnings")},
        **{name: getattr(record, name) for name in ("status", "cause", "stop", "notes")},
    }


def _merged(lines: Sequence[tuple[str, ...]], places: Sequence[Sequence[int]]) -> list[tuple[str, ...]]:
    """Return for each case the lines of all its records, each once."""
    return [
        lines[one[0]]
        if len(one) == 1 and len(lines[one[0]]) < 2
        else tuple(dict.fromkeys(chain.from_iterable([lines[place] for place in one])))
        for one in places
    ]
