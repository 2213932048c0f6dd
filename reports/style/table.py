"""The table of a template or of the page's script: heads and cells."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Self

from results.text import printable


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value as text."""

    text: str
    note: str = ""
    """Half-width of the 95 % interval."""
    sort: float | str | None = None
    """Sort key; None sorts last."""
    reason: str = ""
    """Reason of a missing value."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its heads and cells."""

    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    """Whether the cells of each column are numbers."""
    rows: tuple[tuple[Cell, ...], ...]
    names: tuple[str, ...] = ()
    """Names of its columns in `reports.style.columns.COLUMNS`; empty for a table that readers cannot sort."""

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
        """Return the content for the page's script: heads, and texts with their intervals."""
        return {
            "heads": self.heads,
            "numeric": self.numeric,
            "rows": [[printable(" ".join(filter(None, (cell.text, cell.note)))) for cell in row] for row in self.rows],
        }
