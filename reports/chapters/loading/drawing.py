"""Bars of the stages of loading, and of its rates beside the need of the network."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, blank, whiskers
from reports.style.rows import each
from reports.style.theme import BLUE, GREEN, GREY, PATTERN, VERMILLION, label
from reports.style.units import number, quantity

_PATHS: Final = {"DataLoader": (BLUE, ""), "slices": (GREEN, "/")}


def loading_stage_bars(frame: pd.DataFrame) -> Figure:
    """Draw the milliseconds of an image in each stage, in the order of the stages."""
    timed = frame.dropna(subset=["image_s"])
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * max(1, len(timed)),
        xaxis={"title": {"text": "ms an image, one process"}, "rangemode": "tozero"},
        yaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [label(name) for name in timed["stage"][::-1]]},
    )
    figure.add_bar(
        orientation="h",
        x=[seconds * 1e3 for seconds in timed["image_s"]],
        y=[label(name) for name in timed["stage"]],
        customdata=[f"{quantity(row.image_s, 's')} an image, {row.share:.0%} of all stages" for row in each(timed)],
        hovertemplate="%{customdata}<extra></extra>",
        marker={"color": BLUE, "pattern": {**PATTERN, "shape": ""}},
    )
    return figure


def of_loading_stages(frame: pd.DataFrame) -> str:
    """Return the sentence on the longest stage."""
    timed = frame.dropna(subset=["image_s"])
    if timed.empty:
        return f"{frame['data'].iloc[0]} has no stages: its images lie in memory."
    longest = next(each(timed.sort_values("image_s", ascending=False)))
    time = quantity(longest.image_s, "s")
    return f"Of {longest.data}, {longest.stage} takes most: {time} an image, {longest.share:.0%}."


def loading_rate_bars(frame: pd.DataFrame) -> Figure:
    """Draw images a second by path and workers, with the images that the network takes as a line."""
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(frame),
        xaxis={"title": {"text": "images a second"}, "rangemode": "tozero"},
        yaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [label(name) for name in frame["path"][::-1]]},
        barmode="overlay",
    )
    for kind, (color, shape) in _PATHS.items():
        rows = frame[frame["kind"].eq(kind)]
        if rows.empty:
            continue
        values = rows["images_per_s"].tolist()
        figure.add_bar(
            orientation="h",
            name=kind,
            x=values,
            y=[label(name) for name in rows["path"]],
            error_x={
                **whiskers(values, list(zip(rows["images_low"], rows["images_high"], strict=True))),
                "color": GREY,
            },
            customdata=[
                f"{label(row.path)}: {quantity(row.images_per_s, 'img/s')} {row.advised}" for row in each(rows)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            marker={"color": color, "pattern": {**PATTERN, "shape": shape}},
        )
    need = number(frame["network_per_s"].iloc[0])
    if need is not None:
        figure.add_vline(x=need, line={"color": VERMILLION, "dash": "dash"})
        text = f"{label(frame['network'].iloc[0])} takes {quantity(need, 'img/s')}"
        figure.add_annotation(x=need, y=1, yref="paper", yanchor="bottom", text=text, showarrow=False)
    return figure


def of_loading_rates(frame: pd.DataFrame) -> str:
    """Return the sentence on whether the network waits."""
    feeds = frame[frame["feeds"]]
    feed = next(each(feeds if len(feeds) else frame))
    said = f"{feed.path} give {quantity(feed.images_per_s, 'img/s')} of {feed.data}"
    need, waits = number(feed.network_per_s), number(feed.waits)
    if need is None or waits is None:
        return f"{said}; what {feed.network} takes is not known."
    if waits == 0:
        return f"{said}, {feed.network} takes {quantity(need, 'img/s')}: it never waits."
    return f"{said}, {feed.network} takes {quantity(need, 'img/s')}: it waits {waits:.0%} of the time."
