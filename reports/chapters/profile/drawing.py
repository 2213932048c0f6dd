"""Stacked bars of where the time of a step goes, and their sentences."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, blank
from reports.style.rows import each
from reports.style.theme import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    INDIGO,
    OCHRE,
    OTHER_STYLE,
    PATTERN,
    PURPLE,
    SKY,
    STAGES,
    VERMILLION,
    Style,
    label,
)
from reports.style.units import number, quantity
from reports.style.words import joined

KINDS: Final[dict[str, Style]] = {
    "convolution": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "linear": Style(color=SKY, symbol="square", dash="dash", pattern="/"),
    "normalisation": Style(color=GREEN, symbol="diamond", dash="dot", pattern="\\"),
    "activation": Style(color=OCHRE, symbol="cross", dash="solid", pattern="x"),
    "addition": Style(color=BROWN, symbol="x", dash="dash", pattern="-"),
    "pooling": Style(color=PURPLE, symbol="star", dash="dot", pattern="|"),
    "fused": Style(color=INDIGO, symbol="hexagon", dash="solid", pattern="+"),
    "optimizer": Style(color=VERMILLION, symbol="pentagon", dash="dash", pattern="."),
}
"""Styles of classes of operators; others share a style."""
REST: Final = Style(color=GREY, symbol="hexagram", dash="dash", pattern="")
_PHASE_ORDER: Final = ("forward", "backward", "optimizer", "other")


def kind_bars(frame: pd.DataFrame) -> Figure:
    """Draw a bar for each case and phase, of the milliseconds of each class of operators."""
    return _stacked(frame, "kind", KINDS)


def stage_bars(frame: pd.DataFrame) -> Figure:
    """Draw a bar for each case and phase, of the milliseconds of each stage."""
    return _stacked(frame, "stage", STAGES)


def _stacked(frame: pd.DataFrame, column: str, styles: dict[str, Style]) -> Figure:
    several = len(set(frame["case"])) > 1
    frame = frame.assign(bar=[f"{row.case} · {row.phase}" if several else row.phase for row in each(frame)])
    order = [
        bar
        for case in dict.fromkeys(frame["case"])
        for phase in _PHASE_ORDER
        for bar in [f"{case} · {phase}" if several else phase]
        if bar in set(frame["bar"])
    ]
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(order),
        xaxis={"title": {"text": "milliseconds of a step"}, "rangemode": "tozero"},
        yaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [label(bar) for bar in order[::-1]]},
        barmode="stack",
        legend={"traceorder": "normal"},
    )
    totals = frame.groupby(column)["self_s"].sum()
    largest = totals.sort_values(ascending=False).index if column == "kind" else list(dict.fromkeys(frame[column]))
    for name in largest:
        rows = frame[(frame[column] == name) & (frame["self_s"] > 0)]
        style = styles.get(str(name), REST if column == "kind" else OTHER_STYLE)
        figure.add_bar(
            orientation="h",
            name=label(name),
            y=[label(bar) for bar in rows["bar"]],
            x=[1e3 * seconds for seconds in rows["self_s"]],
            marker={"color": style.color, "pattern": {**PATTERN, "shape": style.pattern}},
            customdata=[
                f"<b>{label(name)}</b> · {label(row.bar)}<br>{quantity(row.self_s, 's')}, {row.share:.1%} of a step"
                for row in each(rows)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    return figure


def of_kinds(frame: pd.DataFrame) -> str:
    """Return the sentence on the classes that take most of each case, and on what the profiler costs."""
    said = []
    for case, rows in frame.groupby("case", sort=False):
        shares = rows.groupby("kind")["share"].sum().sort_values(ascending=False)
        first = ", ".join(f"{kind} {share:.0%}" for kind, share in shares.head(3).items())
        cost = next(each(rows)).slow_down
        slower = "" if number(cost) is None else f"; profiled, a step took {cost:.2f} times as long"
        said.append(f"{case}: {first}{slower}")
    return ". ".join(said) + "."


def of_stage_times(frame: pd.DataFrame) -> str:
    """Return the sentence on the stage that takes most of each case."""
    said = []
    for case, rows in frame.groupby("case", sort=False):
        shares = rows.groupby("stage")["share"].sum().sort_values(ascending=False)
        said.append(f"{shares.index[0]} takes {shares.iloc[0]:.0%} of {case}")
    return f"{joined(said)}."
