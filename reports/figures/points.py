"""Figures of points: throughput, memory and multiply-adds over depth, time over multiply-adds."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.axes import log_axis, name_positions
from reports.style.drawing import STANDARD, blank, hover, series, series_name, whiskers
from reports.style.measures import MACS, MEMORY, THROUGHPUT, Measure
from reports.style.rows import CaseView, each
from reports.style.theme import FAMILIES, GREY, family_style, label
from reports.style.units import ends, quantity


def points(
    figure: Figure,
    rows: pd.DataFrame,
    x: list[Any],
    y: list[Any],
    *,
    words: Callable[[CaseView], str] = hover,
    strength: Sequence[float] | None = None,
    **trace: Any,
) -> None:
    """Add the rows of a family and block type: colour and marker show the family, a hollow marker the type `basic`.

    `words` are the texts of the points on hover, `strength` their opacities. Families without their own style lie below
    the others.

    The trace's ``meta`` holds the case of each point (column ``row``), by which the page's script filters.
    """
    first = next(each(rows))
    style = family_style(first.family)
    hollow = "basic" in str(first.block)
    known = str(first.family) in FAMILIES
    figure.add_scatter(
        x=x,
        y=y,
        name=label(series_name(first)),
        customdata=[words(row) for row in each(rows)],
        hovertemplate="%{customdata}<extra></extra>",
        meta={"rows": rows["row"].tolist()},
        zorder=int(known),
        marker={
            "color": style.color,
            "symbol": f"{style.symbol}-open" if hollow else style.symbol,
            "size": 10,
            "opacity": 1 if strength is None else list(strength),
            "line": {"width": 2, "color": style.color} if hollow else {"width": 0},
        },
        **trace,
    )


def short_name(model: str) -> str:
    """Return the name of a variant for a label, without the program and the weights: of ``timm:resnet50.a1_in1k``."""
    program, colon, name = model.rpartition(":")
    return name.partition(".")[0] or name if colon and program else model


def names(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the trace's names of points, where column ``position`` has a position for them."""
    return {
        "mode": "markers+text",
        "text": [label(short_name(row.model)) if row.position else "" for row in each(rows)],
        "textposition": [row.position or "top center" for row in each(rows)],
        "textfont": {"size": 11},
        "cliponaxis": False,
    }


def _ms_an_image(row: CaseView) -> tuple[float, float | None, float | None]:
    """Return a row's latency in milliseconds an image, and the bounds of its interval, if these say anything."""
    scale = 1e3 / row.batch_size
    known = ends(row.latency_s, row.latency_low_s, row.latency_high_s)
    low, high = (None if end is None else scale * end for end in known)
    return scale * row.latency_s, low, high


def throughput_by_depth(frame: pd.DataFrame) -> Figure:
    """Draw throughput (images/s, log) over depth, a line for each family and block type."""
    return _by_depth(frame, THROUGHPUT)


def memory_by_depth(frame: pd.DataFrame) -> Figure:
    """Draw peak memory (MB, log) over depth, a line for each family and block type."""
    return _by_depth(frame, MEMORY)


def macs_by_depth(frame: pd.DataFrame) -> Figure:
    """Draw multiply-adds an image (log) over depth, a line for each family and block type."""
    return _by_depth(frame, MACS)


def _by_depth(frame: pd.DataFrame, measure: Measure) -> Figure:
    figure = blank(
        STANDARD,
        xaxis={
            "title": {"text": "depth (weighted layers)"},
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [str(depth) for depth in sorted({int(depth) for depth in frame["depth"]})],
        },
        yaxis=measure.axis(frame),
    )
    for rows in series(frame):
        line = rows.sort_values(["depth", "model"])
        style = family_style(line["family"].iloc[0])
        values = measure.values(line)
        points(
            figure,
            line,
            [str(int(depth)) for depth in line["depth"]],
            values,
            mode="lines+markers",
            line={"color": style.color, "dash": style.dash, "width": 1.6},
            error_y=whiskers(values, measure.bounds(line)),
        )
    return figure


def macs_against_latency(frame: pd.DataFrame) -> Figure:
    """Draw measured milliseconds an image over multiply-adds an image, both log.

    The dashed line is the time that every model would take at the MAC/s of the best model.
    """
    gmacs = [macs / 1e9 for macs in frame["macs"]]
    times = [_ms_an_image(row) for row in each(frame)]
    rates = [macs / time for macs, (time, _, _) in zip(gmacs, times, strict=True)]
    best = max(rates)  # GMACs a millisecond
    across = [min(gmacs), max(gmacs)]
    xaxis = log_axis(gmacs, title={"text": "GMACs an image (forward)"})
    yaxis = log_axis(
        [across[0] / best, *(end for reach in times for end in reach if end)], title={"text": "latency (ms an image)"}
    )
    figure = blank(STANDARD, xaxis=xaxis, yaxis=yaxis)
    frame = frame.assign(
        position=name_positions(
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
        points(
            figure,
            rows,
            [macs / 1e9 for macs in rows["macs"]],
            milliseconds,
            **names(rows),
            error_y=whiskers(milliseconds, [bounds for _, *bounds in reaches]),
        )
    figure.add_scatter(
        x=across,
        y=[macs / best for macs in across],
        mode="lines",
        name=f"at {quantity(1e12 * best, 'MAC/s')}, the best here",
        line={"color": GREY, "dash": "dash", "width": 1.2},
        hoverinfo="skip",
    )
    return figure
