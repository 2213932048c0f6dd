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


def throughput_by_depth(frame: "pd.DataFrame") -> "Figure | None":
    """Draw throughput (images/s, log) over depth, a line for each family and block type."""
    frame = frame[frame["depth"].notna() & frame["throughput_img_per_s"].notna()]
    if frame.empty:
        return None
    figure = blank(
        STANDARD,
        xaxis={
            "title": {"text": "depth (weighted layers)"},
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [str(depth) for depth in sorted({int(depth) for depth in frame["depth"]})],
        },
        yaxis=log_axis(frame["throughput_img_per_s"].tolist(), title={"text": "throughput (images/s)"}),
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


def macs_against_latency(frame: "pd.DataFrame") -> "Figure | None":
    """Draw measured milliseconds an image over multiply-adds an image, both log.

    The dashed line is the time that every model would take at the MAC/s of the best one.
    """
    frame = frame[frame["macs"].notna() & frame["latency_s"].notna()]
    if frame.empty:
        return None
    gmacs = frame["macs"] / 1e9
    latency = 1e3 * frame["latency_s"] / frame["batch_size"]
    rate = gmacs / latency
    best = rate.max() * 1e12
    outermost = (rate == rate.max()) | (rate == rate.min())
    frame = frame.assign(
        position=place(
            list(map(math.log10, gmacs)), list(map(math.log10, latency)), list(frame["model"]), list(outermost)
        )
    )
    ends = [gmacs.min(), gmacs.max()]
    figure = blank(
        STANDARD,
        xaxis=log_axis(list(gmacs), title={"text": "GMACs an image (forward)"}),
        yaxis=log_axis([*latency, 1e12 * ends[0] / best], title={"text": "latency (ms an image)"}),
    )
    for rows in series(frame):
        milliseconds = [1e3 * row.latency_s / row.batch_size for row in each(rows)]
        bounds = [
            tuple(
                None if number(end) is None else 1e3 * end / row.batch_size
                for end in (row.latency_low_s, row.latency_high_s)
            )
            for row in each(rows)
        ]
        _points(
            figure,
            rows,
            [macs / 1e9 for macs in rows["macs"]],
            milliseconds,
            **_names(rows),
            error_y=whiskers(milliseconds, bounds),  # type: ignore[arg-type]
        )
    figure.add_scatter(
        x=ends,
        y=[1e12 * end / best for end in ends],
        mode="lines",
        name=f"at {quantity(best, 'MAC/s')}, the best here",
        line={"color": GREY, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    return figure


def accuracy_against_throughput(frame: "pd.DataFrame") -> "Figure | None":
    """Draw ImageNet top-1 (%) over throughput (log); the line joins the Pareto front (column ``front``)."""
    frame = frame[frame["imagenet_top1"].notna() & frame["throughput_img_per_s"].notna()]
    if frame.empty:
        return None
    figure = blank(
        STANDARD + 60,
        xaxis=log_axis(frame["throughput_img_per_s"].tolist(), title={"text": "throughput (images/s)"}),
        yaxis={"title": {"text": "ImageNet top-1 (%)"}},
    )
    speeds = [math.log10(speed) for speed in frame["throughput_img_per_s"]]
    frame = frame.assign(
        position=place(speeds, list(frame["imagenet_top1"]), list(frame["model"]), list(frame["front"]))
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
