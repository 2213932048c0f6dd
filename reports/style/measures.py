"""Measures on the axes of figures: the column, the unit, the interval, and the better direction."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final, Literal

import pandas as pd

from reports.style.axes import log_axis
from reports.style.rows import CaseView, each
from reports.style.units import ends, number
from reports.style.views import throughput_bounds

Bounds = tuple[float | None, float | None]


def _latency_bounds(row: CaseView) -> Bounds:
    return number(row.latency_low_s), number(row.latency_high_s)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A quantity of a case, as an axis shows it."""

    column: str
    unit: str
    """Unit of the column, one of the units of `reports.style.units.quantity`."""
    title: str
    """Title of the axis, with its unit."""
    factor: float
    """Factor from the unit of the column to the unit of the axis."""
    better: Literal["higher", "lower"]
    stored_bounds: Callable[[CaseView], Bounds] = lambda _: (None, None)
    """95 % interval of a row in the unit of the column."""

    def values(self, frame: pd.DataFrame) -> list[float]:
        """Return the values of all rows in the unit of the axis."""
        return [self.factor * value for value in frame[self.column]]

    def bounds(self, frame: pd.DataFrame) -> list[Bounds]:
        """Return the intervals of all rows in the unit of the axis, None where they say nothing."""
        known = [
            ends(value, *bounds)
            for value, bounds in zip(frame[self.column], map(self.stored_bounds, each(frame)), strict=True)
        ]
        return [
            (None if low is None else self.factor * low, None if high is None else self.factor * high)
            for low, high in known
        ]

    def axis(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return the logarithmic axis that holds all values with their whiskers."""
        reached = [end for bounds in self.bounds(frame) for end in bounds if end]
        return log_axis([*self.values(frame), *reached], title={"text": self.title})


THROUGHPUT: Final = Measure(
    column="throughput_img_per_s",
    unit="img/s",
    title="throughput (images/s)",
    factor=1.0,
    better="higher",
    stored_bounds=throughput_bounds,
)
LATENCY: Final = Measure(
    column="latency_s",
    unit="s",
    title="latency of a step (ms)",
    factor=1e3,
    better="lower",
    stored_bounds=_latency_bounds,
)
MEMORY: Final = Measure(column="peak_bytes", unit="B", title="peak memory (MB)", factor=1e-6, better="lower")
MACS: Final = Measure(column="macs", unit="MAC", title="GMACs an image (forward)", factor=1e-9, better="lower")
