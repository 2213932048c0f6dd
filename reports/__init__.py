"""Figures and the page: Records in, one HTML file out. Needs no torch.

reports.build(results.load("runs/"), "report.html")
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from results.analysis.study import Study
    from results.storage.reader import Records

__all__ = ["build"]


def build(records: "Records | Study", path: str | Path = "report.html") -> Path:
    """Write the page of `records` to `path` and return it; see `reports.page.page.write_page`.

    A study shares its computed statistics.
    """
    from reports.page import page  # noqa: PLC0415 (pandas, Plotly and Jinja only where a page is built)

    return page.write_page(records, path)
