"""The chapters of the page, in the order in which a reader asks, and every figure of them."""

from typing import Final

from reports.chapters import depth, training
from reports.chapters.chart import Chapter, Chart
from reports.chapters.history import chapter as history
from reports.chapters.sides import chapter as sides
from reports.chapters.speedups import chapter as speedups
from reports.chapters.static import chapter as static
from reports.chapters.tradeoffs import chapter as tradeoffs

CHAPTERS: Final[dict[str, Chapter]] = {
    "tradeoffs": tradeoffs.CHAPTER,
    "depth": depth.CHAPTER,
    "speedups": speedups.CHAPTER,
    "sides": sides.CHAPTER,
    "history": history.CHAPTER,
    "training": training.CHAPTER,
    "static": static.CHAPTER,
}
"""Between the answer, which comes first, and the table of every case."""
FIGURES: Final[dict[str, Chart]] = {name: chart for one in CHAPTERS.values() for name, chart in one.charts.items()}
"""Every figure of the page by name."""
