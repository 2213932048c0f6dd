"""Figures of points: throughput over depth, time over multiply-adds, accuracy over throughput."""

import math
from typing import TYPE_CHECKING, Any

from reports.axes import log_axis, place
from reports.drawing import STANDARD, blank, hover, series, series_name, whiskers
from reports.theme import BLUE, GREY, family_style, label
from reports.units import number, quantity
from reports.views import each, throughput_bounds

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objs._figure import Figure


def _points(figure: "Figure", rows: "pd.DataFrame", x: list[Any], y: list[Any], **trace: Any) -> None:
    """Add the rows of one family and block type: colour and marker say the family, a hollow one `basic`."""
    first = next(each(rows))
    style = family_style(first.family)
    hollow = "basic" in str(first.block)
    figure.add_scatter(
        x=x,
        y=y,
        name=label(series_name(first)),
        customdata=[hover(row) for row in each(rows)],
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "color": style.color,
            "symbol": f"{style.symbol}-open" if hollow else style.symbol,
            "size": 10,
            "line": {"width": 2, "color": style.color} if hollow else {"width": 0},
        },
        **trace,
    )


def _names(rows: "pd.DataFrame") -> dict[str, Any]:
    """Return the trace's names of points, where column ``position`` found room for them."""
    return {
        "mode": "markers+text",
        "text": [label(row.model) if row.position else "" for row in each(rows)],
        "textposition": [row.position or "top center" for row in each(rows)],
        "textfont": {"size": 11},
        "cliponaxis": False,
    }


def _throughputs(frame: "pd.DataFrame") -> dict[str, Any]:
    """Return the axis that holds all throughputs with their whiskers."""
    ends = [end for row in each(frame) for end in (row.throughput_img_per_s, *throughput_bounds(row)) if end]
    return log_axis(ends, title={"text": "throughput (images/s)"})


def _ms_an_image(row: Any) -> tuple[float, float | None, float | None]:
    """Return a row's latency in milliseconds an image, and the bounds of its interval."""
    scale = 1e3 / row.batch_size
    low, high = (None if number(end) is None else scale * end for end in (row.latency_low_s, row.latency_high_s))
    return scale * row.latency_s, low, high


def throughput_by_depth(frame: "pd.DataFrame") -> "Figure":
    """Draw throughput (images/s, log) over depth, a line for each family and block type."""
    figure = blank(
        STANDARD,
        xaxis={
            "title": {"text": "depth (weighted layers)"},
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [str(depth) for depth in sorted({int(depth) for depth in frame["depth"]})],
        },
        yaxis=_throughputs(frame),
    )
    for rows in series(frame):
        line = rows.sort_values(["depth", "model"])
        style = family_style(line["family"].iloc[0])
        values = line["throughput_img_per_s"].tolist()
        _points(
            figure,
            line,
            [str(int(depth)) for depth in line["depth"]],
            values,
            mode="lines+markers",
            line={"color": style.color, "dash": style.dash, "width": 1.6},
            error_y=whiskers(values, [throughput_bounds(row) for row in each(line)]),
        )
    return figure


def macs_against_latency(frame: "pd.DataFrame") -> "Figure":
    """Draw measured milliseconds an image over multiply-adds an image, both log.

    The dashed line is the time that every model would take at the MAC/s of the best one.
    """
    gmacs = [macs / 1e9 for macs in frame["macs"]]
    times = [_ms_an_image(row) for row in each(frame)]
    rates = [macs / time for macs, (time, _, _) in zip(gmacs, times, strict=True)]
    best = max(rates)  # GMACs a millisecond
    ends = [min(gmacs), max(gmacs)]
    xaxis = log_axis(gmacs, title={"text": "GMACs an image (forward)"})
    yaxis = log_axis(
        [ends[0] / best, *(end for reach in times for end in reach if end)], title={"text": "latency (ms an image)"}
    )
    figure = blank(STANDARD, xaxis=xaxis, yaxis=yaxis)
    frame = frame.assign(
        position=place(
            [math.log10(macs) for macs in gmacs],
            [math.log10(time) for time, _, _ in times],
            list(frame["model"]),
            [rate in {best, min(rates)} for rate in rates],
            (xaxis["range"], yaxis["range"]),
        )
    )
    for rows in series(frame):
        reaches = [_ms_an_image(row) for row in each(rows)]
        milliseconds = [time for time, _, _ in reaches]
        _points(
            figure,
            rows,
            [macs / 1e9 for macs in rows["macs"]],
            milliseconds,
            **_names(rows),
            error_y=whiskers(milliseconds, [bounds for _, *bounds in reaches]),
        )
    figure.add_scatter(
        x=ends,
        y=[end / best for end in ends],
        mode="lines",
        name=f"at {quantity(1e12 * best, 'MAC/s')}, the best here",
        line={"color": GREY, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    return figure


def accuracy_against_throughput(frame: "pd.DataFrame") -> "Figure":
    """Draw ImageNet top-1 (%) over throughput (log); the line joins the Pareto front (column ``front``)."""
    percents = [100 * top1 for top1 in frame["imagenet_top1"]]
    # A tenth of the span leaves room for names above and below; a lone model has no span.
    pad = 0.1 * (max(percents) - min(percents)) or 1.0
    xaxis = _throughputs(frame)
    yaxis: dict[str, Any] = {
        "title": {"text": "ImageNet top-1 (%)"},
        "range": [min(percents) - pad, max(percents) + pad],
    }
    figure = blank(STANDARD, xaxis=xaxis, yaxis=yaxis)
    frame = frame.assign(
        position=place(
            [math.log10(speed) for speed in frame["throughput_img_per_s"]],
            percents,
            list(frame["model"]),
            list(frame["front"]),
            (xaxis["range"], yaxis["range"]),
        )
    )
    front = frame[frame["front"]].sort_values("throughput_img_per_s")
    figure.add_scatter(
        x=front["throughput_img_per_s"].tolist(),
        y=[100 * top1 for top1 in front["imagenet_top1"]],
        mode="lines",
        name="Pareto front",
        line={"color": BLUE, "width": 7, "shape": "vh"},
        opacity=0.35,
        hoverinfo="skip",
    )
    for rows in series(frame):
        values = rows["throughput_img_per_s"].tolist()
        _points(
            figure,
            rows,
            values,
            [100 * top1 for top1 in rows["imagenet_top1"]],
            **_names(rows),
            error_x=whiskers(values, [throughput_bounds(row) for row in each(rows)]),
        )
    return figure
