"""Tables as text for a terminal and for Markdown."""

import re
from collections.abc import Sequence
from typing import Final

from results.text import printable

_MARKDOWN: Final = re.compile(
    r"[\\|`*\[\]~#]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside a word, as in resnext50_32x4d, an underscore is no emphasis
    r"|^(?:>|[-+](?=[\s-]))"  # what begins a quotation, a list or a rule
)
"""What Markdown takes for more than text."""


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
    from rich.cells import cell_len  # noqa: PLC0415 (only this format needs it)

    numbers = _numbers(heads, numbers_from, numbers_to)
    shown = [[printable(cell).rstrip() for cell in row] for row in (heads, *rows)]
    sizes = [[cell_len(cell) for cell in row] for row in shown]  # a character takes up to two places
    widths = [max(column) for column in zip(*sizes, strict=True)]
    lines = []
    for row, places in zip(shown, sizes, strict=True):
        fills = [" " * (width - size) for width, size in zip(widths, places, strict=True)]
        cells = [
            fill + cell if place in numbers else cell + fill
            for place, (cell, fill) in enumerate(zip(row, fills, strict=True))
        ]
        lines.append("   ".join(cells).rstrip())
    # As wide as it needs: where it does not fit, a terminal wraps it or a pager scrolls, and nothing is cut.
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
    rule = ["---:" if place in numbers else "---" for place in range(len(heads))]
    shown = [[markdown_escaped(cell) for cell in row] for row in (heads, *rows)]
    lines = [shown[0], rule, *shown[1:]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def markdown_escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it stands."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKDOWN.sub(r"\\\g<0>", safe)


def _numbers(heads: Sequence[str], first: int | None, last: int | None) -> range:
    return range(0) if first is None else range(len(heads))[first:last]
