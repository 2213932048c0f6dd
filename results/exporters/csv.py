"""CSV: the whole table, failed cases included, without loss of values."""

from results.analysis.study import Study
from results.exporters.files import SINGLE, Files
from results.metrics.rows import table_csv


def to_csv(study: Study) -> Files:
    """Return all columns of `results.table` in base SI units; `results.text.csv_value` reads its cells of text.

    Null is an empty cell, which no text is, and the columns ``warnings``, ``notes`` and ``nulls`` are JSON.
    """
    return Files(parts={SINGLE: table_csv(study.table)})
