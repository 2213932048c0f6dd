"""Rows of a table as plain Python values, JSON and CSV."""

import json
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from results.schema.metrics import METRICS
from results.text import csv_text

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

_WHOLE: Final = frozenset(name for name, metric in METRICS.items() if metric.whole)


def json_text(content: Any) -> str:
    """Return JSON that any parser accepts, ending in a newline."""
    return json.dumps(content, indent=1, allow_nan=False, default=structs.asdict) + "\n"


def table_csv(frame: "pd.DataFrame") -> str:
    """Return the whole frame as CSV; see `results.text.csv_text` for its cells."""
    return csv_text(list(frame.columns), [list(row.values()) for row in plain(frame)])


def plain(frame: "pd.DataFrame") -> list[Row]:
    """Return the rows as values of JSON: whole numbers as int, missing values as None."""
    columns = [_values(column, whole=name in _WHOLE) for name, column in frame.items()]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def machine_name(row: Row) -> str:
    """Return what a row of `results.table` ran on, for people: its accelerator, else its CPU."""
    return str(row["accelerator"] or row["cpu"] or "unknown machine")


def _values(column: "pd.Series[Any]", *, whole: bool) -> list[Any]:
    pairs = zip(column.astype(object).tolist(), column.isna().tolist(), strict=True)
    if whole:
        return [None if missing else int(value) for value, missing in pairs]
    return [None if missing else list(value) if isinstance(value, tuple) else value for value, missing in pairs]
