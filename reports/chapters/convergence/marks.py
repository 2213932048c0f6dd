"""Time to an accuracy and final accuracy of each recipe: a mark with its interval, and a dot a seed."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.chapters.convergence.drawing import SERIES
from reports.chapters.convergence.frame import RecipeView
from reports.style.columns import Column, words
from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, blank
from reports.style.rows import each
from reports.style.table import Cell
from reports.style.theme import GREY, label
from reports.style.units import NEVER, NONE, number, quantity, spread
from reports.style.words import joined, percent_text, plural


def time_marks(frame: pd.DataFrame) -> Figure:
    """Draw the seconds to the accuracy of the rows: geometric mean with its interval, and a dot a seed."""
    figure = _rows_figure(frame, "seconds to the accuracy", {"rangemode": "tozero"})
    for row in each(frame):
        _marks(figure, row, (row.time_s, row.time_low_s, row.time_high_s), 1.0, _time_hover)
        if number(row.time_s) is None:
            text = f"{row.reached} of {plural(row.seeds, 'seed')}"
            figure.add_annotation(x=0, y=_position(row), text=text, showarrow=False, xanchor="left")
    return figure


def final_marks(frame: pd.DataFrame) -> Figure:
    """Draw the final accuracies (%): mean with its interval, a dot a seed, and what somebody published."""
    figure = _rows_figure(frame, "final validation accuracy (%)", {})
    for row in each(frame):
        _marks(figure, row, (row.accuracy, row.accuracy_low, row.accuracy_high), 100.0, _final_hover)
    expected = [row for row in each(frame) if number(row.expected_accuracy) is not None]
    if expected:
        figure.add_scatter(
            x=[100 * row.expected_accuracy for row in expected],
            y=[_position(row) for row in expected],
            name="expected by the recipe",
            mode="markers",
            marker={"color": GREY, "symbol": "line-ns-open", "size": 18, "line": {"width": 2}},
            customdata=[label(row.expected_source or "") for row in expected],
            hovertemplate="%{x:.2f} %: %{customdata}<extra></extra>",
        )
    return figure


def of_times(frame: pd.DataFrame) -> str:
    """Return the sentence on the time of each series to an accuracy."""
    said = [f"{row.series} {_time_text(row)}" for row in each(frame)]
    return f"To {frame['to'].iloc[0]} validation accuracy: {joined(said)}."


def of_finals(frame: pd.DataFrame) -> str:
    """Return the sentence on the highest final accuracy, and whether its recipe promised it."""
    known = frame.dropna(subset=["accuracy"])
    if known.empty:
        return "No training came to its end."
    best: RecipeView = next(each(known.sort_values(["accuracy", "series"], ascending=[False, True])))
    said = f"On {best.data}, {best.series} has the highest final accuracy, {_final_text(best)}"
    if len(known) == 1:
        said = f"On {best.data}, {best.series} ends at {_final_text(best)}"
    if number(best.expected_accuracy) is None:
        return f"{said}."
    return f"{said}; its recipe expects {percent_text(best.expected_accuracy)} ({best.expected_source})."


def _rows_figure(frame: pd.DataFrame, title: str, axis: dict[str, Any]) -> Figure:
    names = [label(name) for name in dict.fromkeys(frame["series"])]
    height = FRAME_PIXELS + 2 * ROW_PIXELS * len(names)
    yaxis = {**CATEGORIES, "categoryorder": "array", "categoryarray": names[::-1]}
    return blank(height, xaxis={"title": {"text": title}, **axis}, yaxis=yaxis, showlegend=False)


def _position(row: RecipeView) -> str:
    return label(row.series)


def _marks(
    figure: Figure, row: RecipeView, known: Sequence[Any], factor: float, hover: Callable[[RecipeView], str]
) -> None:
    style = SERIES[int(row.hue) % len(SERIES)]
    figure.add_scatter(
        x=[factor * value for value in row.per_seed],
        y=[_position(row)] * len(row.per_seed),
        mode="markers",
        name=f"seeds of {label(row.series)}",
        marker={"color": style.color, "symbol": "circle-open", "size": 6, "opacity": 0.7},
        hovertemplate="a seed: %{x:.4g}<extra></extra>",
    )
    value, low, high = map(number, known)
    if value is None:
        return
    ends = None
    if low is not None and high is not None:
        ends = {"type": "data", "array": [factor * (high - value)], "arrayminus": [factor * (value - low)], "width": 6}
    figure.add_scatter(
        x=[factor * value],
        y=[_position(row)],
        mode="markers",
        name=label(row.series),
        error_x=ends,
        marker={"color": style.color, "symbol": style.symbol, "size": 11},
        customdata=[hover(row)],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _time_text(row: RecipeView) -> str:
    if number(row.time_s) is None:
        return f"with {row.reached} of {plural(row.seeds, 'seed')} only"
    within = spread(row.time_s, row.time_low_s, row.time_high_s)
    return " ".join(filter(None, ("in", quantity(row.time_s, "s", row.time_low_s, row.time_high_s), within)))


def _final_text(row: RecipeView) -> str:
    if number(row.accuracy_low) is None:
        return percent_text(row.accuracy)
    half = 100 * max(row.accuracy_high - row.accuracy, row.accuracy - row.accuracy_low)
    over = plural(row.finished, "seed") if row.interval == "seeds" else "one seed, by its images"
    return f"{percent_text(row.accuracy)} ± {half:.2f} points ({over})"


def _time_hover(row: RecipeView) -> str:
    return f"<b>{label(row.series)}</b><br>{_time_text(row)}"


def _final_hover(row: RecipeView) -> str:
    return f"<b>{label(row.series)}</b><br>{_final_text(row)}"


def _plain_cell(value: Any, unit: str, reason: str) -> Cell:
    known = number(value)
    return Cell(text=NONE, reason=reason) if known is None else Cell(text=quantity(known, unit), sort=known)


def _seconds_cell(row: RecipeView) -> Cell:
    known = number(row.time_s)
    if known is None:
        return Cell(text=NEVER if row.reached == 0 else NONE, sort=math.inf)
    return Cell(
        text=quantity(known, "s", row.time_low_s, row.time_high_s),
        note=spread(known, row.time_low_s, row.time_high_s),
        sort=known,
    )


def _joules_cell(row: Any) -> Cell:
    known = number(row.energy_j)
    return (
        Cell(text=NONE, reason=row.nulls.get("energy_j", ""))
        if known is None
        else Cell(text=f"{known:,.0f}", sort=known)
    )


def _accuracy_cell(row: RecipeView) -> Cell:
    known = number(row.accuracy)
    return Cell(text=NONE) if known is None else Cell(text=_final_text(row), sort=known)


def _expected_cell(row: RecipeView) -> Cell:
    known = number(row.expected_accuracy)
    return (
        Cell(text=NONE)
        if known is None
        else Cell(text=percent_text(known), note=f"({row.expected_source})", sort=known)
    )


TIME_COLUMNS: Final[dict[str, Column]] = {
    "series": words("training", "series"),
    "reached": Column(
        heading="seeds that reached it", make=lambda row: Cell(text=f"{row.reached} of {row.seeds}", sort=row.reached)
    ),
    "time_s": Column(heading="time", make=_seconds_cell),
    "median_s": Column(
        heading="median", make=lambda row: _plain_cell(row.median_s, "s", row.nulls.get("median_s", ""))
    ),
    "images_per_s": Column(heading="images/s", make=lambda row: _plain_cell(row.images_per_s, "img/s", "")),
    "energy_j": Column(heading="energy, J", make=_joules_cell),
}
FINAL_COLUMNS: Final[dict[str, Column]] = {
    "series": words("training", "series"),
    "ends": words("ends", "ends"),
    "accuracy": Column(heading="final accuracy", make=_accuracy_cell),
    "interval": words("interval over", "interval"),
    "expected_accuracy": Column(heading="expected", make=_expected_cell),
    "seconds": Column(heading="whole training", make=lambda row: _plain_cell(row.seconds, "s", "")),
    "data_s": Column(heading="data", make=lambda row: _plain_cell(row.data_s, "s", "")),
    "compute_s": Column(heading="computing", make=lambda row: _plain_cell(row.compute_s, "s", "")),
    "validation_s": Column(heading="validation", make=lambda row: _plain_cell(row.validation_s, "s", "")),
    "peak_memory_bytes": Column(heading="peak memory", make=lambda row: _plain_cell(row.peak_memory_bytes, "B", "")),
}
