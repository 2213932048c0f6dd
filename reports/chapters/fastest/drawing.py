"""Bars of the candidates of a search."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, blank
from reports.style.rows import each
from reports.style.theme import GREEN, GREY, OCHRE, PATTERN, SKY, VERMILLION, label
from reports.style.units import quantity

_GROUPS: Final = {
    "the winner": (("winner",), GREEN, ""),
    "as fast, as far as it matters": (("stayed",), SKY, "/"),
    "slower": (("slower",), GREY, "\\"),
    "beyond a bound": (("too-slow", "too-large", "disagrees"), OCHRE, "x"),
    "wrong, failed or cut": (("wrong", "failed", "unsupported", "cannot-win", "no-time"), VERMILLION, "."),
}
"""Fates of a colour and a pattern, by what the legend calls them."""


def candidate_bars(frame: pd.DataFrame) -> Figure:
    """Draw a bar of images a second for each candidate that was timed, the fastest on top."""
    timed = frame.dropna(subset=["throughput_img_per_s"])
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * max(1, len(timed)),
        xaxis={"title": {"text": "images a second"}, "rangemode": "tozero"},
        yaxis={
            **CATEGORIES,
            "categoryorder": "array",
            "categoryarray": [label(name) for name in timed["candidate"][::-1]],
        },
        barmode="overlay",
    )
    for group, (fates, color, shape) in _GROUPS.items():
        rows = timed[timed["fate"].isin(fates)]
        if rows.empty:
            continue
        figure.add_bar(
            orientation="h",
            name=group,
            y=[label(name) for name in rows["candidate"]],
            x=list(rows["throughput_img_per_s"]),
            marker={"color": color, "pattern": {**PATTERN, "shape": shape}},
            customdata=[
                f"<b>{label(row.candidate)}</b><br>{quantity(row.image_s, 's')} an image"
                f"<br>{label(row.reason or row.fate)}"
                for row in each(rows)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    return figure


def of_candidates(frame: pd.DataFrame) -> str:
    """Return the sentence on the winner, and on how many others took part."""
    timed = frame.dropna(subset=["throughput_img_per_s"])
    absent = len(frame) - len(timed)
    others = f"{len(timed)} of {len(frame)} candidates were timed" if absent else f"{len(timed)} candidates were timed"
    won = frame[frame["fate"].eq("winner")]
    if won.empty:
        return f"No candidate meets what was asked: {others}."
    first = next(each(won))
    gain = f", {first.speedup:.2f} times as fast as eager" if first.speedup == first.speedup and first.speedup else ""
    return f"{first.model} is fastest as {first.candidate}: {quantity(first.image_s, 's')} an image{gain}; {others}."
