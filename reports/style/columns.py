"""The columns of tables: heading, text, interval, and the number to sort by.

The columns of axes and metrics come from `results.schema`; this module declares other columns, and exceptions.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from reports.style.rows import each
from reports.style.table import Cell, Table
from reports.style.units import NEVER, NONE, SPACE, TIMES, number, quantity, relative, spread, steps
from reports.style.views import CONTEXT, throughput_bounds
from results.image_size import pixels
from results.metrics.breakeven import is_never
from results.schema.axes import AXES, is_silent
from results.schema.metric import Metric
from results.schema.metric import Table as Shown
from results.schema.metrics import METRICS
from results.text import UNKNOWN_MEANING, is_unknown


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How a column of a frame is shown. `make` gets a row of the frame (`reports.style.rows.each`)."""

    heading: str
    make: Callable[[Any], Cell]
    numeric: bool = True


def _reason(row: Any, name: str) -> str:
    nulls = getattr(row, "nulls", None)
    return str(nulls.get(name, "")) if isinstance(nulls, Mapping) else ""


def _doubt(row: Any, name: str, half: float | None) -> str:
    """Return why a value is missing, or its interval unknown."""
    if number(getattr(row, name)) is None:
        return _reason(row, name)
    return UNKNOWN_MEANING if half is not None and is_unknown(half) else ""


def _text(row: Any, name: str) -> Cell:
    value = getattr(row, name)
    return Cell(text=str(value), sort=str(value)) if isinstance(value, str) else Cell(text=NONE)


def _number(name: str, text: Callable[[float], str]) -> Callable[[Any], Cell]:
    """Return a function that shows the number of column `name` as `text`."""

    def make(row: Any) -> Cell:
        value = number(getattr(row, name))
        if value is None:
            return Cell(text=NONE, reason=_reason(row, name))
        return Cell(text=text(value), sort=value)

    return make


def _measured(name: str, unit: str, bounds: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], Cell]:
    """Return a function that shows the value of column `name` with its interval."""

    def make(row: Any) -> Cell:
        value, (low, high) = getattr(row, name), bounds(row)
        return Cell(
            text=quantity(value, unit, low, high),
            note=spread(value, low, high),
            sort=number(value),
            reason=_doubt(row, name, relative(value, low, high)),
        )

    return make


_NEVER: Final = 1e300
"""Sort key of "never": behind any number of steps."""


def _break_even(row: Any) -> Cell:
    """Show the steps with their interval; never sorts behind every number."""
    value, reason = number(row.break_even_steps), _reason(row, "break_even_steps")
    if value is None:
        never = is_never(reason)
        return Cell(text=NEVER if never else NONE, reason=reason, sort=_NEVER if never else None)
    low, high = number(row.break_even_low), number(row.break_even_high)
    ends = "" if low is None else f"{steps(low)} to {NEVER if high is None else steps(high)}"
    return Cell(text=f"{steps(value)}{SPACE}steps", note=ends, sort=value)


def words(heading: str, name: str) -> Column:
    """Return a column of texts."""
    return Column(heading=heading, make=lambda row: _text(row, name), numeric=False)


def whole(heading: str, name: str) -> Column:
    """Return a column of whole numbers."""
    return Column(heading=heading, make=_number(name, lambda value: f"{value:.0f}"))


def amount(heading: str, name: str, unit: str) -> Column:
    """Return a column of numbers in `unit` that have no interval."""
    return Column(heading=heading, make=_number(name, lambda value: quantity(value, unit)))


def estimate(heading: str, name: str, unit: str, ends: str | None = None) -> Column:
    """Return a column of numbers with intervals in the columns ``<ends>_low`` and ``<ends>_high``."""
    low, high = f"{ends or name}_low", f"{ends or name}_high"
    return Column(heading=heading, make=_measured(name, unit, lambda row: (getattr(row, low), getattr(row, high))))


def steps_until(heading: str, name: str) -> Column:
    """Return a column of numbers of steps that may be infinite, with the ends of their intervals."""

    def make(row: Any) -> Cell:
        value, low, high = (getattr(row, column) for column in (f"{name}_steps", f"{name}_low", f"{name}_high"))
        text = steps(value)
        if text == NONE:
            return Cell(text=NONE, reason=row.reason if isinstance(row.reason, str) else "not measured")
        ends = "" if NONE in {steps(low), steps(high)} else f"{steps(low)} to {steps(high)}"
        return Cell(text=text, note=ends, sort=_NEVER if text == NEVER else value)

    return Column(heading=heading, make=make)


_HEADINGS: Final = {"model": "variant", "image_size": "pixels"}
"""Headings of axes that differ between the page and a terminal, mostly for more room."""


def _accuracy(row: Any) -> Cell:
    """Show the accuracy; its source is the note where the sources of a page differ."""
    value = number(row.imagenet_top1)
    if value is None:
        return Cell(text=NONE, reason=_reason(row, "imagenet_top1"))
    percent = f"{100 * value:.2f}{SPACE}%"
    return Cell(text=percent, note=getattr(row, "cited", ""), sort=value)


_UNLIKE: Final[dict[str, Callable[[Any], Cell]]] = {
    "throughput_img_per_s": _measured("throughput_img_per_s", "img/s", throughput_bounds),
    "speedup": _measured("speedup", TIMES, lambda row: (row.speedup_low, row.speedup_high)),
    "equality_error": _number("equality_error", lambda value: f"{value:.1e}"),
    "imagenet_top1": _accuracy,
    "break_even_steps": _break_even,
}
"""Metrics whose display does not follow from their unit and bounds."""


def _axis_column(name: str) -> Column:
    heading = _HEADINGS.get(name, AXES[name].heading)
    if AXES[name].kind == "size":
        return Column(heading=heading, make=lambda row: _size(getattr(row, name)))
    return whole(heading, name) if AXES[name].kind == "count" else words(heading, name)


def _size(value: int | str) -> Cell:
    """Show the size of an image, and sort by its pixels."""
    return Cell(text=str(value), sort=pixels(value))


def _metric_column(metric: Metric) -> Column:
    heading, name = metric.heading or metric.label, metric.name
    if name in _UNLIKE:
        return Column(heading=heading, make=_UNLIKE[name])
    if metric.bounds is not None:
        low, high = metric.bounds
        bounds = _measured(name, metric.unit, lambda row: (getattr(row, low), getattr(row, high)))
        return Column(heading=heading, make=bounds)
    if metric.unit == "1" and metric.combine == "max":
        return whole(heading, name)
    return amount(heading, name, metric.unit)


COLUMNS: Final[dict[str, Column]] = {
    **{name: _axis_column(name) for name in AXES},
    **{name: _metric_column(metric) for name, metric in METRICS.items()},
    "machine": words("machine", "machine"),
    "family": words("family", "family"),
    "block": words("block", "block"),
    "depth": whole("depth", "depth"),
    "run": words("run", "run"),
    "status": words("status", "status"),
    "peak_bytes": amount("peak memory", "peak_bytes", "B"),
    "equality": words("result", "equality"),
    "state": words("steps", "state"),
    "reason": words("why not", "reason"),
}
"""The columns that tables of several chapters show; a chapter adds its own to those of its figures."""

_EARLY: Final = (
    "latency_s",
    "throughput_img_per_s",
    "relative",
    "speedup",
    "imagenet_top1",
    *(f"latency_p{percent}_s" for percent in (50, 90, 95, 99)),
    "flops_per_s",
    "peak_resident_bytes",
    "peak_allocated_bytes",
    "first_step_s",
    "compile_s",
    "warm_compile_s",
    "break_even_steps",
)
"""Metrics that come first in tables, in this order; the others follow in the order of `METRICS`."""


def metrics_of(shown: Shown, *, early: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the metrics of a table of the page, the metrics of `early` first."""
    names = [name for name, metric in METRICS.items() if shown in metric.tables]
    return (*(name for name in early if name in names), *(name for name in names if name not in early))


def _case_columns() -> tuple[str, ...]:
    metrics = [name for name in metrics_of("cases", early=_EARLY) if name != "equality_error"]
    return ("model", *CONTEXT, "status", *metrics, "equality", "equality_error", "state")


CASE_COLUMNS: Final = _case_columns()
"""Columns of the table of every case."""


def table(frame: pd.DataFrame, names: tuple[str, ...], own: Mapping[str, Column] | None = None) -> Table:
    """Return the columns of `names` in which any row of `frame` has a value that is not left out of texts.

    `own` are columns of a chapter that `COLUMNS` lacks, by name.
    """
    columns = {**COLUMNS, **(own or {})}
    rows = list(each(frame))
    made = {name: [columns[name].make(row) for row in rows] for name in names}
    silent = {name for name in made if name in AXES and all(is_silent(name, getattr(row, name)) for row in rows)}
    filled = {
        name: cells
        for name, cells in made.items()
        if name not in silent and any(cell.sort is not None for cell in cells)
    }
    return Table(
        heads=tuple(columns[name].heading for name in filled),
        numeric=tuple(columns[name].numeric for name in filled),
        rows=tuple(zip(*filled.values(), strict=True)),
        names=tuple(filled),
    )
