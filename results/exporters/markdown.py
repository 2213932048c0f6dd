"""Markdown: the table as people read it, failed cases included."""

from reports.text.table import format_table
from results.exporters.files import SINGLE, Files
from results.metrics.table import table
from results.storage.reader import Records


def to_markdown(records: Records) -> Files:
    """Return what a person compares, rounded to what the intervals allow; see `reports.text.table.format_table`."""
    return Files(parts={SINGLE: format_table(table(records), "markdown")})
