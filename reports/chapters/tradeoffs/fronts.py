"""Figures of accuracy against throughput, latency and memory, with the Pareto front of each machine."""

import math
from collections.abc import Callable
from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.chapters.tradeoffs.accuracies import TORCHVISION, accuracy_text
from reports.figures.points import names, points, short_name
from reports.style.axes import PLOT_HEIGHT, Range, name_positions
from reports.style.drawing import STANDARD, blank, hover, series, whiskers
from reports.style.measures import Measure
from reports.style.rows import CaseView, each
from reports.style.theme import BLUE, MACHINES, label
from reports.style.units import number, quantity
from reports.style.views import TRAINING

ACCURACY_PIXELS: Final = 224
ACCURACY_CHANNELS: Final = 3
ACCURACY_HEAD: Final = "classifier"
"""Image size of torchvision's published accuracies; imported accuracies hold at the size of their case."""
MOST_POINTS: Final = 2000
"""The most points of a drawing."""
NAMED_POINTS: Final = 40
"""The most points that are all named where there is room; beyond, only points on a front are named."""
DENSE: Final = 200
"""Least points of a dense drawing, which is higher."""
EXTRA: Final = 200
FADED: Final = 0.2
"""Opacity of a point that is on no front, among many points."""
PALE: Final = 0.45
"""Its opacity among at most `NAMED_POINTS`, which are few enough to be read one by one."""


def with_accuracy(measure: Measure) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that selects successful inference at the image size of its accuracy, and marks the fronts."""

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        cases = frame[
            frame["usable"]
            & ~frame["task"].isin(TRAINING)
            & (frame["accuracy"].ne(accuracy_text(TORCHVISION)) | frame["image_size"].eq(ACCURACY_PIXELS))
            & frame["in_channels"].eq(ACCURACY_CHANNELS)
            & frame["head"].eq(ACCURACY_HEAD)
        ].dropna(subset=["imagenet_top1", measure.column])
        cases = cases[cases[measure.column].gt(0)]  # logarithmic axes hold only positive values
        marked = cases.assign(front=on_front(cases, measure))
        if len(marked) <= MOST_POINTS:
            return marked
        best = marked.sort_values(measure.column, ascending=measure.better == "lower", kind="stable")
        return marked.loc[
            best.drop_duplicates(["accuracy", "machine", "model"]).index.union(marked.index[marked["front"]])
        ]

    return rows


def on_front(frame: pd.DataFrame, measure: Measure) -> "pd.Series[bool]":
    """Return whether each row is on the Pareto front of its machine and source: no other row dominates it."""
    lower = measure.better == "lower"
    better = frame.sort_values([measure.column, "imagenet_top1"], ascending=[lower, False], kind="stable")
    # In the order of cost, a row is on the front if it is more accurate than every cheaper row.
    before = better.groupby(["machine", "accuracy"], sort=False)["imagenet_top1"].transform(
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
    source = str(frame["accuracy"].iloc[0]).removeprefix("accuracy ")
    yaxis: dict[str, Any] = {
        "title": {"text": label(f"ImageNet top-1 (%), {source}")},
        "range": [min(percents) - pad, max(percents) + pad],
    }
    extra = EXTRA if len(frame) > DENSE else 0
    figure = blank(STANDARD + extra, xaxis=xaxis, yaxis=yaxis)
    frame = _placed(frame, measure, (xaxis["range"], yaxis["range"]), PLOT_HEIGHT + extra)
    faded = FADED if len(frame) > NAMED_POINTS else PALE
    frame = frame.assign(strength=frame["front"].map({True: 1.0, False: faded}), faded=faded)
    if len(set(frame["machine"])) > 1:
        for _, rows in frame.groupby("hue", sort=True):
            _add_machine(figure, rows, measure)
    else:
        _add_families(figure, frame, measure)
    return figure


def _add_machine(figure: Figure, rows: pd.DataFrame, measure: Measure) -> None:
    """Add the front of a machine and its cases; the front alone is in the legend."""
    first = next(each(rows))
    style, machine = MACHINES[first.hue], str(first.machine)
    marker = {"color": style.color, "symbol": style.symbol}
    look = {"color": style.color, "dash": style.dash, "width": 2.2}
    front = {"mode": "lines+markers", "marker": {**marker, "size": 9}, "legendgroup": machine}
    _add_front(figure, rows, measure, machine, look, zorder=1, **front)
    figure.add_scatter(
        **_dots(rows, measure),
        name=label(machine),
        legendgroup=machine,
        showlegend=False,
        hovertemplate="%{customdata}<extra></extra>",
        meta={"rows": rows["row"].tolist(), "machine": machine, "faded": first.faded},
        zorder=2,
        marker={**marker, "size": 9, "opacity": rows["strength"].tolist()},
        customdata=[_hover(row) for row in each(rows)],
    )


def _add_families(figure: Figure, frame: pd.DataFrame, measure: Measure) -> None:
    """Add the broad front of the only machine and its cases, a trace a family and block type."""
    look = {"color": BLUE, "width": 7}
    _add_front(figure, frame, measure, "Pareto front", look, zorder=0, mode="lines", opacity=0.4)
    for rows in series(frame):
        first = next(each(rows))
        points(figure, rows, **_dots(rows, measure), words=_hover, strength=rows["strength"].tolist())
        dots = figure.data[-1]
        dots.update(meta={**dots.meta, "faded": first.faded}, legendgroup=dots.name, showlegend=False)
        # The legend shows the mean opacity of a trace, so a point out of sight stands there in its place.
        mark = {**dots.marker.to_plotly_json(), "opacity": 1}
        entry = {"legendgroup": dots.name, "meta": {"entry": True}, "hoverinfo": "skip"}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=dots.name, marker=mark, **entry)


def _dots(rows: pd.DataFrame, measure: Measure) -> dict[str, Any]:
    """Return the points of rows with names and whiskers; the whiskers of faded points would be stronger than these."""
    values = measure.values(rows)
    bounds = zip(measure.bounds(rows), rows["front"], strict=True)
    ends = [ends if front else (None, None) for ends, front in bounds]
    return {
        "x": values,
        "y": [100 * top1 for top1 in rows["imagenet_top1"]],
        "error_x": whiskers(values, ends),
        **names(rows),
    }


def _hover(row: CaseView) -> str:
    peak = "" if number(row.peak_bytes) is None else f"<br>peak memory {quantity(row.peak_bytes, 'B')}"
    return f"{hover(row)}{peak}<br>{label(row.machine)}"


def _placed(frame: pd.DataFrame, measure: Measure, ends: tuple[Range, Range], height: int) -> pd.DataFrame:
    """Return the frame with the position of the name of each point.

    Only the best of the cases of a variant is named: a case on a front, else the cheapest case. No name lies on another
    or on a point of a front.
    """
    rows = frame.assign(_index=range(len(frame)))
    chosen = rows if len(rows) <= NAMED_POINTS else rows[rows["front"]]
    cheap = chosen.sort_values(measure.column, ascending=measure.better == "lower", kind="stable")
    chosen = cheap.sort_values("front", ascending=False, kind="stable")
    repeated = chosen["model"].duplicated()
    positions = name_positions(
        [math.log10(value) for value in measure.values(chosen)],
        [100 * top1 for top1 in chosen["imagenet_top1"]],
        ["" if again else short_name(model) for model, again in zip(chosen["model"], repeated, strict=True)],
        list(chosen["front"]),
        ends,
        height,
    )
    drawn = dict(zip(chosen["_index"], positions, strict=True))
    return frame.assign(position=[drawn.get(index, "") for index in range(len(frame))])


def _add_front(
    figure: Figure, rows: pd.DataFrame, measure: Measure, name: str, look: dict[str, Any], **trace: Any
) -> None:
    """Add the stepped line of the front of a machine, which bounds the combinations that no case reaches."""
    on = rows[rows["front"]].sort_values([measure.column, "imagenet_top1"])
    figure.add_scatter(
        x=measure.values(on),
        y=[100 * top1 for top1 in on["imagenet_top1"]],
        name=label(name),
        line={**look, "shape": "vh" if measure.better == "higher" else "hv"},
        meta={"front": {"x": measure.better}, "machine": str(rows["machine"].iloc[0])},
        hoverinfo="skip",
        **trace,
    )
