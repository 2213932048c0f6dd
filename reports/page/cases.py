"""The frame of all cases that the page shows."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd

from reports.page.machine import sides
from reports.style.views import UNKNOWN_COUNTS
from reports.style.words import WRONG_RESULT
from results.analysis.study import Study
from results.metrics.warnings import WRONG, kind
from results.schema.axes import AXES
from results.text import printable

_TEXTS: Final = (
    "run",
    "cpu",
    "accelerator",
    "torch",
    *(name for name, axis in AXES.items() if axis.kind != "count"),
    "family",
    "block",
    "status",
    "cause",
    "interval",
    "equality",
    "state",
    "stop",
)
"""Columns of text."""
_BORROWED: Final = ("macs", "flops", "imagenet_top1")
"""What an imported case takes from the same network, at the same image size, in another of the runs."""


def cases(study: Study, named: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return `results.table` with what the page adds: its side, its row, peak memory, and text that only shows.

    A case whose result is wrong gets a status that says so: like one that failed, it counts nowhere as fast. Imported
    cases of our own variants borrow the counts that another run of the page knows exactly. `named` are the sides by
    run, where they are not those of `records` alone.
    """
    records = study.records
    frame = study.table.copy(deep=False)
    frame.attrs = {}  # pandas copies them with every selection, deeply
    wrong = frame["equality"].eq(WRONG) & frame["status"].eq("ok")
    causes = frame["cause"].astype(object).mask(wrong, frame["warnings"].where(wrong).map(_wrong, na_action="ignore"))
    frame = frame.assign(status=frame["status"].mask(wrong, WRONG_RESULT), cause=causes, usable=study.usable)
    text = frame.assign(**{name: frame[name].map(_safe(frame[name]).get).astype(object) for name in _TEXTS})
    named = {run: printable(side) for run, side in (named or sides(records.files)).items()}
    # pandas' NA is neither equal to itself nor true or false.
    counts = {name: text[name].astype(object).where(text[name].notna(), None) for name in UNKNOWN_COUNTS}
    imported = {file.run.id for file in records.files if file.run.source is not None}
    known = text.groupby(["model", "image_size"])[list(_BORROWED)].transform("first")
    return text.assign(
        **{name: text[name].where(text[name].notna(), known[name]) for name in _BORROWED},
        imported=frame["run"].isin(imported),
        row=range(len(text)),
        peak_bytes=text["peak_allocated_bytes"].where(
            text["peak_allocated_bytes"].notna(), text["peak_resident_bytes"]
        ),
        **counts,
        family=text["family"].fillna("unknown"),
        machine=frame["run"].map(named.get).astype(object),
    )


def _safe(column: "pd.Series[Any]") -> dict[str, str]:
    """Return each text of a column as it may be shown; what is no text is left out, and becomes null.

    Not for `map` as it is: pandas would make an index of the raw texts, which may refuse some of them.
    """
    return {value: printable(value) for value in column.unique() if isinstance(value, str)}


def _wrong(warnings: Iterable[Any]) -> str:
    """Return what is wrong with a result, as its warning says it."""
    return next((line.partition(": ")[2] for line in warnings if kind(line) == WRONG), "its result is wrong")
