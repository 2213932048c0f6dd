"""Figures of accuracy against throughput, latency and memory, with the Pareto front of each machine."""

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
ACCURACY_CHANNELS: Final = 3
"""Image size of torchvision's published accuracies; imported accuracies hold at the size of their case."""
MOST_POINTS: Final = 2000
"""The most points of a drawing."""
NAMED_POINTS: Final = 40
"""The most points that are all named where there is room; beyond, only points on a front are named."""
DENSE: Final = 200
"""Least points of a dense drawing, which is higher and has small points below the fronts."""
EXTRA: Final = 200
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
COLORS: Final = (INDIGO, VERMILLION, GREEN, BROWN, BLUE, GREY)
"""Colours that distinguish the fronts of several machines, together with their dashes."""


def with_accuracy(measure: Measure) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that selects successful inference at the image size of its accuracy, and marks the fronts."""

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        cases = frame[
            frame["usable"]
            & ~frame["task"].isin(TRAINING)
            & (frame["imported"] | frame["image_size"].eq(ACCURACY_PIXELS))
            & frame["in_channels"].eq(ACCURACY_CHANNELS)
        ].dropna(subset=["imagenet_top1", measure.column])
        cases = cases[cases[measure.column].gt(0)]  # logarithmic axes hold only positive values
        marked = cases.assign(front=on_front(cases, measure))
        if len(marked) <= MOST_POINTS:
            return marked
        best = marked.sort_values(measure.column, ascending=measure.better == "lower", kind="stable")
        return marked.loc[best.drop_duplicates(["machine", "model"]).index.union(marked.index[marked["front"]])]

    return rows


def on_front(frame: pd.DataFrame, measure: Measure) -> "pd.Series[bool]":
    """Return whether each row is on the Pareto front of its machine: no other row dominates it."""
    lower = measure.better == "lower"
    better = frame.sort_values([measure.column, "imagenet_top1"], ascending=[lower, False], kind="stable")
    # In the order of cost, a row is on the front if it is more accurate than every cheaper row.
    before = better.groupby("machine", sort=False)["imagenet_top1"].transform(
        lambda top1: top1.cummax().shift(fill_value=-1.0)
    )
    return (better["imagenet_top1"] > before).reindex(frame.index).astype(bool)


def accuracy_against(measure: Measure) -> Callable[[pd.DataFrame], Figure]:
    """Return a function that draws ImageNet top-1 (%) over a measure (log), with the Pareto front of each machine.

    Column ``front`` marks the rows on a front.
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

    Only the best of the cases of a variant is named: a case on a front, else the cheapest case.
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
    """Add the stepped line of a front, which bounds the combinations that no case reaches."""
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
    """Return the line style of each machine's front: a broad line for a single machine, else colours and dashes."""
    if len(machines) == 1:
        return [{"name": "Pareto front", "line": {"color": BLUE, "width": 7}, "opacity": 0.4}]
    kinds = itertools.cycle(zip(COLORS, DASHES, strict=True))
    return [
        {"name": f"Pareto front, {label(machine)}", "line": {"color": color, "dash": dash, "width": 2.4}}
        for machine, (color, dash) in zip(machines, kinds, strict=False)
    ]
