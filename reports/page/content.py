"""The content of the page and of its images: the selected cases, and the views of each figure."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from reports.chapters import FIGURES
from reports.figures.chart import Chart, Source
from reports.page.cases import cases
from reports.page.machine import sides
from reports.page.selection import shown
from reports.style.views import View, constants, constants_text
from results.analysis.study import Study

FEW_VIEWS: Final = 12
"""The most views of a figure where the page shows a selection of cases: readers of many cases want the overview."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figured:
    """A figure with its views."""

    name: str
    chart: Chart
    views: tuple[View, ...]
    """Empty where there is nothing to draw."""
    fixed: str
    """Values that all rows share."""
    more: int
    """Number of views that are left out."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The selected cases and their figures."""

    source: Source
    left_out: str
    """Sentence on the cases that are not shown; empty where all are shown."""
    figures: tuple[Figured, ...]
    """Figures in the order of the page, by name."""


def content(study: Study) -> Content:
    """Select the cases of `study` that the page shows, and the views of each figure."""
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
    offered = _offered(views, FEW_VIEWS if few and not chart.paired else chart.choices)
    fixed = constants_text(constants(chart.rows(frame), chart.by)) if offered else ""
    return Figured(name=name, chart=chart, views=offered, fixed=fixed, more=len(views) - len(offered))


def _offered(views: Sequence[View], most: int) -> tuple[View, ...]:
    """Return `most` of the views in their order, the first of every machine among them even where these are more."""
    first: dict[str, int] = {}
    for index, view in enumerate(views):
        for machine in view.frame["machine"].unique() if "machine" in view.frame else ():
            first.setdefault(machine, index)
    chosen = list(dict.fromkeys([*first.values(), *range(len(views))]))[: max(most, len(set(first.values())))]
    return tuple(views[index] for index in sorted(chosen))
