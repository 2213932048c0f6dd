"""The chapters of the page, in the order of a reader's questions, and their figures.

A chapter is a module with a `Chapter`: a file, or a folder whose ``chapter.py`` has it. It owns its frames, figures,
sentences and templates, and imports no other chapter. To add a chapter, write it and add its line here.
"""

from pathlib import Path
from typing import Final

from reports.chapters import batches, depth, energy, savings, training
from reports.chapters.convergence import chapter as convergence
from reports.chapters.fastest import chapter as fastest
from reports.chapters.history import chapter as history
from reports.chapters.loading import chapter as loading
from reports.chapters.memory import chapter as memory
from reports.chapters.profile import chapter as profile
from reports.chapters.roofline import chapter as roofline
from reports.chapters.sides import chapter as sides
from reports.chapters.speedups import chapter as speedups
from reports.chapters.static import chapter as static
from reports.chapters.tradeoffs import chapter as tradeoffs
from reports.figures.chart import Chapter, Chart

CHAPTERS: Final[dict[str, Chapter]] = {
    "fastest": fastest.CHAPTER,
    "tradeoffs": tradeoffs.CHAPTER,
    "depth": depth.CHAPTER,
    "batches": batches.CHAPTER,
    "speedups": speedups.CHAPTER,
    "sides": sides.CHAPTER,
    "history": history.CHAPTER,
    "training": training.CHAPTER,
    "savings": savings.CHAPTER,
    "energy": energy.CHAPTER,
    "convergence": convergence.CHAPTER,
    "loading": loading.CHAPTER,
    "profile": profile.CHAPTER,
    "roofline": roofline.CHAPTER,
    "memory": memory.CHAPTER,
    "static": static.CHAPTER,
}
"""Chapters between the answer, which comes first, and the table of every case."""
FIGURES: Final[dict[str, Chart]] = {
    name: chart for chapter in CHAPTERS.values() for name, chart in chapter.charts.items()
}
"""Every figure of the page by name."""
CHAPTER_FOLDER: Final = Path(__file__).parent
"""Folder of the chapters' templates."""
