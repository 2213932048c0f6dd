"""Tables as text: for people (``table``, ``markdown``) with few columns and honest digits, for programs whole."""

import csv
import io
import json
import math
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from results.errors import InputError, suggestion
from results.metrics import METRICS
from results.schema import AXES

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Final = ("table", "json", "csv", "markdown")

_WHOLE: Final = frozenset(name for name, metric in METRICS.items() if metric.whole)
_MEMORY: Final = ("peak_resident_bytes", "peak_allocated_bytes")
_SHORT_AXES: Final = {"batch_size": "batch", "image_size": "px"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters with which a spreadsheet may take a cell of text for a formula (OWASP, "CSV Injection")."""


def format_table(frame: "pd.DataFrame", fmt: str) -> str:
    """Return the frame of `results.table` as text, ending in a newline.

    ``table`` and ``markdown`` show what a person compares, in ms, images a second, GFLOP/s and GB; axes on which
    all cases agree stand in a line above. ``json`` (a list of objects with nulls) and ``csv`` hold every column,
    exact and in the units of ``frame.attrs``.

    Raises:
        InputError: There is no such format.
    """
    match fmt:
        case "table":
            return _text(*_compact(frame))
        case "markdown":
            return _markdown(*_compact(frame))
        case "json":
            return json.dumps(_plain(frame), indent=1, allow_nan=False) + "\n"
        case "csv":
            return _csv(frame)
        case _:
            near = suggestion(fmt, FORMATS)
            raise InputError(f"unknown format {fmt!r}{near} (choices: {', '.join(FORMATS)})")


def printable(text: str) -> str:
    """Return `text` with control and invisible characters written out, so that a terminal only shows them."""
    return "".join(
        char if unicodedata.category(char)[0] not in "CZ" or char == " " else _written_out(char) for char in text
    )


def digits(value: float, relative: float | None) -> str:
    """Return `value` with the digits that its interval deserves: down to the first or second of its half-width.

    `relative` is the half-width of the interval as a fraction; without one it gets three significant digits.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    significant = 3 if relative is None else min(max(1 - math.floor(math.log10(max(relative, 1e-4))), 2), 5)
    last = significant - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, last):.{max(last, 0)}f}"


def _written_out(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _compact(frame: "pd.DataFrame") -> tuple[list[str], list[str], list[list[str]]]:
    """Return lines above the table, its heads and its rows, all as text for people."""
    rows = _plain(frame)
    shared = [axis for axis in AXES if axis != "model" and rows and len({row[axis] for row in rows}) == 1]
    above = [", ".join(_axis(axis, rows[0][axis]) for axis in shared)] if shared else []
    machines = {f"{row['accelerator'] or row['cpu']}, torch {row['torch']}" for row in rows}
    if len(machines) == 1:
        above = [", ".join([*machines, *above])]
    axes = [axis for axis in AXES if axis not in shared]
    runs = ["run"] if len({row["run"] for row in rows}) > 1 else []
    heads = [*runs, *(_SHORT_AXES.get(axis, axis) for axis in axes)]
    heads += ["ms", "± %", "img/s", "speed-up", "GFLOP/s", "GB", "status"]
    cells = []
    for row in rows:
        latency = _relative(row["latency_s"], row["latency_low_s"], row["latency_high_s"])
        speedup = _relative(row["speedup"], row["speedup_low"], row["speedup_high"])
        memory = next((row[name] for name in _MEMORY if row[name] is not None), None)
        cells.append(
            [
                *(str(row[column]) for column in (*runs, *axes)),
                _scaled(row["latency_s"], 1e3, latency),
                "-" if latency is None else digits(100 * latency, 0.1),
                _scaled(row["throughput_img_per_s"], 1, latency),
                _scaled(row["speedup"], 1, speedup),
                _scaled(row["flops_per_s"], 1e-9, latency),
                _scaled(memory, 1e-9, None),
                _status(row),
            ]
        )
    return above, heads, cells


def _axis(axis: str, value: Any) -> str:
    words = {"batch_size": "batch {}", "image_size": "{} px", "threads": "{} threads"}
    return words.get(axis, "{}").format(value)


def _status(row: dict[str, Any]) -> str:
    if row["status"] != "ok":
        return f"{row['status']}: {row['cause']}"
    return "ok, but " + ", ".join(text.partition(":")[0] for text in row["warnings"]) if row["warnings"] else "ok"


def _relative(value: float | None, low: float | None, high: float | None) -> float | None:
    return None if value is None or low is None or high is None else (high - low) / (2 * value)


def _scaled(value: float | None, scale: float, relative: float | None) -> str:
    return "-" if value is None else digits(value * scale, relative)


def _text(above: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    from rich import box  # noqa: PLC0415 (only this format needs it)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numbers = heads.index("ms")
    for place, head in enumerate(heads):
        right = numbers <= place < len(heads) - 1
        table.add_column(Text(head), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    # As wide as it needs: where it does not fit, a terminal wraps it or a pager scrolls, and nothing is cut.
    console = Console(file=io.StringIO(), width=10_000, color_system=None)
    console.print(table)
    drawn = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    lines = [printable(line) for line in above] + [line.rstrip() for line in drawn.splitlines()]
    return "\n".join(line for line in lines if line) + "\n"


def _markdown(above: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    numbers = heads.index("ms")
    rule = ["---:" if numbers <= place < len(heads) - 1 else "---" for place in range(len(heads))]
    lines = [_markdown_escaped(line) + "\n" for line in above]
    lines += [f"| {' | '.join(cells)} |" for cells in (heads, rule)]
    lines += [f"| {' | '.join(_markdown_escaped(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _markdown_escaped(text: str) -> str:
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{char}" if char in "\\|`*[]" else char for char in safe)


def _csv(frame: "pd.DataFrame") -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in _plain(frame):
        writer.writerow([_cell(value) for value in row.values()])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Return what stands in a cell: numbers exact, lists and dicts as JSON, text that no program runs."""
    if isinstance(value, dict | list):
        value = json.dumps(value) if value else ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows as what JSON knows: whole numbers whole, and None for whatever is missing."""
    return [
        {name: _value(name, value) for name, value in zip(frame.columns, row, strict=True)}
        for row in frame.astype(object).to_numpy().tolist()
    ]


def _value(name: str, value: Any) -> Any:
    import pandas as pd  # noqa: PLC0415 (a caller with a frame has it already)

    if isinstance(value, dict):
        return value
    if isinstance(value, tuple | list):
        return list(value)
    if pd.isna(value):
        return None
    return int(value) if name in _WHOLE else value
