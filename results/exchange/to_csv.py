"""CSV: the whole table, failed cases included, from which every value can be told back."""

from results.exchange.files import SINGLE, Files
from results.rendering import format_table
from results.store import Records
from results.tables import table


def to_csv(records: Records) -> Files:
    """Return all columns of `results.table` in base SI units; `results.formats.csv_value` reads its cells of text.

    Null is an empty cell, which no text is, and the columns ``warnings``, ``notes`` and ``nulls`` are JSON.
    """
    return Files(parts={SINGLE: format_table(table(records), "csv")})
