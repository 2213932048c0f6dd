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
    from results.analysis.convergence.curves import Curve
    from results.analysis.convergence.verdicts import TrainingComparison
    from results.analysis.rank import Ranking
    from results.analysis.study import Study
    from results.storage.reader import Records

__all__ = [
    "InputError",
    "Study",
    "compare",
    "compare_trainings",
    "curves",
    "epochs",
    "load",
    "rank",
    "table",
    "trainings",
]


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


def curves(records: "Records") -> "list[Curve]":
    """Return the trainings of all files with their epochs; see `results.analysis.convergence.curves.curves`."""
    from results.analysis.convergence.curves import curves as read  # noqa: PLC0415 (cheap import)

    return read(records)


def epochs(records: "Records") -> "pd.DataFrame":
    """Return a frame with a row an epoch of each training; see `results.analysis.convergence.frames.epochs`."""
    from results.analysis.convergence.frames import epochs as make  # noqa: PLC0415 (cheap import)

    return make(records)


def trainings(records: "Records", accuracy: float | None = None) -> "pd.DataFrame":
    """Return a frame with a row a recipe, network, data and machine: accuracy, time to it and cost, over the seeds.

    See `results.analysis.convergence.frames.trainings`.
    """
    from results.analysis.convergence.frames import trainings as make  # noqa: PLC0415 (cheap import)

    return make(records, accuracy)


def compare_trainings(
    base: "Records", new: "Records", *, accuracy: float | None = None, margin: float = MARGIN
) -> "TrainingComparison":
    """Compare the seeds of two sides; see `results.analysis.convergence.verdicts.compare_trainings`."""
    from results.analysis.convergence.verdicts import compare_trainings as make  # noqa: PLC0415 (cheap import)

    return make(base, new, accuracy=accuracy, margin=margin)
