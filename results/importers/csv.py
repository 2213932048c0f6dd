"""Our own CSV, as ``export csv`` and the page write it: runs are restored completely, except their raw samples.

Older versions had fewer columns. Values that such a file lacks are null, with a reason where values have one; an axis
has its default, or is unknown.
"""

import json
from typing import Any, Final

from results.errors import InputError
from results.image_size import parse_image_size
from results.importers.reading import (
    Content,
    Imported,
    Options,
    Tell,
    check_new,
    unknown_environment,
)
from results.importers.rows import SourceRow, csv_rows, quoted
from results.metrics.table import COLUMNS
from results.schema.axes import AXES, COUNTS, SIZES
from results.schema.case import UNSTATED, Case
from results.schema.lines.record import Record, Summary
from results.schema.lines.run import RunHeader
from results.schema.metrics import BOUNDS, METRICS
from results.schema.types import LEAST_S
from results.storage.lines import POSITIVE
from results.storage.reader import check_run_id
from results.text import csv_value

FORMAT: Final = "csv"

_NEEDED: Final = {
    *(axis for axis in AXES if axis not in UNSTATED),
    "run",
    "status",
    "replicates",
    "failed_replicates",
    "latency_s",
    "throughput_img_per_s",
}
"""Columns that every row needs."""
_ABSENT: Final = "the file has no such column: an older version exported it"


def read(content: Content, options: Options, tell: Tell) -> list[Imported]:  # noqa: ARG001 - an importer's signature
    """Return the runs that one of our CSV files holds, in the order in which they begin.

    Raises:
        InputError: The columns are not those of `results.table`, or a cell holds what none of them can.
    """
    heads, rows = csv_rows(content)
    for what, names in (("no column", _NEEDED - {*heads}), ("unknown column", {*heads} - set(COLUMNS))):
        if names:
            first = next(name for name in (*COLUMNS, *heads) if name in names)
            raise InputError(f"{content.name} line 1: {what} {quoted(first)}; this is no CSV of this resnet-bench")
    runs: dict[str, list[SourceRow]] = {}
    for row in rows:
        name = _text(row, "run")
        try:
            check_run_id(name or "")
        except InputError as error:
            raise row.error("run", str(error)) from None
        runs.setdefault(str(name), []).append(row)
    if not runs:
        raise InputError(f"{content.name}: holds no row to import")
    return [_run(content, name, own) for name, own in runs.items()]


def _run(content: Content, name: str, rows: list[SourceRow]) -> Imported:
    machine: dict[str, tuple[str | None, int]] = {}
    seen: dict[Case, str] = {}
    records = []
    for row in rows:
        axes = {axis: UNSTATED[axis] if axis not in row.cells else _axis(row, axis) for axis in AXES}
        case = Case(**axes)  # type: ignore[arg-type] # checked as it is written
        for key, column in (("cpu", "cpu"), ("torch", "torch"), (f"on {case.device}", "accelerator")):
            value, line = machine.setdefault(key, (_text(row, column), row.line))
            if value != _text(row, column):
                cell = quoted(row.cells[column])
                raise row.error(column, f"{cell} is not what line {line} has for the same run and device")
        wrong = check_new(case, seen, f"line {row.line}")
        if wrong:
            raise row.error("model", wrong)
        records.append(_record(row, case))
    cards = {
        key.removeprefix("on "): value
        for key, (value, _) in machine.items()
        if key.startswith("on ") and (value is not None or key != "on cpu")
    }
    run = RunHeader(
        id=name,
        started=None,
        suite=FORMAT,
        settings=None,
        environment=unknown_environment(cpu=machine["cpu"][0], torch=machine["torch"][0], accelerators=cards),
        plan=tuple(seen),
        source=content.source(FORMAT),
    )
    positions = tuple(f"line {row.line}" for row in rows)
    return Imported(run=run, records=tuple(records), positions=positions)


def _axis(row: SourceRow, axis: str) -> str | int | None:
    if axis in SIZES and "x" in row.cells[axis]:
        try:
            return parse_image_size(row.cells[axis])
        except InputError as error:
            raise row.error(axis, str(error)) from None
    return row.whole(axis) if axis in {*COUNTS, *SIZES} else _text(row, axis)


def _record(row: SourceRow, case: Case) -> Record:
    metrics = {
        name: value for name in METRICS if (value := row.number(name, LEAST_S if name in POSITIVE else 0)) is not None
    }
    bounds = {name: value for name in BOUNDS if (value := row.number(name)) is not None}
    fields: dict[str, Any] = {name: _text(row, name) for name in ("interval", "family", "block", "equality", "state")}
    summary = Summary(
        metrics=metrics,
        bounds=bounds,
        depth=row.whole("depth"),
        replicates=_count(row, "replicates"),
        failed_replicates=_count(row, "failed_replicates"),
        warnings=tuple(_json(row, "warnings", list)),
        **fields,
    )
    absent = dict.fromkeys((name for name in (*METRICS, *BOUNDS, "equality") if name not in row.cells), _ABSENT)
    ended: dict[str, Any] = {name: _text(row, name) for name in ("status", "cause", "stop")}
    return Record(
        case=case,
        replicate=0,
        started=None,
        duration_s=None,
        summary=summary,
        nulls=absent | _json(row, "nulls", dict),
        notes=tuple(_json(row, "notes", list)),
        **ended,
    )


def _text(row: SourceRow, column: str) -> str | None:
    return csv_value(row.cells.get(column, ""))


def _count(row: SourceRow, column: str) -> int:
    value = row.whole(column, low=0)
    if value is None:
        raise row.error(column, "empty")
    return value


def _json(row: SourceRow, column: str, kind: type) -> Any:
    if column not in row.cells:
        return kind()
    try:
        content = json.loads(row.cells[column])
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, kind):
        raise row.error(column, f"{quoted(row.cells[column])} is no JSON {'list' if kind is list else 'object'}")
    return content
