"""A figure of the page: its text for the template, and its views for the script."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from reports.figures.chart import Chart
from reports.page.content import Figured
from reports.page.payload import rounded
from reports.style.views import View, pair_key, slug
from results.text import printable


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A figure with its text."""

    name: str
    chart: Chart
    views: tuple[Mapping[str, Any], ...]
    """Views that the script draws; empty without data."""
    fixed: str
    """Values that all rows share."""
    more: int
    """Number of views that are left out."""

    @property
    def takeaway(self) -> str:
        """The sentence of the first view, empty without a view."""
        return str(self.views[0]["takeaway"]) if self.views else ""


def section(figure: Figured) -> Section:
    """Draw every view of a figure."""
    slugs: dict[str, int] = {}
    views = []
    for view in figure.views:
        name = slug(view.label) or "all"
        slugs[name] = slugs.get(name, 0) + 1
        views.append(_drawn(figure.chart, view, name if slugs[name] == 1 else f"{name}-{slugs[name]}"))
    return Section(
        name=figure.name, chart=figure.chart, views=tuple(views), fixed=printable(figure.fixed), more=figure.more
    )


def _drawn(chart: Chart, view: View, name: str) -> dict[str, Any]:
    drawn = json.loads(chart.draw(view.frame).to_json())  # type: ignore[no-untyped-call]
    return {
        **drawn,
        "data": rounded(drawn["data"]),
        "label": printable(view.label),
        "slug": name,
        "takeaway": printable(chart.takeaway(view.frame)),
        **({"whole": printable(view.whole)} if view.whole is not None else {}),
        **({"pair": pair_key(view.frame["pair"].iloc[0])} if chart.paired else {}),
        "table": chart.data(view).texts(),
    }
