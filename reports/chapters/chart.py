"""What a figure of the page is: which rows it draws, how, and in which words; and what a chapter is."""

import dataclasses
from collections.abc import Callable
from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.chapters.static.layers import CostTable
from reports.style.views import AXES, View, split

MOST_BARS: Final = 60
"""Variants that charts with a row for each draw: more is a wall of names."""
PEAKS: Final = ("model", *AXES, "peak_resident_bytes", "peak_allocated_bytes", "model_bytes")
"""Columns of the data of figures of memory."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure and its words. `draw` and `takeaway` get the rows of one view."""

    title: str
    frame: str = "cases"
    """Which of `reports.page.frames.FRAMES` it draws."""
    definition: str
    absent: str
    """What the page says where there is nothing to draw."""
    rows: Callable[[pd.DataFrame], pd.DataFrame]
    """Selects from the frame what may be drawn, and adds derived columns."""
    by: tuple[str, ...]
    """Columns on which the rows of one view are equal."""
    draw: Callable[[pd.DataFrame], Figure]
    takeaway: Callable[[pd.DataFrame], str]
    columns: tuple[str, ...]
    """Columns of the figure's data table, unless `table` makes one of its own."""
    table: Callable[[pd.DataFrame], CostTable] | None = None
    least: int = 2
    """Rows below which a view compares nothing."""
    choices: int = 60
    """Views that a page offers."""
    most: int | None = None
    """Variants of one view; of more, those that reach the highest throughput are drawn, and its label says so."""
    ordered: bool = False
    """Whether the choices stand in the order of the rows; else the most telling set is first."""

    def views(self, frame: pd.DataFrame) -> tuple[View, ...]:
        """Return the sets of comparable rows, the most telling first; none where there is no data."""
        return tuple(
            _cut(view, self.most) for view in split(self.rows(frame), self.by, self.least, ordered=self.ordered)
        )


def _cut(view: View, most: int | None) -> View:
    if most is None or view.frame["model"].nunique() <= most:
        return view
    best = view.frame.groupby("model")["throughput_img_per_s"].max()
    kept = best.nlargest(most).index
    label = " · ".join(filter(None, [view.label, f"the {most} fastest of {len(best):,} variants"]))
    return View(label=label, frame=view.frame[view.frame["model"].isin(kept)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of the page."""

    title: str
    lead: str
    """What the chapter answers, in a sentence."""
    charts: dict[str, Chart]
    """In the order of the page; their names are ids in it."""


def sound(*columns: str, task: str | None = None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what keeps the cases (of one task) that succeeded and have a value in all `columns`.

    Where only some replicates failed, the others' numbers stand in the table of all cases, with the failure.
    """

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame[frame["status"].eq("ok")].dropna(subset=list(columns))
        kept = kept[kept[list(columns)].gt(0).all(axis=1)]  # logarithmic axes hold nothing else
        return kept if task is None else kept[kept["task"].eq(task)]

    return rows
