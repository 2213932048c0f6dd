"""The table of all cases as text: few columns and significant digits for people, every column for programs."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from reports.style.words import WRONG_RESULT
from reports.text.grid import check_format, grid_text, lines_text
from reports.text.pivots import depth_by_block, speedups_by_setting
from results.metrics.rows import json_text, plain
from results.metrics.warnings import WRONG, kind
from results.schema.axes import AXES, axis_text, baseline_text, is_silent
from results.schema.metric import Metric
from results.schema.metrics import METRICS
from results.text import UNKNOWN, UNKNOWN_MEANING, csv_text, digits, half_text, half_width

_WIDEST: Final = 100
"""The most columns of a pivot, whose text grows with rows times columns, to megabytes for a large run."""
PERCENT: Final = "± %"
"""Head of a column of half-widths."""
_LATENCY: Final = METRICS["latency_s"]
"""The measured time. Rates are the work of a step over it, so they have its relative interval."""

_Row = dict[str, Any]
_Columns = Iterator[tuple[str, Callable[[_Row], str]]]
"""Heads with functions that return the cell of a row. Pairs, as a head may occur twice, such as ``± %``."""


def format_table(frame: pd.DataFrame, fmt: str) -> str:
    """Return the frame of `results.table` as text, ending in a newline.

    ``table`` and ``markdown`` show the metrics that have a column in a terminal; lines above state the values that all
    cases share, and the meaning of ±. ``json`` (a list of objects with nulls) and ``csv`` hold every column, exact and
    in the units of ``frame.attrs``.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    rows = plain(frame)
    if fmt == "json":
        return json_text(rows)
    if fmt == "csv":
        return csv_text(list(frame.columns), [list(row.values()) for row in rows])
    names = list(_names(rows))
    columns = [*names, *_numbers(rows), ("status", _status)]
    cells = [[cell(row) for _, cell in columns] for row in rows]
    grid = grid_text([head for head, _ in columns], cells, fmt, numbers_from=len(names), numbers_to=-1)
    halves = [index for index, (head, _) in enumerate(columns) if head == PERCENT]
    unknown = any(row[index] == UNKNOWN for row in cells for index in halves)
    return lines_text(_above(rows, unknown=unknown), fmt) + grid


def pivots_text(frame: pd.DataFrame, fmt: str) -> str:
    """Return the pivots of `reports.text.pivots` with titles, for people.

    Empty for ``json`` and ``csv``, and for pivots with a single column, which the table already shows.
    """
    check_format(fmt)
    if fmt in {"json", "csv"}:
        return ""
    titled = {
        "images a second by depth and kind": depth_by_block(frame),
        f"speed-up over {baseline_text()}": speedups_by_setting(frame),
    }
    return "".join(_pivot(title, pivot, fmt) for title, pivot in titled.items() if len(pivot.columns) > 1)


def _above(rows: Sequence[_Row], *, unknown: bool) -> list[str]:
    if not rows:
        return []
    machines = {_machine(row) for row in rows}
    shared = [*machines] if len(machines) == 1 else []
    values = {axis: rows[0][axis] for axis in AXES if _shared(axis, rows)}
    shared += [axis_text(axis, value) for axis, value in values.items() if not is_silent(axis, value)]
    spans = dict.fromkeys(_span(row) for row in rows if row["interval"] is not None)
    meaning = f"± is the half-width of the 95 % interval {', or '.join(spans)}"
    lines = (", ".join(shared), meaning if spans else "", UNKNOWN_MEANING if unknown else "")
    return [line for line in lines if line]


def _span(row: _Row) -> str:
    return "within one process" if row["interval"] == "process" else f"across {row['replicates']} processes"


def _machine(row: _Row) -> str:
    return f"{row['accelerator'] or row['cpu'] or 'unknown machine'}, torch {row['torch'] or 'unknown'}"


def _shared(axis: str, rows: Sequence[_Row]) -> bool:
    return AXES[axis].role != "model" and len({row[axis] for row in rows}) == 1


def _names(rows: Sequence[_Row]) -> _Columns:
    """Yield the columns that identify a row: run, machine, axes and processes, where they vary."""
    if len({row["run"] for row in rows}) > 1:
        yield "run", lambda row: str(row["run"])
    if len({_machine(row) for row in rows}) > 1:
        yield "machine", _machine
    for name, axis in AXES.items():
        if not rows or not _shared(name, rows):
            yield axis.heading, partial(_value, name)
    if len({_span(row) for row in rows if row["interval"] is not None}) > 1:
        yield "processes", lambda row: str(row["replicates"])


def _value(name: str, row: _Row) -> str:
    return "-" if row[name] is None else str(row[name])


def _numbers(rows: Sequence[_Row]) -> _Columns:
    """Yield the columns of metrics: times and rates, then other metrics that have a value in any row."""
    shown = [(metric, *metric.terminal) for metric in METRICS.values() if metric.terminal]
    for metric, factor, head in sorted(shown, key=lambda item: item[0].combine != "geometric"):
        if metric.combine == "geometric" or _any(rows, metric.name):
            yield head, partial(_scaled, metric, factor)
        if metric.bounds and (metric is _LATENCY or _any(rows, metric.bounds[0])):
            yield PERCENT, partial(_percent, metric)


def _any(rows: Sequence[_Row], name: str) -> bool:
    return any(row[name] is not None for row in rows)


def _scaled(metric: Metric, factor: float, row: _Row) -> str:
    value = row[metric.name]
    return "-" if value is None else digits(value * factor, _relative(metric, row))


def _percent(metric: Metric, row: _Row) -> str:
    return half_text(_relative(metric, row))


def _relative(metric: Metric, row: _Row) -> float | None:
    """Return the half-width of a value's interval as a fraction, None without an interval."""
    known = metric if metric.bounds or metric.combine != "geometric" else _LATENCY
    if known.bounds is None:
        return None
    value, low, high = (row[name] for name in (known.name, *known.bounds))
    # A baseline over itself is exactly 1: it has no uncertainty to show.
    return None if value is None or low is None or high is None or low == high else half_width(value, low, high)


def _status(row: _Row) -> str:
    if row["status"] != "ok":
        return f"{row['status']}: {row['cause']}"
    kinds = list(dict.fromkeys(kind(line) for line in row["warnings"]))
    if row["equality"] == WRONG:
        return ", ".join([WRONG_RESULT, *(name for name in kinds if name != WRONG)])
    return f"ok, but {', '.join(kinds)}" if kinds else "ok"


def _pivot(title: str, pivot: pd.DataFrame, fmt: str) -> str:
    if len(pivot.columns) > _WIDEST:
        return lines_text(["", f"{title}: left out, as {len(pivot.columns):,} columns are too many to read"], fmt)
    labels = [" ".join(_words(label)) for label in pivot.columns]
    cells = [
        [*_words(key), *("-" if pd.isna(value) else digits(value, None) for value in row)]
        for key, row in zip(pivot.index, pivot.to_numpy().tolist(), strict=True)
    ]
    names = [AXES[name].heading if name in AXES else str(name) for name in pivot.index.names]
    return lines_text(["", title], fmt) + grid_text([*names, *labels], cells, fmt, numbers_from=len(names))


def _words(label: object) -> list[str]:
    """Return the parts of a row's or column's label in a pivot: an unknown value is ``-``, as in the table."""
    return ["-" if pd.isna(part) else str(part) for part in (label if isinstance(label, tuple) else (label,))]
