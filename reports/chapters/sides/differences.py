"""The differences of each pair of sides as a table: significant differences first, the other cases folded."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from reports.chapters.sides.frame import (
    BEST,
    BEST_KEYS,
    BOTH,
    FAILED,
    MISSING,
    OTHER_SETTINGS,
    UNKNOWN,
    PairView,
    pairs,
    side_records,
)
from reports.figures.chart import Source
from reports.style.columns import COLUMNS
from reports.style.rows import each
from reports.style.table import Table
from reports.style.units import NONE, TIMES, quantity, spread
from results.analysis.differences import environment
from results.schema.axes import is_silent
from results.text import printable

MOST_DIFFERENCES: Final = 60
"""The most rows of different cases; further cases are only counted."""
FOLDED: Final = 20
"""The most rows of other cases."""
_FIRST: Final = ("faster", "slower", *FAILED)
"""Verdicts of the rows above the fold."""
_ORDER: Final = (*_FIRST, "inconclusive", "same", OTHER_SETTINGS, UNKNOWN, MISSING, BOTH)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The differences between two sides, as text."""

    pair: str
    a: str
    b: str
    matched: str
    """`frame.SAME` or `frame.BEST`."""
    differing: Table
    """Cases that are faster or slower by more than chance and margin, the largest change first, then failed cases."""
    folded: Table
    """Other cases, in the same columns."""
    counts: tuple[tuple[str, int], ...]
    """Number of cases with each verdict on side b."""
    hidden: int
    """Cases beyond `MOST_DIFFERENCES` and `FOLDED` that are only counted."""
    environment: Table
    """Other differences between the sides: name, value on a, value on b."""

    @property
    def cases(self) -> int:
        """The number of cases that both sides have."""
        return sum(count for _, count in self.counts)


def differences(source: Source) -> tuple[Differences, ...]:
    """Return the differences of each pair of sides, in the order of `reports.chapters.sides.frame.pairs`."""
    return tuple(_differences(rows, source) for _, rows in source.frame(pairs).groupby("pair", sort=False))


def _differences(rows: pd.DataFrame, source: Source) -> Differences:
    first = next(each(rows))
    ranked = _ranked(rows)
    above = ranked[ranked["verdict"].isin(_FIRST)]
    below = ranked[~ranked["verdict"].isin(_FIRST)]
    settings = ("setting on a", "setting on b") if first.matched == BEST else ("setting",)
    # Values that texts leave out need no column where all rows have them.
    keys = [axis for axis in BEST_KEYS if not rows[axis].map(partial(is_silent, axis)).all()]
    axes = [COLUMNS[axis] for axis in keys]
    heads = (*(axis.heading for axis in axes), *settings, "on a", "on b", "b over a", "± 95 %", "verdict on b", "why")
    words = {*(axis.heading for axis in axes if not axis.numeric), *settings, "verdict on b", "why"}
    counts = rows["verdict"].value_counts()
    cells = partial(_cells, keys)
    changes = environment(*(side_records(source, side) for side in (first.a, first.b)))
    return Differences(
        pair=first.pair,
        a=first.a,
        b=first.b,
        matched=first.matched,
        differing=Table.of_texts(heads, map(cells, each(above.head(MOST_DIFFERENCES))), words=words),
        folded=Table.of_texts(heads, map(cells, each(below.head(FOLDED))), words=words),
        counts=tuple((word, int(counts[word])) for word in _ORDER if word in counts),
        hidden=max(len(above) - MOST_DIFFERENCES, 0) + max(len(below) - FOLDED, 0),
        environment=Table.of_texts(
            ("what", "a", "b"),
            [(printable(change.what), _known(change.base), _known(change.new)) for change in changes],
            words=("what", "a", "b"),
        ),
    )


def _known(text: str) -> str:
    return "unknown" if text in {"None", "-"} else printable(text)


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by the size of their change, the largest first and failed cases last."""
    return rows.assign(_size=np.log(rows["ratio"]).abs()).sort_values(
        ["_size", "model"], ascending=[False, True], kind="stable"
    )


def _cells(axes: Sequence[str], row: PairView) -> tuple[str, ...]:
    settings = [row.a_setting, row.b_setting] if row.matched == BEST else [row.b_setting]
    bounds = (row.ratio_low, row.ratio_high)
    return (
        *(str(getattr(row, axis)) for axis in axes),
        *settings,
        *(_speed(row, side) for side in "ab"),
        quantity(row.ratio, TIMES, *bounds),
        spread(row.ratio, *bounds) or NONE,
        row.verdict,
        row.reason if isinstance(row.reason, str) else "",
    )


def _speed(row: PairView, side: str) -> str:
    value, low, high = (getattr(row, f"{side}_{what}") for what in ("throughput", "low", "high"))
    return quantity(value, "img/s", low, high)
