"""Bars of what a peak holds, and lines of a step."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.chapters.memory.frames import PARTS
from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, STANDARD, blank
from reports.style.rows import each
from reports.style.theme import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INDIGO,
    OCHRE,
    PATTERN,
    PURPLE,
    SKY,
    VERMILLION,
    label,
)
from reports.style.units import number, quantity

COLORS: Final = dict(zip(PARTS, (BLUE, SKY, VERMILLION, OCHRE, BROWN, GREEN, GREY, PURPLE), strict=True))
PATTERNS: Final = dict(zip(PARTS, ("", "/", "\\", "x", "-", "|", "+", "."), strict=True))


def part_bars(frame: pd.DataFrame) -> Figure:
    """Draw a bar for each case: the parts of its predicted peak in MB, and the measured peak as a mark."""
    cases = list(dict.fromkeys(frame["case"]))
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(cases),
        xaxis={"title": {"text": "MB at the peak of a step"}, "rangemode": "tozero"},
        yaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [label(case) for case in cases[::-1]]},
        barmode="stack",
        legend={"traceorder": "normal"},
    )
    for part in PARTS:
        rows = frame[(frame["part"] == part) & (frame["bytes"] > 0)]
        if rows.empty:
            continue
        figure.add_bar(
            orientation="h",
            name=part,
            y=[label(case) for case in rows["case"]],
            x=[count / 1e6 for count in rows["bytes"]],
            marker={"color": COLORS[part], "pattern": {**PATTERN, "shape": PATTERNS[part]}},
            customdata=[
                f"<b>{part}</b><br>{quantity(row.bytes, 'B')} of {quantity(row.predicted_bytes, 'B')}"
                for row in each(rows)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    measured = frame.drop_duplicates("case").dropna(subset=["measured_bytes"])
    figure.add_scatter(
        x=[count / 1e6 for count in measured["measured_bytes"]],
        y=[label(case) for case in measured["case"]],
        mode="markers",
        name="measured peak",
        marker={"symbol": "diamond", "size": 10, "color": "#ffffff", "line": {"width": 1.5, "color": "#1c2128"}},
        hovertemplate="measured %{x:.1f} MB<extra></extra>",
    )
    return figure


def of_parts(frame: pd.DataFrame) -> str:
    """Return the sentence on the largest peak, where it is, and on how well it was predicted."""
    largest = next(each(frame.sort_values("predicted_bytes", ascending=False)))
    parts = frame[frame["case"] == largest.case].sort_values("bytes", ascending=False).head(2)
    holds = " and ".join(f"{row.part} ({quantity(row.bytes, 'B')})" for row in each(parts))
    said = f"{largest.case} peaks at {quantity(largest.predicted_bytes, 'B')} in {largest.where}: most are {holds}."
    errors = [value for value in map(number, frame.drop_duplicates("case")["error"]) if value is not None]
    if errors:
        said += f" Predictions differ from the measured peaks by {max(map(abs, errors)):.1%} at most."
    return said


def step_lines(frame: pd.DataFrame) -> Figure:
    """Draw the megabytes over a step of a case, as predicted and as measured."""
    figure = blank(
        STANDARD,
        xaxis={"title": {"text": "share of the allocations and releases of a step"}, "range": [0, 1]},
        yaxis={"title": {"text": "MB"}, "rangemode": "tozero"},
    )
    for (name, rows), (color, dash) in zip(
        frame.groupby("source", sort=False), ((INDIGO, "solid"), (VERMILLION, "dot")), strict=False
    ):
        figure.add_scatter(
            x=list(rows["at"]),
            y=[count / 1e6 for count in rows["bytes"]],
            mode="lines",
            name=str(name),
            line={"color": color, "dash": dash, "shape": "hv"},
            customdata=[
                f"{row.phase} {row.module}" if isinstance(row.module, str) else row.phase for row in each(rows)
            ],
            hovertemplate="%{y:.1f} MB, %{customdata}<extra></extra>",
        )
    return figure


def of_step(frame: pd.DataFrame) -> str:
    """Return the sentence on the peak of each line."""
    peaks = frame.loc[frame.groupby("source", sort=False)["bytes"].idxmax()]
    said = " and ".join(f"{row.source} {quantity(row.bytes, 'B')} in the {row.phase} pass" for row in each(peaks))
    return f"The peak of {frame['case'].iloc[0]} is {said}."
