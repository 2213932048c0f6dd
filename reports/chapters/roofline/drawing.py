"""The roofline of a case, and the seconds to gain."""

import math
from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, STANDARD, blank
from reports.style.rows import each
from reports.style.theme import BLUE, GREY, INK, OTHER_STYLE, STAGES, label
from reports.style.units import quantity

MOST_STREAMS: Final = 4
"""Roofs of bandwidth that are drawn, spread over the working sets."""
_BOUNDS: Final = {"compute": "arithmetic", "memory": "memory traffic", "overhead": "what calling it costs"}


def roof_points(frame: pd.DataFrame) -> Figure:
    """Draw the layers of a case over FLOPs a byte, below the roofs of its device."""
    first = next(each(frame))
    low, high = float(frame["intensity"].min()) / 2, float(frame["intensity"].max()) * 2
    figure = blank(
        STANDARD,
        xaxis={
            "title": {"text": "FLOPs a byte that must move"},
            "type": "log",
            "range": [math.log10(low), math.log10(high)],
        },
        yaxis={"title": {"text": "GFLOP/s"}, "type": "log"},
    )
    _draw_roofs(figure, first, low, high)
    for stage, rows in frame.groupby("stage", sort=False):
        style = STAGES.get(str(stage), OTHER_STYLE)
        figure.add_scatter(
            x=list(rows["intensity"]),
            y=[value / 1e9 for value in rows["achieved"]],
            mode="markers",
            name=label(stage),
            marker={"color": style.color, "symbol": style.symbol, "size": 9},
            customdata=[
                f"<b>{label(row.name)}</b> {row.phase}<br>{quantity(row.measured_s, 's')}, {row.share_of_roof:.0%} "
                "of the "
                f"roof, bound by {_BOUNDS[row.bound]}"
                for row in each(rows)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    return figure


def _draw_roofs(figure: Figure, first: Any, low: float, high: float) -> None:
    """Draw the rates and the bandwidths of a device between two intensities."""
    best = max((rate for _, rate in first.rates), default=0.0)
    for operator, rate in first.rates:
        line = {"color": INK["light"], "dash": "solid"} if operator == "matmul" else {"color": GREY, "dash": "dash"}
        figure.add_scatter(
            x=[low, high],
            y=[rate / 1e9] * 2,
            mode="lines",
            name=f"{operator}, best shape",
            line=line,
            hovertemplate=f"{operator}: {quantity(rate, 'FLOP/s')}<extra></extra>",
        )
    for size, bandwidth in _chosen(first.streams):
        end = min(high, best / bandwidth) if best else high
        speed = f"{quantity(bandwidth, 'B')}/s at {quantity(size, 'B')}"
        figure.add_scatter(
            x=[low, end],
            y=[low * bandwidth / 1e9, end * bandwidth / 1e9],
            mode="lines",
            name=speed,
            line={"color": GREY, "dash": "dot", "width": 1},
            hovertemplate=f"{speed}<extra></extra>",
        )


def _chosen(streams: tuple[tuple[int, float], ...]) -> list[tuple[int, float]]:
    """Return some of the working sets, the smallest and the largest among them."""
    if len(streams) <= MOST_STREAMS:
        return list(streams)
    steps = [round(index * (len(streams) - 1) / (MOST_STREAMS - 1)) for index in range(MOST_STREAMS)]
    return [streams[index] for index in steps]


def of_roof(frame: pd.DataFrame) -> str:
    """Return the sentence on a case's share of the roof, and on the layer that is furthest from it."""
    first = next(each(frame))
    lost = frame.assign(lost=frame["measured_s"] - frame["roof_s"]).sort_values("lost").iloc[-1]
    used = "" if first.mfu is None else f", and it uses {first.mfu:.0%} of the best product's FLOP/s"
    return (
        f"At the roof {first.case} would take {first.of_step:.0%} of its time{used}. Of its convolution and linear "
        "layers "
        f"{lost['name']} {lost['phase']} loses most: {quantity(lost['lost'], 's')} at {lost['share_of_roof']:.0%} of "
        "its roof."
    )


def gains(frame: pd.DataFrame) -> Figure:
    """Draw a bar for each remedy, of the milliseconds of a step that it saves, with its interval."""
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(frame),
        xaxis={"title": {"text": "milliseconds of a step that it would save"}, "zeroline": True},
        yaxis={
            **CATEGORIES,
            "categoryorder": "array",
            "categoryarray": [label(name) for name in frame["remedy"]][::-1],
        },
    )
    figure.add_bar(
        orientation="h",
        y=[label(name) for name in frame["remedy"]],
        x=[1e3 * seconds for seconds in frame["saves_s"]],
        marker={"color": BLUE},
        error_x={
            "type": "data",
            "array": [1e3 * (row.saves_high - row.saves_s) for row in each(frame)],
            "arrayminus": [1e3 * (row.saves_s - row.saves_low) for row in each(frame)],
            "color": GREY,
        },
        customdata=[
            f"<b>{label(row.remedy)}</b><br>saves {quantity(row.saves_s, 's')} of {quantity(row.step_s, 's')}"
            + (f"<br>most of all in {label(row.layers)}" if row.layers else "")
            for row in each(frame)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    return figure


def of_gains(frame: pd.DataFrame) -> str:
    """Return the sentence on the remedy that surely helps most."""
    real = frame[~frame["remedy"].str.contains("roof")]
    sure = real[real["saves_low"] > 0]
    if sure.empty:
        return f"No remedy surely helps {frame['case'].iloc[0]}: every interval holds zero."
    first = next(each(sure.sort_values("saves_s", ascending=False)))
    low, high = quantity(first.saves_low, "s"), quantity(first.saves_high, "s")
    return f"{first.remedy} would save {quantity(first.saves_s, 's')} of a step of {first.case} ({low} to {high})."
