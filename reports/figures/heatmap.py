"""The heat map of speed-ups."""

import math
from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import CATEGORIES, FRAME_PIXELS, blank, hover
from reports.style.rows import CaseView, each
from reports.style.theme import GREY, label
from reports.style.units import TIMES, number, quantity, spread
from reports.style.views import setting

NAME_PIXELS: Final = 150
COLUMN_PIXELS: Final = (96, 240)
"""Least width at which a cell's text fits (on a narrower screen the map is scrolled), and greatest width."""


def speedup_map(frame: pd.DataFrame) -> Figure:
    """Draw a heat map of speed-ups over the baseline: a row a model, a column a setting, failed cases crossed.

    Colour is the logarithm of the ratio, grey where the interval does not exclude 1.
    """
    sound = frame["status"].eq("ok")
    done, failed = frame[sound], frame[~sound]
    columns = sorted({setting(row) for row in each(frame)})
    models = list(dict.fromkeys(frame["model"]))[::-1]
    cells = {(str(row.model), setting(row)): row for row in each(done)}
    grid = [[cells.get((model, column)) for column in columns] for model in models]
    figure = blank(
        FRAME_PIXELS + 46 * len(models),
        meta={
            f"{end}_width": NAME_PIXELS + pixels * len(columns)
            for end, pixels in zip(("min", "max"), COLUMN_PIXELS, strict=True)
        },
        xaxis={**CATEGORIES, "side": "top", "tickangle": 0, "ticks": ""},
        yaxis={**CATEGORIES, "ticks": ""},
    )
    names = [label(column).replace(" · ", "<br>") for column in columns]
    figure.add_heatmap(
        x=names,
        y=[label(model) for model in models],
        z=[[None if cell is None else _log_ratio(cell) for cell in line] for line in grid],
        text=[["" if cell is None else _ratio_text(cell) for cell in line] for line in grid],
        customdata=[["" if cell is None else hover(cell) for cell in line] for line in grid],
        texttemplate="%{text}",
        textfont={"size": 12, "color": "#1c2128"},  # the cells are light in both themes
        hovertemplate="%{customdata}<br>speed-up %{text}<extra></extra>",
        colorscale=[[0, "#E08A4E"], [0.5, "#B9BEC4"], [1, "#6FAEDB"]],
        zmid=0,
        zmin=-1,
        zmax=1,
        xgap=3,
        ygap=3,
        showscale=False,
    )
    if not failed.empty:
        _add_failures(figure, failed)
    return figure


def _add_failures(figure: Figure, failed: pd.DataFrame) -> None:
    """Cross the cells of the cases that failed."""
    figure.add_scatter(
        x=[label(setting(row)).replace(" · ", "<br>") for row in each(failed)],
        y=[label(row.model) for row in each(failed)],
        mode="markers+text",
        text=[label(row.status) for row in each(failed)],
        textposition="bottom center",
        textfont={"size": 11},
        customdata=[label(row.cause) for row in each(failed)],
        hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
        marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": GREY}},
        showlegend=False,
    )


def _log_ratio(row: CaseView) -> float:
    """Return log2 of the speed-up, 0 where its interval does not exclude 1."""
    low, high = number(row.speedup_low), number(row.speedup_high)
    if low is None or high is None or low <= 1 <= high:
        return 0.0
    return math.log2(row.speedup)


def _ratio_text(row: CaseView) -> str:
    value = quantity(row.speedup, TIMES, row.speedup_low, row.speedup_high)
    within = spread(row.speedup, row.speedup_low, row.speedup_high)
    return f"{value}<br>{within}" if within else value
