"""What the page and its images show: the chosen cases, and the views of each figure. The one pipeline of both."""

import dataclasses
from typing import Final

from reports.chapters import FIGURES
from reports.figures.chart import Chart, Source
from reports.page.cases import cases
from reports.page.machine import sides
from reports.page.selection import shown
from reports.style.views import View, constants, constants_text
from results.analysis.study import Study

FEW_VIEWS: Final = 12
"""Choices of a figure where there are more cases than a page shows: a reader of so many asks for the whole first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figured:
    """A figure with the views that are offered."""

    name: str
    chart: Chart
    views: tuple[View, ...]
    """Empty where there is nothing to draw."""
    fixed: str
    """What all rows have in common."""
    more: int
    """Views that are left out, being too many."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The cases that are shown, and the figures that are drawn of them."""

    source: Source
    left_out: str
    """What to say of the cases that are not shown; empty where all are."""
    figures: tuple[Figured, ...]
    """In the order of the page."""


def content(study: Study) -> Content:
    """Choose the cases of `study` that are shown, and the views of each figure."""
    named = sides(study.records.files)
    study, left_out = shown(study, named)
    source = Source(study=study, cases=cases(study, named))
    figures = tuple(_figured(name, chart, source, few=bool(left_out)) for name, chart in FIGURES.items())
    return Content(source=source, left_out=left_out, figures=figures)


def _figured(name: str, chart: Chart, source: Source, *, few: bool) -> Figured:
    if not source.holds(chart.needs):
        return Figured(name=name, chart=chart, views=(), fixed="", more=0)
    frame = source.frame(chart.frame)
    views = chart.views(frame)
    offered = views[: FEW_VIEWS if few and not chart.paired else chart.choices]
    fixed = constants_text(constants(chart.rows(frame), chart.by)) if offered else ""
    return Figured(name=name, chart=chart, views=offered, fixed=fixed, more=len(views) - len(offered))
