"""Tables and paragraphs as text for a terminal and for Markdown, and the formats of every command's output."""

import re
from collections.abc import Sequence
from typing import Final

from results.errors import InputError, suggestion
from results.text import printable

FORMATS: Final = ("table", "json", "csv", "markdown")
"""``table`` and ``markdown`` are for people and rounded, ``json`` and ``csv`` for programs and exact."""

_MARKDOWN: Final = re.compile(
    r"[\\|`*\[\]~#]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside a word, as in resnext50_32x4d, an underscore is no emphasis
    r"|^(?:>|[-+](?=[\s-]))"  # characters that begin a quotation, a list or a rule
)
"""Characters that Markdown reads as markup."""


def check_format(fmt: str) -> None:
    """Raise `InputError` unless `fmt` is one of `FORMATS`."""
    if fmt not in FORMATS:
        near = suggestion(fmt, FORMATS)
        raise InputError(f"unknown format {fmt!r}{near} (choices: {', '.join(FORMATS)})")


def lines_text(lines: Sequence[str], fmt: str) -> str:
    """Return lines for ``table`` or ``markdown``, where a line is a paragraph."""
    if fmt == "markdown":
        return "".join(f"{markdown_escaped(line)}\n\n" for line in lines)
    return "".join(f"{printable(line)}\n" for line in lines)


def grid_text(
    heads: Sequence[str], rows: Sequence[Sequence[str]], fmt: str, *, numbers_from: int, numbers_to: int | None = None
) -> str:
    """Return a table for ``table`` or ``markdown``; see `text_table`."""
    draw = markdown_table if fmt == "markdown" else text_table
    return draw(heads, rows, numbers_from=numbers_from, numbers_to=numbers_to)


def text_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers_from: int | None = None,
    numbers_to: int | None = None,
) -> str:
    """Return a table for a terminal, ending in a newline.

    Columns from `numbers_from` up to `numbers_to` (as in a slice; None is the end) are flush right.
    """
    from rich.cells import cell_len  # noqa: PLC0415 (only this format needs it)

    numbers = _numbers(heads, numbers_from, numbers_to)
    shown = [[printable(cell).rstrip() for cell in row] for row in (heads, *rows)]
    sizes = [[cell_len(cell) for cell in row] for row in shown]  # a wide character takes two columns of a terminal
    widths = [max(column) for column in zip(*sizes, strict=True)]
    lines = []
    for row, row_sizes in zip(shown, sizes, strict=True):
        fills = [" " * (width - size) for width, size in zip(widths, row_sizes, strict=True)]
        cells = [
            fill + cell if index in numbers else cell + fill
            for index, (cell, fill) in enumerate(zip(row, fills, strict=True))
        ]
        lines.append("   ".join(cells).rstrip())
    # As wide as its cells, unlike a table of rich, which wraps or cuts cells at the width of the terminal.
    rule = "─" * (sum(widths) + 3 * (len(widths) - 1))
    return "".join(f"{line}\n" for line in (lines[0], rule, *lines[1:]) if line)


def markdown_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers_from: int | None = None,
    numbers_to: int | None = None,
) -> str:
    """Return a Markdown table in which every cell is escaped, ending in a newline; see `text_table`."""
    numbers = _numbers(heads, numbers_from, numbers_to)
    rule = ["---:" if index in numbers else "---" for index in range(len(heads))]
    shown = [[markdown_escaped(cell) for cell in row] for row in (heads, *rows)]
    lines = [shown[0], rule, *shown[1:]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def markdown_escaped(text: str) -> str:
    """Return `text` escaped for Markdown."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKDOWN.sub(r"\\\g<0>", safe)


def _numbers(heads: Sequence[str], first: int | None, last: int | None) -> range:
    return range(0) if first is None else range(len(heads))[first:last]
