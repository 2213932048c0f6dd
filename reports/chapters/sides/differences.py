"""The differences of each pair of sides as a table: what is surely different first, the rest folded and counted."""

import dataclasses
from typing import Any, Final

import numpy as np
import pandas as pd

from reports.chapters.sides.frame import BEST, BOTH, FAILED, MISSING, OTHER, UNKNOWN, side_records
from reports.style.units import NONE, TIMES, quantity, spread
from reports.style.views import axis_text, each
from results.analysis.differences import environment
from results.storage.reader import Records
from results.text import printable

MOST: Final = 60
"""Rows of what differs; the rest is only counted."""
FOLDED: Final = 20
"""Rows of the rest."""
_FIRST: Final = ("faster", "slower", *FAILED)
"""What stands above the fold."""
_ORDER: Final = (*_FIRST, "inconclusive", "same", OTHER, UNKNOWN, MISSING, BOTH)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiffTable:
    """What differs between two sides, as text."""

    pair: str
    a: str
    b: str
    matched: str
    """`pairs.SAME` or `pairs.BEST`."""
    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    """Of each column, whether its cells are numbers."""
    rows: tuple[tuple[str, ...], ...]
    """What is faster or slower by more than chance and margin, the biggest change first; what failed on one side."""
    folded: tuple[tuple[str, ...], ...]
    """All else, in the same columns."""
    counts: tuple[tuple[str, int], ...]
    """How many cases got each verdict on b."""
    hidden: int
    """Cases beyond `MOST` and `FOLDED` that are only counted."""
    environment: tuple[tuple[str, str, str], ...]
    """What else differs between the sides: what, on a, on b."""


def diff_tables(frame: pd.DataFrame, records: Records, cases: pd.DataFrame) -> tuple[DiffTable, ...]:
    """Return a table for each pair of the frame of `reports.chapters.sides.frame.pairs`, in its order.

    Args:
        frame: the pairs.
        records: what the page is made of, for the environments.
        cases: `reports.page.cases.cases` of these records, which says what each side holds.
    """
    return tuple(_table(rows, records, cases) for _, rows in frame.groupby("pair", sort=False))


def _table(rows: pd.DataFrame, records: Records, cases: pd.DataFrame) -> DiffTable:
    first = next(each(rows))
    ranked = _ranked(rows)
    above = ranked[ranked["verdict"].isin(_FIRST)]
    below = ranked[~ranked["verdict"].isin(_FIRST)]
    best = first.matched == BEST
    settings = ("setting on a", "setting on b") if best else ("setting",)
    heads = ("variant", "task", "pixels", *settings, "on a", "on b", "b over a", "± 95 %", "verdict on b", "why")
    words = {"variant", "task", *settings, "verdict on b", "why"}
    sides = [side_records(records, cases, side) for side in (first.a, first.b)]
    counts = rows["verdict"].value_counts()
    return DiffTable(
        pair=first.pair,
        a=first.a,
        b=first.b,
        matched=first.matched,
        heads=heads,
        numeric=tuple(head not in words for head in heads),
        rows=tuple(_cells(row) for row in each(above.head(MOST))),
        folded=tuple(_cells(row) for row in each(below.head(FOLDED))),
        counts=tuple((word, int(counts[word])) for word in _ORDER if word in counts),
        hidden=max(len(above) - MOST, 0) + max(len(below) - FOLDED, 0),
        environment=tuple(
            (printable(change.what), _known(change.base), _known(change.new)) for change in environment(*sides)
        ),
    )


def _known(text: str) -> str:
    return "unknown" if text in {"None", "-"} else printable(text)


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by the size of their change, the biggest first and those that failed last."""
    return rows.assign(_size=np.log(rows["ratio"]).abs()).sort_values(
        ["_size", "model"], ascending=[False, True], kind="stable"
    )


def _cells(row: Any) -> tuple[str, ...]:
    settings = [row.a_setting, row.b_setting] if row.matched == BEST else [row.b_setting]
    bounds = (row.ratio_low, row.ratio_high)
    return (
        row.model,
        row.task,
        axis_text("image_size", row.image_size).removesuffix(" px"),
        *settings,
        *(_speed(row, side) for side in "ab"),
        quantity(row.ratio, TIMES, *bounds),
        spread(row.ratio, *bounds) or NONE,
        row.verdict,
        row.reason if isinstance(row.reason, str) else "",
    )


def _speed(row: Any, side: str) -> str:
    value, low, high = (getattr(row, f"{side}_{what}") for what in ("throughput", "low", "high"))
    return quantity(value, "img/s", low, high)
