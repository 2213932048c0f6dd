"""The frame of `results.table` as text: for people few columns and honest digits, for programs the whole of it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.text.grid import markdown_escaped, markdown_table, text_table
from reports.text.pivots import depth_by_block, speedups
from results.errors import InputError, suggestion
from results.metrics.warnings import kind
from results.schema.axes import AXES
from results.text import FINEST, csv_text, digits, half_width, printable

if TYPE_CHECKING:
    import pandas as pd
from results.metrics.rows import json_text, plain

FORMATS: Final = ("table", "json", "csv", "markdown")
_SHORT_AXES: Final = {"batch_size": "batch", "image_size": "px"}

_WIDEST: Final = 100
"""Columns of a pivot. What grows with the number of rows and of columns soon is more text than the table."""

_Row = dict[str, Any]


def format_table(frame: "pd.DataFrame", fmt: str) -> str:
    """Return the frame of `results.table` as text, ending in a newline.

    ``table`` and ``markdown`` show what a person compares, in ms, images a second, GFLOP/s and GB; lines above say
    on what all cases agree, and what ± is. ``json`` (a list of objects with nulls) and ``csv`` hold every column,
    exact and in the units of ``frame.attrs``.

    Raises:
        InputError: There is no such format.
    """
    check_format(fmt)
    rows = plain(frame)
    if fmt == "json":
        return json_text(rows)
    if fmt == "csv":
        return csv_text(list(frame.columns), [list(row.values()) for row in rows])
    heads, cells, numbers_from = _compact(rows)
    return lines_text(_above(rows), fmt) + grid_text(heads, cells, fmt, numbers_from=numbers_from, numbers_to=-1)


def pivots_text(frame: "pd.DataFrame", fmt: str) -> str:
    """Return the pivots for people that stand under the table, each with a title.

    Empty where there is nothing to set side by side, and for ``json`` and ``csv``, whose readers pivot for themselves.
    """
    check_format(fmt)
    if fmt in {"json", "csv"}:
        return ""
    titled = {
        "images a second by depth and kind": depth_by_block(frame),
        "speed-up over fp32, eager, nchw": speedups(frame),
    }
    # A single column is in the table already.
    return "".join(_pivot(title, pivot, fmt) for title, pivot in titled.items() if len(pivot.columns) > 1)


def check_format(fmt: str) -> None:
    """Raise `InputError` unless `fmt` is one of `FORMATS`."""
    if fmt not in FORMATS:
        near = suggestion(fmt, FORMATS)
        raise InputError(f"unknown format {fmt!r}{near} (choices: {', '.join(FORMATS)})")


def lines_text(lines: Sequence[str], fmt: str) -> str:
    """Return lines for ``table`` or ``markdown`` (where each is a paragraph)."""
    if fmt == "markdown":
        return "".join(f"{markdown_escaped(line)}\n\n" for line in lines)
    return "".join(f"{printable(line)}\n" for line in lines)


def grid_text(
    heads: Sequence[str], rows: Sequence[Sequence[str]], fmt: str, *, numbers_from: int, numbers_to: int | None = None
) -> str:
    """Return a table as ``table`` or ``markdown``; see `reports.text.grid.text_table`."""
    draw = markdown_table if fmt == "markdown" else text_table
    return draw(heads, rows, numbers_from=numbers_from, numbers_to=numbers_to)


def percent(relative: float | None) -> str:
    """Return a half-width in percent with two digits, ``-`` for none."""
    return "-" if relative is None else digits(100 * max(relative, FINEST), 0.1)


def _above(rows: Sequence[_Row]) -> list[str]:
    if not rows:
        return []
    machines = {_machine(row) for row in rows}
    shared = [*machines] if len(machines) == 1 else []
    shared += [_axis(axis, rows[0][axis]) for axis in AXES if _shared(axis, rows)]
    spans = dict.fromkeys(_span(row) for row in rows if row["interval"] is not None)
    told = f"± is the half-width of the 95 % interval {', or '.join(spans)}"
    return [line for line in (", ".join(shared), told if spans else "") if line]


def _span(row: _Row) -> str:
    return "within one process" if row["interval"] == "process" else f"across {row['replicates']} processes"


def _machine(row: _Row) -> str:
    return f"{row['accelerator'] or row['cpu'] or 'unknown machine'}, torch {row['torch'] or 'unknown'}"


def _shared(axis: str, rows: Sequence[_Row]) -> bool:
    return axis != "model" and len({row[axis] for row in rows}) == 1


def _axis(axis: str, value: Any) -> str:
    words = {"batch_size": "batch {}", "image_size": "{} px", "threads": "{} threads"}
    return words.get(axis, "{}").format("unknown" if value is None else value)


def _compact(rows: Sequence[_Row]) -> tuple[list[str], list[list[str]], int]:
    """Return heads and rows for people, and the column at which the numbers begin; the last one is the status."""
    named: dict[str, Callable[[_Row], str]] = {}
    if len({row["run"] for row in rows}) > 1:
        named["run"] = lambda row: str(row["run"])
    if len({_machine(row) for row in rows}) > 1:
        named["machine"] = _machine
    for axis in AXES:
        if not rows or not _shared(axis, rows):
            named[_SHORT_AXES.get(axis, axis)] = lambda row, axis=axis: "-" if row[axis] is None else str(row[axis])  # type: ignore[misc]
    if len({_span(row) for row in rows if row["interval"] is not None}) > 1:
        named["processes"] = lambda row: str(row["replicates"])
    # Pairs, as a head may stand twice: the ± of the latency and that of the speed-up.
    columns = [
        *named.items(),
        ("ms", lambda row: _scaled(row["latency_s"], 1e3, _latency(row))),
        ("± %", lambda row: percent(_latency(row))),
        ("img/s", lambda row: _scaled(row["throughput_img_per_s"], 1, _latency(row))),
        ("speed-up", lambda row: _scaled(row["speedup"], 1, _speedup(row))),
        *_where(rows, "speedup_low", "± %", lambda row: percent(_speedup(row))),
        ("GFLOP/s", lambda row: _scaled(row["flops_per_s"], 1e-9, _latency(row))),
        *_where(rows, "peak_resident_bytes", "GB resident", lambda row: _gigabytes(row["peak_resident_bytes"])),
        *_where(rows, "peak_allocated_bytes", "GB allocated", lambda row: _gigabytes(row["peak_allocated_bytes"])),
        ("status", _status),
    ]
    return [head for head, _ in columns], [[column(row) for _, column in columns] for row in rows], len(named)


def _where(
    rows: Sequence[_Row], name: str, head: str, column: Callable[[_Row], str]
) -> list[tuple[str, Callable[[_Row], str]]]:
    """Return the column, where any row has a value for it."""
    return [(head, column)] if any(row[name] is not None for row in rows) else []


def _latency(row: _Row) -> float | None:
    return _relative(row["latency_s"], row["latency_low_s"], row["latency_high_s"])


def _speedup(row: _Row) -> float | None:
    return _relative(row["speedup"], row["speedup_low"], row["speedup_high"])


def _relative(value: float | None, low: float | None, high: float | None) -> float | None:
    return None if value is None or low is None or high is None else half_width(value, low, high)


def _scaled(value: float | None, scale: float, relative: float | None) -> str:
    return "-" if value is None else digits(value * scale, relative)


def _gigabytes(value: float | None) -> str:
    return _scaled(value, 1e-9, None)


def _status(row: _Row) -> str:
    if row["status"] != "ok":
        return f"{row['status']}: {row['cause']}"
    kinds = list(dict.fromkeys(kind(line) for line in row["warnings"]))
    if row["equality"] == "wrong":
        return ", ".join(["wrong result", *(one for one in kinds if one != "wrong")])
    return f"ok, but {', '.join(kinds)}" if kinds else "ok"


def _pivot(title: str, pivot: "pd.DataFrame", fmt: str) -> str:
    import pandas as pd  # noqa: PLC0415 (as above)

    if len(pivot.columns) > _WIDEST:
        return lines_text(["", f"{title}: left out, as nobody reads {len(pivot.columns):,} columns side by side"], fmt)
    labels = [" ".join(_parts(label)) for label in pivot.columns]
    cells = [
        [*_parts(key), *("-" if pd.isna(value) else digits(value, None) for value in row)]
        for key, row in zip(pivot.index, pivot.to_numpy().tolist(), strict=True)
    ]
    names = [_SHORT_AXES.get(str(name), str(name)) for name in pivot.index.names]
    return lines_text(["", title], fmt) + grid_text([*names, *labels], cells, fmt, numbers_from=len(names))


def _parts(label: object) -> list[str]:
    """Return the words of a row's or column's name in a pivot: an unknown value is ``-``, as in the table."""
    import pandas as pd  # noqa: PLC0415 (as above)

    return ["-" if pd.isna(part) else str(part) for part in (label if isinstance(label, tuple) else (label,))]
