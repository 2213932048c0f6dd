"""CSV: the whole table, failed cases included, from which every value can be told back."""

from reports.text.table import format_table
from results.exporters.files import SINGLE, Files
from results.metrics.table import table
from results.storage.reader import Records


def to_csv(records: Records) -> Files:
    """Return all columns of `results.table` in base SI units; `results.text.csv_value` reads its cells of text.

    Null is an empty cell, which no text is, and the columns ``warnings``, ``notes`` and ``nulls`` are JSON.
    """
    return Files(parts={SINGLE: format_table(table(records), "csv")})
