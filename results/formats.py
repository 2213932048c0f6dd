"""Numbers and tables as text: honest digits, cells that are only shown, and tables for a terminal, Markdown and CSV."""

import csv
import io
import json
import math
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

SIGNIFICANT: Final = 3
"""Digits of a value that has no interval."""
FINEST: Final = 1e-4
"""An interval of less (few samples, a coarse clock) is shown as this wide: it must not print a dozen digits."""
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters with which a spreadsheet may take a cell of text for a formula (OWASP, "CSV Injection")."""

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of what steers a terminal, reorders text, breaks its lines or cannot be seen."""


def digits(value: float, relative: float | None) -> str:
    """Return `value` down to the place of the first digit of its half-width: 98.7 ± 2 % is ``99``.

    `relative` is the half-width of the interval as a fraction; without one the value gets three significant
    digits. A value keeps its own first digit, however wide its interval.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    first = _place(value)
    if relative is None:
        last = first - SIGNIFICANT + 1
        last += _place(round(value, -last)) - first  # 9.996 becomes 10.0
    else:
        last = min(_place(max(relative, FINEST) * value), first)
    return f"{round(value, -last):.{max(-last, 0)}f}"


def half_width(value: float, low: float, high: float) -> float:
    """Return the larger half of the interval as a fraction of `value`, so that a skewed one never looks tighter."""
    return max(high - value, value - low) / value


def printable(text: str) -> str:
    """Return `text` with control and invisible characters written out, so that whatever shows it only shows it."""
    return "".join(
        char.encode("unicode_escape").decode("ascii") if unicodedata.category(char) in _HIDDEN else char
        for char in text
    )


def text_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers_from: int | None = None,
    numbers_to: int | None = None,
) -> str:
    """Return a table for a terminal, as wide as it needs, ending in a newline.

    Columns from `numbers_from` up to `numbers_to` (as in a slice; None is the end) are set flush right.
    """
    from rich import box  # noqa: PLC0415 (only this format needs it)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    numbers = _numbers(heads, numbers_from, numbers_to)
    for place, head in enumerate(heads):
        table.add_column(Text(printable(head)), justify="right" if place in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    out = io.StringIO()
    # As wide as it needs: where it does not fit, a terminal wraps it or a pager scrolls, and nothing is cut.
    Console(file=out, width=10_000, color_system=None).print(table)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines() if line.strip())


def markdown_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers_from: int | None = None,
    numbers_to: int | None = None,
) -> str:
    """Return a Markdown table in which every cell is escaped, ending in a newline; see `text_table`."""
    numbers = _numbers(heads, numbers_from, numbers_to)
    rule = ["---:" if place in numbers else "---" for place in range(len(heads))]
    shown = [[markdown_escaped(cell) for cell in row] for row in (heads, *rows)]
    lines = [shown[0], rule, *shown[1:]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def markdown_escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it stands."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{char}" if char in "\\|`*[]" else char for char in safe)


def csv_text(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return CSV, ending in a newline: exact numbers, None empty, lists and dicts as JSON, text that nothing runs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value) if value else ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _place(value: float) -> int:
    """Return the power of ten of the first digit: 1 for 12.3, -1 for 0.2."""
    return math.floor(math.log10(abs(value)))


def _numbers(heads: Sequence[str], first: int | None, last: int | None) -> range:
    return range(0) if first is None else range(len(heads))[first:last]
