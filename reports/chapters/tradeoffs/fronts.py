"""Accuracy against what it costs: throughput, latency, memory, with the Pareto front of each machine."""

import itertools
import math
from collections.abc import Callable
from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.points import names, points
from reports.style.axes import Range, name_positions
from reports.style.drawing import STANDARD, blank, hover, series, whiskers
from reports.style.measures import Measure
from reports.style.rows import CaseView
from reports.style.theme import BLUE, BROWN, GREEN, GREY, INDIGO, VERMILLION, label
from reports.style.units import number, quantity
from reports.style.views import TRAINING

ACCURACY_PIXELS: Final = 224
"""Image size at which torchvision's published accuracies of these models hold; imported ones are of their own size."""
MOST_POINTS: Final = 2000
"""Points of one drawing."""
NAMED_POINTS: Final = 40
"""Points up to which all are named where there is room; of more, those on a front."""
DENSE: Final = 200
"""Points from which on they are small, below the fronts, and the drawing is higher."""
EXTRA: Final = 200
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
COLORS: Final = (INDIGO, VERMILLION, GREEN, BROWN, BLUE, GREY)
"""What tells the fronts of several machines apart, with their dashes."""


def with_accuracy(measure: Measure) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what keeps sound inference at the size of which the accuracy is known, and marks the fronts."""

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        cases = frame[
            frame["usable"]
            & ~frame["task"].isin(TRAINING)
            & (frame["imported"] | frame["image_size"].eq(ACCURACY_PIXELS))
        ].dropna(subset=["imagenet_top1", measure.column])
        cases = cases[cases[measure.column].gt(0)]  # a logarithmic axis holds nothing else
        marked = cases.assign(front=on_front(cases, measure))
        if len(marked) <= MOST_POINTS:
            return marked
        best = marked.sort_values(measure.column, ascending=measure.better == "lower", kind="stable")
        return marked.loc[best.drop_duplicates(["machine", "model"]).index.union(marked.index[marked["front"]])]

    return rows


def on_front(frame: pd.DataFrame, measure: Measure) -> "pd.Series[bool]":
    """Return whether each row is on the Pareto front of its machine: nothing is as good in both and better in one."""
    lower = measure.better == "lower"
    better = frame.sort_values([measure.column, "imagenet_top1"], ascending=[lower, False], kind="stable")
    # From the cheapest on, a row is on the front when it is more accurate than everything cheaper.
    before = better.groupby("machine", sort=False)["imagenet_top1"].transform(
        lambda top1: top1.cummax().shift(fill_value=-1.0)
    )
    return (better["imagenet_top1"] > before).reindex(frame.index).astype(bool)


def accuracy_against(measure: Measure) -> Callable[[pd.DataFrame], Figure]:
    """Return what draws ImageNet top-1 (%) over a measure (log), with the Pareto front of each machine.

    Column ``front`` says what lies on it.
    """
    return lambda frame: _draw(frame, measure)


def _draw(frame: pd.DataFrame, measure: Measure) -> Figure:
    percents = [100 * top1 for top1 in frame["imagenet_top1"]]
    # A tenth of the span leaves room for names above and below; a lone model has no span.
    pad = 0.1 * (max(percents) - min(percents)) or 1.0
    xaxis = measure.axis(frame)
    yaxis: dict[str, Any] = {
        "title": {"text": "ImageNet top-1 (%)"},
        "range": [min(percents) - pad, max(percents) + pad],
    }
    dense = len(frame) > DENSE
    figure = blank(STANDARD + (EXTRA if dense else 0), xaxis=xaxis, yaxis=yaxis)
    fronts = {
        str(machine): rows.sort_values([measure.column, "imagenet_top1"])
        for machine, rows in frame[frame["front"]].groupby("machine", sort=False)
    }
    ends = (xaxis["range"], yaxis["range"])
    frame = _placed(frame, measure, ends)
    for (machine, rows), look in zip(fronts.items(), _looks([str(name) for name in fronts]), strict=True):
        _add_front(figure, str(machine), rows, measure, look, zorder=2 if dense else 0)
    for rows in series(frame):
        values = measure.values(rows)
        points(
            figure,
            rows,
            values,
            [100 * top1 for top1 in rows["imagenet_top1"]],
            words=_hover,
            dense=dense,
            **names(rows),
            error_x=whiskers(values, measure.bounds(rows)) | ({"width": 0} if dense else {}),
        )
    return figure


def _hover(row: CaseView) -> str:
    peak = "" if number(row.peak_bytes) is None else f"<br>peak memory {quantity(row.peak_bytes, 'B')}"
    return f"{hover(row)}{peak}<br>{label(row.machine)}"


def _placed(frame: pd.DataFrame, measure: Measure, ends: tuple[Range, Range]) -> pd.DataFrame:
    """Return the frame with the position of the name of each point.

    Of the many cases of one variant only the best is named: what is on a front, then what costs least.
    """
    rows = frame.assign(_index=range(len(frame)))
    chosen = rows if len(rows) <= NAMED_POINTS else rows[rows["front"]]
    cheap = chosen.sort_values(measure.column, ascending=measure.better == "lower", kind="stable")
    chosen = cheap.sort_values("front", ascending=False, kind="stable").drop_duplicates("model")
    positions = name_positions(
        [math.log10(value) for value in measure.values(chosen)],
        [100 * top1 for top1 in chosen["imagenet_top1"]],
        list(chosen["model"]),
        list(chosen["front"]),
        ends,
    )
    drawn = dict(zip(chosen["_index"], positions, strict=True))
    return frame.assign(position=[drawn.get(index, "") for index in range(len(frame))])


def _add_front(
    figure: Figure, machine: str, rows: pd.DataFrame, measure: Measure, look: dict[str, Any], zorder: int
) -> None:
    """Add the stepped line of a front: between two of its points, what is as good in both is out of reach."""
    figure.add_scatter(
        x=measure.values(rows),
        y=[100 * top1 for top1 in rows["imagenet_top1"]],
        mode="lines",
        meta={"front": {"x": measure.better}, "machine": machine},
        hoverinfo="skip",
        zorder=zorder,
        **{**look, "line": {**look["line"], "shape": "vh" if measure.better == "higher" else "hv"}},
    )


def _looks(machines: list[str]) -> list[dict[str, Any]]:
    """Return how the front of each machine looks: a broad line where there is one, else colours and dashes."""
    if len(machines) == 1:
        return [{"name": "Pareto front", "line": {"color": BLUE, "width": 7}, "opacity": 0.4}]
    kinds = itertools.cycle(zip(COLORS, DASHES, strict=True))
    return [
        {"name": f"Pareto front, {label(machine)}", "line": {"color": color, "dash": dash, "width": 2.4}}
        for machine, (color, dash) in zip(machines, kinds, strict=False)
    ]
