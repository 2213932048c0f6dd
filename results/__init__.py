"""Records of measurements: their schema and units, storage, statistics and tables. Needs no torch.

    records = results.load("runs/")
    frame = results.table(records)

Importing this package is cheap: pandas, pydantic and scipy come in when they are first used.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from results.errors import InputError
from results.schema import (
    Case,
    Environment,
    Facts,
    Ran,
    Record,
    Run,
    Samples,
    Settings,
    Static,
)

if TYPE_CHECKING:
    import pandas as pd

    from results.metrics import METRICS as METRICS
    from results.store import Records

__all__ = [
    "METRICS",
    "Case",
    "Environment",
    "Facts",
    "InputError",
    "Ran",
    "Record",
    "Run",
    "Samples",
    "Settings",
    "Static",
    "load",
    "table",
]


def load(*paths: str | Path) -> "Records":
    """Read run files, or every ``*.jsonl`` of folders; see `results.store.load`."""
    from results.store import load as read  # noqa: PLC0415 (cheap import)

    return read(*paths)


def table(records: "Records") -> "pd.DataFrame":
    """Return the tidy frame of `records`, one row a case; see `results.tables.table`."""
    from results.tables import table as make  # noqa: PLC0415 (cheap import)

    return make(records)


def __getattr__(name: str) -> object:
    if name == "METRICS":
        from results.metrics import METRICS  # noqa: PLC0415 (cheap import)

        return METRICS
    raise AttributeError(f"module 'results' has no attribute {name!r}")
