"""Records of measurements: schema, units, storage, statistics, tables and comparison. Needs no torch.

    >>> import results
    >>> records = results.load("runs/base.jsonl")
    >>> frame = results.table(records)  # tidy: a row a case, SI units
    >>> frame[["model", "status"]].to_dict("records")
    [{'model': 'resnet50', 'status': 'ok'}]
    >>> results.compare(records, results.load("runs/new.jsonl")).outcome
    'pass'
    >>> study = results.Study(records)  # the table, chains, break-evens…, each computed once

Importing this package is cheap: pandas and scipy are imported when they are first used.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from results.errors import InputError
from results.statistics.margin import MARGIN

if TYPE_CHECKING:
    import pandas as pd

    from results.analysis.compare import Comparison
    from results.analysis.rank import Ranking
    from results.analysis.study import Study
    from results.storage.reader import Records

__all__ = ["InputError", "Study", "compare", "load", "rank", "table"]


def __getattr__(name: str) -> type["Study"]:
    """Return `results.analysis.study.Study`, imported when it is first asked for."""
    if name != "Study":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from results.analysis.study import Study  # noqa: PLC0415 (cheap import)

    return Study


def load(*paths: str | Path) -> "Records":
    """Read run files, or every ``*.jsonl`` of folders; see `results.storage.reader.load`."""
    from results.storage.reader import load as read  # noqa: PLC0415 (cheap import)

    return read(*paths)


def table(records: "Records", reference: str | None = None) -> "pd.DataFrame":
    """Return the tidy frame of `records`, one row a case; see `results.metrics.table.table`."""
    from results.metrics.table import table as make  # noqa: PLC0415 (cheap import)

    return make(records, reference)


def compare(base: "Records | Study", new: "Records | Study", *, margin: float = MARGIN) -> "Comparison":
    """Compare two sides of runs, case by case; see `results.analysis.compare.compare`."""
    from results.analysis.compare import compare as make  # noqa: PLC0415 (cheap import)

    return make(base, new, margin=margin)


def rank(records: "Records | Study", *, reference: str | None = None, margin: float = 0.0) -> "tuple[Ranking, ...]":
    """Return the cases of each run in the order of their time, with the differences that are shown.

    See `results.analysis.rank.rank`.
    """
    from results.analysis.rank import rank as make  # noqa: PLC0415 (cheap import)

    return make(records, reference=reference, margin=margin)
