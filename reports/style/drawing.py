"""Parts of figures: an empty figure, a case as text, 95 % whiskers, families as series."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
from plotly.graph_objs._figure import Figure

from reports.style.rows import CaseView, each
from reports.style.theme import PATTERN, Style, label
from reports.style.units import ends, number, quantity, spread
from reports.style.words import conditions_text, throughput_text

ROW_PIXELS: Final = 26
CATEGORIES: Final = {"type": "category", "showgrid": False, "tickmode": "linear", "dtick": 1}
"""An axis of names on which Plotly must show every name."""
FRAME_PIXELS: Final = 110
"""Height of axis, title and legend around the rows of a bar chart."""
STANDARD: Final = 460
"""Height in pixels of a chart of usual size."""


def blank(height: int, **layout: Any) -> Figure:
    """Return an empty figure of `height` pixels, as wide as the page allows."""
    # An empty template, or each figure would carry 7 kB of Plotly's default one.
    layout = {"template": {}, "height": height, **layout}
    return go.Figure(layout=layout)  # type: ignore[attr-defined,no-untyped-call]  # Plotly has no types


def remark(figure: Figure, text: str) -> None:
    """Write `text`, a trusted note on omitted rows, above the right end of the figure."""
    figure.add_annotation(
        text=text, xref="paper", yref="paper", x=1, y=1, xanchor="right", yanchor="bottom", showarrow=False
    )


def hover(row: CaseView) -> str:
    """Return the main facts of a case as Plotly's pseudo-HTML."""
    low, high = row.latency_low_s, row.latency_high_s
    lines = [
        f"<b>{label(row.model)}</b>",
        label(conditions_text(row)),
        f"{quantity(row.latency_s, 's', low, high)} a step {spread(row.latency_s, low, high)}",
        throughput_text(row),
    ]
    if number(row.imagenet_top1) is not None:
        lines.append(f"ImageNet top-1 {100 * row.imagenet_top1:.2f} %")
    return "<br>".join(lines)


def whiskers(values: list[Any], bounds: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return Plotly's error bars for 95 % intervals; a value without a known interval gets none."""
    known = [ends(value, *pair) for value, pair in zip(values, bounds, strict=True)]
    above = [(high or value) - value for value, (_, high) in zip(values, known, strict=True)]
    below = [value - (low or value) for value, (low, _) in zip(values, known, strict=True)]
    # Plotly draws the caps of a whisker without a length, too.
    caps = 4 if all(high or low for high, low in zip(above, below, strict=True)) else 0
    return {"type": "data", "array": above, "arrayminus": below, "thickness": 1.2, "width": caps}


def series_name(row: CaseView) -> str:
    """Return ``resnet · bottleneck``; the family alone where the variant has no block type."""
    block = row.block.removeprefix("preact_") if isinstance(row.block, str) else None  # the family says it
    return f"{row.family} · {block}" if block else str(row.family)


def series(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of each family and block type, in the alphabet's order so that legends agree."""
    named = frame.assign(_series=[series_name(row) for row in each(frame)])
    return [rows for _, rows in named.groupby("_series", sort=True)]


def bars(
    figure: Figure,
    style: Style,
    name: str,
    rows: pd.DataFrame,
    x: list[float],
    hover: list[str],
    **trace: Any,
) -> None:
    """Add a series of horizontal bars of length `x`, a row a model, with its colour and pattern."""
    figure.add_bar(
        x=x,
        y=[label(model) for model in rows["model"]],
        orientation="h",
        name=name,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "color": style.color,
            "pattern": {**PATTERN, "shape": style.pattern},
        },
        **trace,
    )
