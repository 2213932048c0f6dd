"""The frame of all cases that the page shows."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd

from reports.chapters.tradeoffs.accuracies import accuracy_text, cited, published
from reports.page.machine import sides
from reports.style.machines import grouped
from reports.style.views import UNKNOWN_COUNTS
from reports.style.words import WRONG_RESULT
from results.analysis.study import Study
from results.metrics.warnings import WRONG, kind
from results.schema.axes import AXES
from results.storage.reader import Records
from results.text import printable

_TEXTS: Final = (
    "run",
    "cpu",
    "accelerator",
    "torch",
    *(name for name, axis in AXES.items() if axis.kind in {"name", "word"}),
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
_BORROWED: Final = ("macs", "flops")
"""Columns that an imported case takes from another run of the same network and images."""


def cases(study: Study, named: Mapping[tuple[str, str], str] | None = None) -> pd.DataFrame:
    """Return `results.table` with the columns of the page: side and its style, row, peak memory, escaped text.

    A case with a wrong result gets a status of its own: like a failed case, it never counts as fast. Imported cases of
    our variants take exact counts from other runs of the page. A variant has the same accuracy in all cases: that of
    the source of most cases, or of the next source that knows it; where there are several, `cited` names it. `named`
    are the sides by run and device, where they differ from the sides of `records` alone.
    """
    records = study.records
    frame = study.table.copy(deep=False)
    frame.attrs = {}  # pandas copies them with every selection, deeply
    wrong = frame["equality"].eq(WRONG) & frame["status"].eq("ok")
    causes = frame["cause"].astype(object).mask(wrong, frame["warnings"].where(wrong).map(_wrong, na_action="ignore"))
    frame = frame.assign(status=frame["status"].mask(wrong, WRONG_RESULT), cause=causes, usable=study.usable)
    text = frame.assign(**{name: frame[name].map(_safe(frame[name]).get).astype(object) for name in _TEXTS})
    named = {key: printable(side) for key, side in (named or sides(records.files)).items()}
    machines = [named[key] for key in zip(frame["run"], frame["device"], strict=True)]
    # pandas' NA is neither equal to itself nor true or false.
    counts = {name: text[name].astype(object).where(text[name].notna(), None) for name in UNKNOWN_COUNTS}
    imported = {file.run.id for file in records.files if file.run.source is not None}
    known = text.groupby(["model", "image_size", "in_channels", "head"], sort=False)[list(_BORROWED)].transform("first")
    shown = _accurate(text, records).assign(
        **{name: text[name].where(text[name].notna(), known[name]) for name in _BORROWED},
        imported=frame["run"].isin(imported),
        row=range(len(text)),
        peak_bytes=text["peak_allocated_bytes"].where(
            text["peak_allocated_bytes"].notna(), text["peak_resident_bytes"]
        ),
        **counts,
        family=text["family"].fillna("unknown"),
        machine=pd.Series(machines, index=frame.index, dtype=object),
        reference=_references(frame, study),
    )
    groups = grouped(shown)
    styles = [groups[machine] for machine in shown["machine"]]
    return shown.assign(group=[group for group, _ in styles], hue=[hue for _, hue in styles])


def _accurate(text: pd.DataFrame, records: Records) -> pd.DataFrame:
    """Return the cases with their accuracy, and its source in `accuracy` and `cited`."""
    sources = published(records)
    top1 = pd.Series(math.nan, index=text.index, dtype="float64")
    names = pd.Series("", index=text.index, dtype=object)
    for name, known in sources.items():
        other = cited(text, known).where(top1.isna())
        names = names.mask(other.notna(), name)
        top1 = top1.fillna(other)
    return text.assign(imagenet_top1=top1, accuracy=names.map(accuracy_text), cited=names if len(sources) > 1 else "")


def _references(frame: pd.DataFrame, study: Study) -> "pd.Series[Any]":
    """Return the model of the reference of the run of each case, None where the case differs in more than its model."""
    references = {run.file.run.id: run.reference for run in study.runs if run.reference is not None}
    names = frame["run"].map({run: printable(case.model) for run, case in references.items()}).astype(object)
    for axis in AXES:
        if axis != "model":
            shared = frame["run"].map({run: getattr(case, axis) for run, case in references.items()})
            names = names.where(frame[axis].eq(shared).fillna(value=False).astype(bool), None)
    return names


def _safe(column: "pd.Series[Any]") -> dict[str, str]:
    """Return the texts of a column with hidden characters escaped; other values become null.

    `Series.map` with a function of raw texts would make an index of them, which may refuse some texts.
    """
    return {value: printable(value) for value in column.unique() if isinstance(value, str)}


def _wrong(warnings: Iterable[Any]) -> str:
    """Return what is wrong with a result, as its warning says it."""
    return next((line.partition(": ")[2] for line in warnings if kind(line) == WRONG), "its result is wrong")
