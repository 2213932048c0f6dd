"""The rows of frames: `each` yields them as objects, and view classes declare the columns that code may use."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import pandas as pd


class CaseView(Protocol):
    """A row of the frame of cases (`reports.page.cases.cases`); missing numbers are NaN."""

    row: int
    run: str
    machine: str
    model: str
    reference: str | None
    """The model of its run's reference, where the case differs from that in nothing but the model."""
    family: str
    block: str | None
    task: str
    batch_size: int
    image_size: int | str
    in_channels: int
    head: str
    precision: str
    runtime: str
    layout: str
    status: str
    cause: str | None
    """Why the status is not ``ok``."""
    warnings: Sequence[str]
    notes: Sequence[str]
    latency_s: float
    latency_low_s: float
    latency_high_s: float
    relative: float
    relative_low: float
    relative_high: float
    throughput_img_per_s: float
    speedup: float
    speedup_low: float
    speedup_high: float
    peak_bytes: float
    macs: float
    imagenet_top1: float


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of `frame` as objects whose attributes are the columns, such as a `CaseView`.

    On a wide frame of few rows pandas' own `itertuples` takes ten times as long.
    """
    columns = [str(column) for column in frame.columns]
    return (SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in frame.to_numpy(dtype=object))
