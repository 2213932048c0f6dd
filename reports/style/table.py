"""The table: heads and cells, as a template or the page's script lays them out."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Self

from results.text import printable


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value as it is shown."""

    text: str
    note: str = ""
    """Half-width of the 95 % interval."""
    sort: float | str | None = None
    """Key of the order in which a reader sorts; None sorts last."""
    reason: str = ""
    """Why there is no value."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table ready to be laid out."""

    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    """Of each column, whether its cells are numbers."""
    rows: tuple[tuple[Cell, ...], ...]
    names: tuple[str, ...] = ()
    """Names of its columns in `reports.style.columns.COLUMNS`; empty for a table that nobody sorts."""

    @classmethod
    def of_texts(cls, heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: Iterable[str] = ()) -> Self:
        """Return a table of texts; the columns whose heads are among `words` hold no numbers."""
        words = frozenset(words)
        return cls(
            heads=tuple(heads),
            numeric=tuple(head not in words for head in heads),
            rows=tuple(tuple(Cell(text=text) for text in row) for row in rows),
        )

    def texts(self) -> dict[str, Any]:
        """Return what the page's script lays out: heads, and texts with their intervals."""
        return {
            "heads": self.heads,
            "numeric": self.numeric,
            "rows": [[printable(" ".join(filter(None, (cell.text, cell.note)))) for cell in row] for row in self.rows],
        }
