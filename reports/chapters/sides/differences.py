"""The differences of each pair of sides as a table: what is surely different first, the rest folded and counted."""

import dataclasses
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
from results.text import printable

MOST_DIFFERENCES: Final = 60
"""Rows of what differs; the rest is only counted."""
FOLDED: Final = 20
"""Rows of the rest."""
_FIRST: Final = ("faster", "slower", *FAILED)
"""What stands above the fold."""
_ORDER: Final = (*_FIRST, "inconclusive", "same", OTHER_SETTINGS, UNKNOWN, MISSING, BOTH)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What differs between two sides, as text."""

    pair: str
    a: str
    b: str
    matched: str
    """`frame.SAME` or `frame.BEST`."""
    differing: Table
    """What is faster or slower by more than chance and margin, the biggest change first; what failed on one side."""
    folded: Table
    """All else, in the same columns."""
    counts: tuple[tuple[str, int], ...]
    """How many cases got each verdict on b."""
    hidden: int
    """Cases beyond `MOST_DIFFERENCES` and `FOLDED` that are only counted."""
    environment: Table
    """What else differs between the sides: what, on a, on b."""

    @property
    def cases(self) -> int:
        """The number of cases that both sides have."""
        return sum(count for _, count in self.counts)


def differences(source: Source) -> tuple[Differences, ...]:
    """Return what differs in each pair of sides, in the order of `reports.chapters.sides.frame.pairs`."""
    return tuple(_differences(rows, source) for _, rows in source.frame(pairs).groupby("pair", sort=False))


def _differences(rows: pd.DataFrame, source: Source) -> Differences:
    first = next(each(rows))
    ranked = _ranked(rows)
    above = ranked[ranked["verdict"].isin(_FIRST)]
    below = ranked[~ranked["verdict"].isin(_FIRST)]
    settings = ("setting on a", "setting on b") if first.matched == BEST else ("setting",)
    axes = [COLUMNS[axis] for axis in BEST_KEYS]
    heads = (*(axis.heading for axis in axes), *settings, "on a", "on b", "b over a", "± 95 %", "verdict on b", "why")
    words = {*(axis.heading for axis in axes if not axis.numeric), *settings, "verdict on b", "why"}
    counts = rows["verdict"].value_counts()
    changes = environment(*(side_records(source, side) for side in (first.a, first.b)))
    return Differences(
        pair=first.pair,
        a=first.a,
        b=first.b,
        matched=first.matched,
        differing=Table.of_texts(heads, map(_cells, each(above.head(MOST_DIFFERENCES))), words=words),
        folded=Table.of_texts(heads, map(_cells, each(below.head(FOLDED))), words=words),
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
    """Return the rows by the size of their change, the biggest first and those that failed last."""
    return rows.assign(_size=np.log(rows["ratio"]).abs()).sort_values(
        ["_size", "model"], ascending=[False, True], kind="stable"
    )


def _cells(row: PairView) -> tuple[str, ...]:
    settings = [row.a_setting, row.b_setting] if row.matched == BEST else [row.b_setting]
    bounds = (row.ratio_low, row.ratio_high)
    return (
        *(str(getattr(row, axis)) for axis in BEST_KEYS),
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
