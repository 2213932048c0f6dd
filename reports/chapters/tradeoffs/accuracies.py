"""The sources of published accuracies: torchvision's weights, and the tables that came with imported cases.

Sources differ on the same variant, as they have other weights of it. So a chart has the accuracies of one source.
"""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from reports.figures.chart import Source
from results.storage.reader import Records, RunFile
from results.text import printable

TORCHVISION: Final = "torchvision"
_TABLES: Final = frozenset({"timm"})
"""Formats whose files all cite the same table; a file of another format is a source of its own."""

Published = dict[tuple[str, int | str], float]
"""Top-1 as a fraction, by variant and image size."""


def published(records: Records) -> dict[str, Published]:
    """Return the accuracies of every source by its name, that of the most cases first.

    A source that only repeats another source is left out.
    """
    sources: dict[str, Published] = {}
    for file in records.files:
        for name, accuracies in _stated(file).items():
            known = sources.setdefault(name, {})
            for key, top1 in accuracies.items():
                known[key] = max(top1, known.get(key, 0.0))  # a table of several versions is still one source
    own = {name: known for name, known in sources.items() if not _repeated(name, sources)}
    cases = [(printable(case.model), case.image_size) for file in records.files for case in file.run.plan]
    return dict(sorted(own.items(), key=lambda item: (-sum(case in item[1] for case in cases), item[0] != TORCHVISION)))


def _stated(file: RunFile) -> dict[str, Published]:
    """Return the accuracies that a file states, by source."""
    weights = {
        (printable(static.model), static.image_size): static.imagenet_top1
        for static in file.statics
        if static.imagenet_top1 is not None
    }
    source = file.run.source
    if source is None:
        return {TORCHVISION: weights} if weights else {}
    tabled = {
        (printable(record.case.model), record.case.image_size): record.summary.metrics["imagenet_top1"]
        for record in file.records
        if record.summary is not None and "imagenet_top1" in record.summary.metrics
    }
    name = source.format if source.format in _TABLES else printable(source.file)
    return {name: tabled | weights} if tabled or weights else {}


def _repeated(name: str, sources: Mapping[str, Published]) -> bool:
    """Return whether another source states all that this source does; of two equal sources the first stays."""
    order = [TORCHVISION, *sources]
    return any(
        sources[name].items() < known.items() or (sources[name] == known and order.index(other) < order.index(name))
        for other, known in sources.items()
        if other != name
    )


def accuracy_text(name: str) -> str:
    """Return the name of a source as text of a chart: ``accuracy by timm``."""
    return f"accuracy by {name}"


def by_source(source: Source) -> pd.DataFrame:
    """Return the cases with the accuracy of each source that knows their variant, those of the first source first.

    An accuracy is of a variant, not of a machine: cases of every machine get it.
    """
    cases = source.cases
    parts = [
        cases.assign(imagenet_top1=cited(cases, known), accuracy=accuracy_text(name))
        for name, known in published(source.study.records).items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["imagenet_top1"]) if parts else cases.iloc[:0]


def cited(cases: pd.DataFrame, known: Published) -> "pd.Series[float]":
    """Return the accuracy of each case in `known`, NaN where it has none."""
    keys = zip(cases["model"], cases["image_size"], strict=True)
    return pd.Series([known.get(key) for key in keys], index=cases.index, dtype="float64")
