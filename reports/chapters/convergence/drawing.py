"""Curves of trainings with their seeds as bands: figure, table and sentences."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.chapters.convergence.frame import PointView
from reports.figures.chart import MOST_DATA
from reports.style.drawing import STANDARD, blank
from reports.style.rows import each
from reports.style.table import Table
from reports.style.theme import BLUE, BROWN, GREEN, INDIGO, OCHRE, PURPLE, SKY, VERMILLION, Style, label
from reports.style.units import quantity
from reports.style.words import joined, percent_text, plural
from results.statistics.seeds import mean_over_seeds

_TITLES: Final = {
    "seconds": "seconds of training, validation included",
    "images": "training images seen (millions)",
    "epochs": "epochs",
    "joules": "energy of the device (kJ)",
}
_FACTORS: Final = {"images": 1e-6, "joules": 1e-3}
_MOST_LOST: Final = 4
"""The most seeds that a sentence names."""
_BAND: Final = 0.2
"""Opacity of the band from the lowest to the highest seed."""
SERIES: Final = tuple(
    Style(color=color, symbol=symbol, dash=dash, pattern="")
    for color, symbol, dash in (
        (BLUE, "circle", "solid"),
        (VERMILLION, "square", "dash"),
        (GREEN, "diamond", "dot"),
        (PURPLE, "triangle-up", "dashdot"),
        (OCHRE, "triangle-down", "longdash"),
        (SKY, "pentagon", "longdashdot"),
        (INDIGO, "hexagon", "solid"),
        (BROWN, "star", "dash"),
    )
)
"""Styles that distinguish the recipes of a chart."""


class Step(NamedTuple):
    """The seeds of a series at an epoch."""

    epoch: int
    x: float
    mean: float
    low: float
    high: float
    seeds: int


def validation_curves(frame: pd.DataFrame) -> Figure:
    """Draw the validation accuracy (%) against the x of the rows, a band over seeds for each series."""
    return _curves(frame, "validation_accuracy", "validation accuracy (%)")


def error_curves(frame: pd.DataFrame) -> Figure:
    """Draw the training error (%) against the x of the rows, a band over seeds for each series."""
    return _curves(frame, "train_error", "training error (%)")


def validation_table(frame: pd.DataFrame) -> Table:
    """Return the data of `validation_curves`."""
    return _table(frame, "validation_accuracy", "validation accuracy")


def error_table(frame: pd.DataFrame) -> Table:
    """Return the data of `error_curves`."""
    return _table(frame, "train_error", "training error")


def of_validation(frame: pd.DataFrame) -> str:
    """Return the sentence on the accuracy of each series at its last epoch."""
    said = [
        f"{name} ends at {_ending(rows, 'validation_accuracy')}" for name, rows in _series(frame) if len(_done(rows))
    ]
    lost = [
        f"seed {last.seed} of {name} {'diverged' if last.status == 'diverged' else 'did not come to its end'}"
        for name, rows in _series(frame)
        for last in _cut_off(rows)
    ]
    sentences = [f"{joined(said)}." if said else "No training came to its end."]
    return " ".join([*sentences, *([f"But {joined(lost[:_MOST_LOST])}."] if lost else [])])


def steps_of(rows: pd.DataFrame, column: str) -> list[Step]:
    """Return the mean and the extremes of the finished seeds of a series, at each epoch that all of them have."""
    done = _done(rows)
    seeds = done["seed"].nunique()
    steps = [
        Step(
            epoch=int(at["epoch"].iloc[0]),
            x=float(at["x"].mean()),
            mean=float(at[column].mean()),
            low=float(at[column].min()),
            high=float(at[column].max()),
            seeds=len(at),
        )
        for _, at in done.groupby("epoch", sort=True)
    ]
    return [step for step in steps if step.seeds == seeds]


def last_values(rows: pd.DataFrame, column: str) -> list[float]:
    """Return the last value of each finished seed of a series."""
    return [float(value) for value in _done(rows).groupby("seed", sort=True)[column].last()]


def _series(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    return ((str(name), rows) for name, rows in frame.groupby("series", sort=False))


def _done(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["finished"].astype(bool)]


def _cut_off(rows: pd.DataFrame) -> list[PointView]:
    """Return the last epoch of each seed that did not come to its end."""
    return list(each(rows[~rows["finished"].astype(bool)].groupby("seed", sort=True).tail(1)))


def _ending(rows: pd.DataFrame, column: str) -> str:
    values = last_values(rows, column)
    interval = mean_over_seeds(values)
    mean = percent_text(sum(values) / len(values))
    if interval is None:
        return f"{mean} (one seed)"
    return f"{mean} ± {100 * (interval.high - interval.value):.2f} points ({plural(len(values), 'seed')})"


def _curves(frame: pd.DataFrame, column: str, title: str) -> Figure:
    against = frame["against"].iloc[0]
    axis = {"title": {"text": _TITLES[against]}, "rangemode": "tozero"}
    figure = blank(STANDARD, xaxis=axis, yaxis={"title": {"text": title}})
    factor = _FACTORS.get(against, 1.0)
    for name, rows in _series(frame):
        style = SERIES[int(rows["hue"].iloc[0]) % len(SERIES)]
        steps = steps_of(rows, column)
        if steps and steps[0].seeds > 1:
            _band(figure, steps, style, factor, name)
        if steps:
            _line(figure, steps, style, factor, name)
        for last in _cut_off(rows):
            seed = rows[rows["seed"].eq(last.seed)]
            _lost(figure, seed, column, style, factor, f"{name}, seed {last.seed}: {last.status}")
    return figure


def _band(figure: Figure, steps: Sequence[Step], style: Style, factor: float, name: str) -> None:
    x = [factor * step.x for step in steps]
    figure.add_scatter(
        x=[*x, *reversed(x)],
        y=[100 * value for value in (*(step.high for step in steps), *(step.low for step in reversed(steps)))],
        fill="toself",
        fillcolor=style.color,
        opacity=_BAND,
        line={"width": 0},
        mode="lines",
        legendgroup=name,
        showlegend=False,
        hoverinfo="skip",
    )


def _line(figure: Figure, steps: Sequence[Step], style: Style, factor: float, name: str) -> None:
    few = len(steps) <= 40
    figure.add_scatter(
        x=[factor * step.x for step in steps],
        y=[100 * step.mean for step in steps],
        name=label(name),
        legendgroup=name,
        mode="lines+markers" if few else "lines",
        line={"color": style.color, "dash": style.dash, "width": 2},
        marker={"color": style.color, "symbol": style.symbol, "size": 6},
        customdata=[_hover(name, step) for step in steps],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _lost(figure: Figure, rows: pd.DataFrame, column: str, style: Style, factor: float, name: str) -> None:
    """Draw a seed that did not come to its end, with a cross where it ended."""
    figure.add_scatter(
        x=[factor * x for x in rows["x"]],
        y=[100 * value for value in rows[column]],
        name=label(name),
        mode="lines+markers",
        line={"color": style.color, "dash": "dot", "width": 1},
        marker={"color": style.color, "symbol": "x", "size": [0] * (len(rows) - 1) + [10]},
        hovertemplate="%{y:.2f} %<extra></extra>",
    )


def _hover(name: str, step: Step) -> str:
    said = f"<b>{label(name)}</b><br>epoch {step.epoch}: {percent_text(step.mean)}"
    if step.seeds < 2:
        return f"{said}, one seed"
    return f"{said}, mean of {step.seeds} seeds<br>{percent_text(step.low)} to {percent_text(step.high)}"


def _table(frame: pd.DataFrame, column: str, title: str) -> Table:
    against = frame["against"].iloc[0]
    heads = ["training", "epoch", *([] if against == "epochs" else [against]), "seeds", title, "lowest", "highest"]
    series = list(_series(frame))
    most = max(2, MOST_DATA // max(1, len(series)))
    rows = []
    for name, group in series:
        for step in _thinned(steps_of(group, column), most):
            x = [] if against == "epochs" else [_X[against](step.x)]
            shares = [percent_text(share) for share in (step.mean, step.low, step.high)]
            rows.append([name, str(step.epoch), *x, str(step.seeds), *shares])
    return Table.of_texts(heads, rows, words=("training",))


_X: Final[dict[str, Callable[[float], str]]] = {
    "seconds": lambda value: quantity(value, "s"),
    "images": lambda value: f"{value:,.0f}",
    "joules": lambda value: f"{value:,.0f}",
}


def _thinned(steps: Sequence[Step], most: int) -> list[Step]:
    """Return at most `most` evenly spaced steps, the first and the last among them."""
    if len(steps) <= most:
        return list(steps)
    return [steps[round(index * (len(steps) - 1) / (most - 1))] for index in range(most)]
