"""The tidy pandas frame of records, a row a case."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from results.metrics.measured import MeasuredRun
from results.metrics.replicates import NUMBERS, add_break_evens, combined, nulls
from results.schema.axes import AXES, COUNTS, SIZES
from results.schema.case import OPTIONAL, Case
from results.schema.lines.record import Record, Samples
from results.schema.lines.static import static_key
from results.schema.metrics import BOUNDS, METRICS
from results.statistics.segments import Floats
from results.storage.reader import Records, RunFile

if TYPE_CHECKING:
    import pandas as pd

_MACHINE: Final = ("run", "cpu", "accelerator", "torch")
_KIND: Final = ("family", "block", "depth")
_OUTCOME: Final = ("status", "cause", "replicates", "failed_replicates")
_REMARKS: Final = ("interval", "equality", "state", "stop", "warnings", "notes", "nulls")
_TEXTS: Final = (*_MACHINE, *AXES, *_KIND, *_OUTCOME, *_REMARKS)
"""All columns but the numbers, in order."""
AXIS_TYPES: Final = {axis: "Int64" if axis in OPTIONAL else "int64" for axis in COUNTS}
"""Types of the axes' columns of counts; `Int64` also holds nulls."""
_TYPES: Final = {
    **AXIS_TYPES,
    **dict.fromkeys(("replicates", "failed_replicates"), "int64"),
    "depth": "Int64",
}
"""Types of the columns of `_TEXTS` that are numbers."""
WHOLE: Final = frozenset({*_TYPES, *(name for name, metric in METRICS.items() if metric.whole)})
"""Columns of whole numbers."""

COLUMNS: Final = (*_MACHINE, *AXES, *_KIND, *_OUTCOME, *NUMBERS, *_REMARKS)
"""The columns of `table`, in order."""

_VERDICTS: Final = ("wrong", "eager-twice-differs", "equal", None)
_STATES: Final = ("never steady", "slowing", "steady", None)
_STOPS: Final = (None, "time-limit", "budget", "eliminated", "target")
"""Values of a column in order of priority over replicates: an unchecked replicate counts last, a replicate with an
unknown end first."""


def table(records: Records, reference: str | None = None) -> "pd.DataFrame":
    """Return a frame with a row for each case of each run, failed cases included, in the order of the plan.

    Metrics are float64 columns in the units of ``frame.attrs["units"]`` (by column). A missing value is NaN, and the
    column ``nulls`` holds a dict of the reasons by column; many rows share a dict, so copy it before you change it.
    `METRICS` declares how replicates are combined. ``threads`` is null where an imported source does not state it.
    ``image_size`` is int64; where an image is not square, it holds int for squares and text, ``224x160``, for others.

    ``interval`` names the variation that the bounds of latency and speed-up cover: ``replicates`` (two or more
    processes), or ``process`` (the turns of a single process, without the variation between processes). Where a
    replicate failed, ``status`` and ``cause`` describe the first failure, and ``replicates`` counts only the others,
    which give the metrics: a case that fails now and then always shows its failure. The last record of a replicate
    counts where it was measured again after a break.

    ``equality`` is the worst verdict of the replicates that were checked (a run checks the first);
    ``state`` is the worst of ``steady``, ``slowing`` and ``never steady``; ``stop`` is ``target`` only where all
    replicates became precise enough. Steps to break-even that are infinite are NaN, and
    `results.metrics.breakeven.is_never` recognises their reason.

    Args:
        records: the records.
        reference: the model, or the key of the case, to which ``relative`` times are relative; the default is that of
            `results.metrics.relative.reference.reference`, for each run.

    Raises:
        InputError: A run has no case of this name.
    """
    return table_of([MeasuredRun(file, reference) for file in records.files])


def table_of(runs: Sequence[MeasuredRun]) -> "pd.DataFrame":
    """Return `table` of runs whose statistics may be computed in part."""
    import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

    parts = [_columns(run) for run in runs if run.file.records]
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name in NUMBERS:
            columns[name] = np.concatenate([np.empty(0), *(part[name] for part in parts)])
        else:
            column = list(chain.from_iterable(part[name] for part in parts))
            # Text is of type object: where pyarrow is installed, pandas' own type cannot hold lone surrogates.
            kind = size_type(column) if name in SIZES else _TYPES.get(name, "object")
            columns[name] = pd.Series(column, dtype=kind)
    frame = pd.DataFrame(columns)
    frame.attrs["units"] = {name: metric.unit for name, metric in METRICS.items()} | BOUNDS
    return frame


def size_type(sizes: Iterable[object]) -> str:
    """Return the type of a column of image sizes: whole numbers, if all images are square."""
    return "object" if any(isinstance(size, str) for size in sizes) else "int64"


def usable(frame: "pd.DataFrame") -> "pd.Series[bool]":
    """Return whether each row of `table` counts: its case succeeded, computed the right result and has a value.

    Charts, pivots, exports of benchmarks and histories leave out the other rows.
    """
    valued = frame[list(METRICS)].notna().any(axis="columns")
    return frame["status"].eq("ok") & ~wrong(frame) & valued


def wrong(frame: "pd.DataFrame") -> "pd.Series[bool]":
    """Return whether the case of each row of `table` ended well and computed a wrong result."""
    return frame["status"].eq("ok") & frame["equality"].eq("wrong")


def _columns(run: MeasuredRun) -> dict[str, Any]:
    """Return the columns of a run with at least one record: arrays of numbers, lists of other values."""
    records, measures = run.file.records, run.measures
    failed = {index for index, record in enumerate(records) if record.status != "ok"}
    replicates = [list(indices.values()) for indices in run.replicates.values()]
    sound = [
        indices if failed.isdisjoint(indices) else [index for index in indices if index not in failed]
        for indices in replicates
    ]
    # Where no replicate succeeded, the first gives the reasons; an imported case is a single row of its source.
    imported = {row for row, (first, *_) in enumerate(replicates) if records[first].summary is not None}
    counted = [
        indices[:1] if not ended or row in imported else ended
        for row, (ended, indices) in enumerate(zip(sound, replicates, strict=True))
    ]
    values = combined(records, measures, counted)
    lacking = add_break_evens(values, run.even, imported)
    verdicts = _worst([record.equality.verdict if record.equality else None for record in records], sound, _VERDICTS)
    columns = _of_run(run.file, list(run.replicates)) | _outcomes(records, replicates, sound)
    columns |= {
        "interval": _spans(values, sound),
        "equality": verdicts,
        "state": _worst([_state(record.samples) for record in records], sound, _STATES),
        "stop": _worst([record.stop for record in records], sound, _STOPS),
        "warnings": _merged([tuple(map(str, warnings)) for warnings in run.warnings], sound),
        "notes": _merged([record.notes for record in records], replicates),
        "nulls": nulls(records, measures, counted, values, lacking, verdicts),
    }
    for row in imported:
        for name, value in _of_source(records[replicates[row][0]]).items():
            columns[name][row] = value
    return columns | values


def _of_run(file: RunFile, cases: Sequence[Case]) -> dict[str, list[Any]]:
    """Return the columns that name the case and the machine."""
    environment, statics = file.run.environment, file.static_costs()
    cards = {card.device: card.name for card in environment.accelerators}
    costs = [statics.get(static_key(case)) for case in cases]
    return {
        "run": [file.run.id] * len(cases),
        "cpu": [environment.cpu] * len(cases),
        "accelerator": [cards.get(case.device) for case in cases],
        "torch": [environment.torch] * len(cases),
        **{axis: [getattr(case, axis) for case in cases] for axis in AXES},
        **{name: [None if cost is None else getattr(cost, name) for cost in costs] for name in _KIND},
    }


def _outcomes(
    records: Sequence[Record], replicates: Sequence[Sequence[int]], sound: Sequence[Sequence[int]]
) -> dict[str, list[Any]]:
    """Return the columns of `_OUTCOME`, from the indices of each case's records and of its successful records."""
    columns: dict[str, list[Any]] = {"status": ["ok"] * len(sound), "cause": [None] * len(sound)}
    columns["replicates"] = list(map(len, sound))
    columns["failed_replicates"] = [len(all_) - len(ended) for all_, ended in zip(replicates, sound, strict=True)]
    for row, count in enumerate(columns["failed_replicates"]):
        if count:
            first = next(records[index] for index in replicates[row] if records[index].status != "ok")
            cause = first.cause or "no cause given"
            several = f"{count} of {len(replicates[row])} replicates failed, the first with: {cause}"
            columns["status"][row] = first.status
            columns["cause"][row] = cause if len(replicates[row]) == 1 else several
    return columns


def _spans(values: Mapping[str, Floats], sound: Sequence[Sequence[int]]) -> list[str | None]:
    """Return the variation that the bounds of each case cover, None for a case without bounds."""
    bounded = ~(np.isnan(values["latency_low_s"]) & np.isnan(values["speedup_low"]))
    return [
        ("replicates" if len(ended) > 1 else "process") if has_bounds else None
        for ended, has_bounds in zip(sound, bounded.tolist(), strict=True)
    ]


def _worst(
    values: Sequence[str | None], cases: Sequence[Sequence[int]], order: Sequence[str | None]
) -> list[str | None]:
    """Return the first value in `order` that the records of each case have, None for a case without records."""
    return [
        values[indices[0]] if len(indices) == 1 else _first(order, [values[index] for index in indices])
        for indices in cases
    ]


def _first(order: Sequence[str | None], values: Sequence[str | None]) -> str | None:
    return next((value for value in order if value in values), None)


def worst_stop(records: Sequence[Record]) -> str | None:
    """Return why sampling ended: ``target`` only if every replicate became precise enough."""
    return _first(_STOPS, [record.stop for record in records])


def _state(samples: Samples | None) -> str | None:
    if samples is None:
        return None
    return "steady" if samples.steady else "slowing" if samples.slowing else "never steady"


def _of_source(record: Record) -> dict[str, Any]:
    """Return the columns that an imported case states in place of replicates."""
    summary = record.summary
    return {
        **{name: getattr(summary, name) for name in (*_KIND, "replicates", "failed_replicates", "interval")},
        **{name: getattr(summary, name) for name in ("equality", "state", "warnings")},
        **{name: getattr(record, name) for name in ("status", "cause", "stop", "notes")},
    }


def _merged(lines: Sequence[tuple[str, ...]], cases: Sequence[Sequence[int]]) -> list[tuple[str, ...]]:
    """Return the distinct lines of all records of each case."""
    return [
        lines[indices[0]]
        if len(indices) == 1 and len(lines[indices[0]]) < 2
        else tuple(dict.fromkeys(chain.from_iterable([lines[index] for index in indices])))
        for indices in cases
    ]
