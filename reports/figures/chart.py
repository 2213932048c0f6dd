"""The classes of figures (`Chart`: rows, drawing and words) and of chapters of the page."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.columns import Column
from reports.style.columns import table as columns_of
from reports.style.table import Table
from reports.style.views import CONTEXT, TRAINING, View, constants, of_every_machine, split
from results.analysis.study import Study
from results.schema.lines.static import Static

MOST_BARS: Final = 60
"""The most variants of a chart with a row a variant: more names are not readable."""
MOST_DATA: Final = 250
"""The most rows of a figure's data, of every machine."""
PEAKS: Final = ("model", *CONTEXT, "peak_resident_bytes", "peak_allocated_bytes", "model_bytes")
"""Columns of the data of figures of memory."""

Frame = Callable[["Source"], pd.DataFrame]
"""Function that makes the frame of a figure, or of several figures."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The data of the chapters: a study, and the frame of its cases."""

    study: Study
    cases: pd.DataFrame
    """`reports.page.cases.cases` of the study."""
    _frames: dict[Frame, pd.DataFrame] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def frame(self, make: Frame) -> pd.DataFrame:
        """Return the frame that `make` makes of this source, computed once."""
        if make not in self._frames:
            self._frames[make] = make(self)
        return self._frames[make]

    def holds(self, kind: str) -> bool:
        """Return whether any run file has a line of this kind."""
        return any(file.bodies(kind) for file in self.study.records.files)

    @property
    def machines(self) -> dict[tuple[str, str], str]:
        """The side of each device of a run, by the run's id and the device as the page shows them."""
        columns = (self.cases[name].tolist() for name in ("run", "device", "machine"))
        return {(run, device): machine for run, device, machine in zip(*columns, strict=True)}

    @property
    def statics(self) -> tuple[Static, ...]:
        """The static costs of all run files."""
        return tuple(static for file in self.study.records.files for static in file.statics)


def all_cases(source: Source) -> pd.DataFrame:
    """Return the frame of every case."""
    return source.cases


def every_row(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as it is: a figure of all its rows."""
    return frame


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Insert:
    """HTML that a chapter adds to the page; `template` is a file below `reports/chapters`."""

    template: str
    values: Callable[[Source], Mapping[str, Any]]
    """Returns the values that the template shows."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure and its words. `draw` and `takeaway` get the rows of one view."""

    title: str
    needs: str = "record"
    """Kind of lines, of `results.schema.kinds.KINDS`, that the figure needs."""
    frame: Frame = all_cases
    """Makes the frame of the figure."""
    definition: str
    absent: str
    """Text of the page where the figure has no data."""
    rows: Callable[[pd.DataFrame], pd.DataFrame]
    """Selects the rows of the frame that may be drawn, and adds derived columns."""
    by: tuple[str, ...]
    """Columns on which the rows of a view are equal."""
    draw: Callable[[pd.DataFrame], Figure]
    takeaway: Callable[[pd.DataFrame], str]
    columns: tuple[str, ...] = ()
    """Columns of the figure's data table, unless `table` makes another table."""
    own: Mapping[str, Column] = dataclasses.field(default_factory=dict)
    """Columns among `columns` that only figures of this chapter have, by name."""
    table: Callable[[pd.DataFrame], Table] | None = None
    still: Insert | None = None
    """A drawing for readers without a script."""
    least: int = 2
    """Least rows of a view."""
    choices: int = 60
    """The most views that a page offers."""
    most: int | None = None
    """The most variants of a view; of more, the variants with the highest throughput are drawn, as its label says."""
    by_group: bool = False
    """Whether a view shows a single group of machines (`reports.style.machines`), as each machine has a style."""
    ordered: bool = False
    """Whether the views are in the order of the rows; else the most informative view is first."""

    @property
    def paired(self) -> bool:
        """Whether its views are the pairs of sides, all of which a reader chooses with one menu."""
        return self.by == ("pair",)

    def views(self, frame: pd.DataFrame) -> tuple[View, ...]:
        """Return the sets of comparable rows, the most informative first; empty without data."""
        views = split(self.rows(frame), self.by, self.least, ordered=self.ordered)
        if self.by_group:
            views = tuple(part for view in views for part in _groups(view))
        return tuple(_cut(view, self.most) for view in views)

    def data(self, view: View) -> Table:
        """Return the data of a view, without the columns on which all its rows are equal."""
        if self.table is not None:
            return self.table(view.frame)
        same = constants(view.frame, self.by)
        names = tuple(column for column in self.columns if column not in same)
        return columns_of(of_every_machine(view.frame, MOST_DATA), names, self.own)


def _groups(view: View) -> tuple[View, ...]:
    """Return a view for each group of machines; the same view where there is a single group."""
    groups = [rows for _, rows in view.frame.groupby("group", sort=True)]
    if len(groups) < 2:
        return (view,)
    last, total = 0, view.frame["machine"].nunique()
    parts = []
    for rows in groups:
        first, last = last + 1, last + rows["machine"].nunique()
        which = f"machines {first} to {last}" if last > first else f"machine {last}"
        label = " · ".join(filter(None, [view.label, f"{which} of {total}, by speed"]))
        parts.append(View(label=label, frame=rows, whole=view.label))
    return tuple(parts)


def _cut(view: View, most: int | None) -> View:
    if most is None or view.frame["model"].nunique() <= most:
        return view
    best = view.frame.groupby("model")["throughput_img_per_s"].max()
    fastest = best.nlargest(most).index
    label = " · ".join(filter(None, [view.label, f"the {most} fastest of {len(best):,} variants"]))
    return dataclasses.replace(view, label=label, frame=view.frame[view.frame["model"].isin(fastest)])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of the page."""

    title: str
    lead: str
    """The question that the chapter answers, as a sentence."""
    charts: dict[str, Chart]
    """Charts in the order of the page, by their ids in it."""
    intro: Insert | None = None
    """Template above its figures."""


def sound(*columns: str, trains: bool | None = None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what keeps the cases that succeeded and have a value in all `columns`.

    `trains` keeps those of tasks that train, or of the others. Where only some replicates failed, the others' numbers
    stand in the table of all cases, with the failure.
    """

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        cases = frame[frame["usable"]].dropna(subset=list(columns))
        cases = cases[cases[list(columns)].gt(0).all(axis=1)]  # logarithmic axes hold nothing else
        return cases if trains is None else cases[cases["task"].isin(TRAINING).eq(trains)]

    return rows
