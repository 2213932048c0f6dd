"""Markdown: the table as people read it, failed cases included."""

from results.exchange.files import SINGLE, Files
from results.rendering import format_table
from results.store import Records
from results.tables import table


def to_markdown(records: Records) -> Files:
    """Return what a person compares, rounded to what the intervals allow; see `results.rendering.format_table`."""
    return Files(parts={SINGLE: format_table(table(records), "markdown")})
