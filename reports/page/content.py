"""What the page and its images draw: the chosen cases, the frames made of them, and the views of each figure."""

import dataclasses
from typing import Final

import pandas as pd

from reports.chapters.chart import Chart
from reports.page.cases import cases
from reports.page.frames import FRAMES
from reports.page.machine import sides
from reports.page.selection import shown
from reports.style.views import View
from results.storage.reader import Records

FEW_VIEWS: Final = 12
"""Choices of a figure where there are more cases than a page shows: a reader of so many asks for the whole first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The cases that are shown, and the frames that figures draw."""

    records: Records
    """The records of the cases that are shown."""
    left_out: str
    """What to say of the cases that are not; empty where all are shown."""
    frames: dict[str, pd.DataFrame]
    """By the names of `reports.page.frames.FRAMES`."""

    def views(self, chart: Chart) -> tuple[tuple[View, ...], int]:
        """Return the views of a figure that are offered, and the number of those that are left out."""
        few = self.left_out and chart.by != ("pair",)
        views = chart.views(self.frames[chart.frame])
        kept = views[: FEW_VIEWS if few else chart.choices]
        return kept, len(views) - len(kept)


def content(records: Records) -> Content:
    """Choose the cases of `records` that are shown, and make their frames."""
    named = sides(records.files)
    kept, left_out = shown(records, named)
    frame = cases(kept, named)
    return Content(records=kept, left_out=left_out, frames={name: make(kept, frame) for name, make in FRAMES.items()})
