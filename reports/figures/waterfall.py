"""The waterfall of one chain: what each change gave on top of those before it, and what they give together."""

from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.axes import log_axis
from reports.style.drawing import CATEGORIES, blank, whiskers
from reports.style.theme import BLUE, GREY, INDIGO, PATTERN, VERMILLION, Style, label
from reports.style.units import TIMES, number, quantity, spread
from reports.style.views import BASELINE_TEXT, each, setting

HEIGHT: Final = 400
STEP_PIXELS: Final = (130, 230)
"""Least width of a bar with which its words fit (on a narrower screen the figure is scrolled), and the greatest."""
TOTAL: Final = "together"
UNSURE: Final = "not told apart from 1"
KINDS: Final[dict[str, Style]] = {
    "faster": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "slower": Style(color=VERMILLION, symbol="square", dash="dash", pattern="/"),
    UNSURE: Style(color=GREY, symbol="x", dash="dot", pattern="."),
    TOTAL: Style(color=INDIGO, symbol="diamond", dash="solid", pattern="x"),
}
"""How bars look, by what their step gave."""


def waterfall(frame: pd.DataFrame) -> Figure:
    """Draw one chain of `reports.chapters.speedups.chains.steps`, from the baseline to its case, as floating bars.

    The axis is logarithmic, as speed-ups multiply: bars of equal height are equal factors. A whisker is the 95 %
    interval of its own step. Of a broken chain there is only the reason.
    """
    rows = list(each(frame))
    if isinstance(rows[0].reason, str):
        return _broken(rows[0])
    values = [row.factor for row in rows] + [rows[0].total]
    bounds = [(row.factor_low, row.factor_high) for row in rows] + [(rows[0].total_low, rows[0].total_high)]
    names = [f"<b>{row.change}</b><br>{row.before}<br>→ {row.after}" for row in rows] + [f"<b>{TOTAL}</b>"]
    kinds = [*(kind_of(row) for row in rows), TOTAL]
    starts = [1.0]
    for row in rows[:-1]:
        starts.append(starts[-1] * row.factor)
    starts.append(1.0)
    ends = [start * value for start, value in zip(starts, values, strict=True)]
    spans = [
        [start * bound for bound in found if number(bound) is not None]
        for start, found in zip(starts, bounds, strict=True)
    ]
    tops = [max(start, end, *span) for start, end, span in zip(starts, ends, spans, strict=True)]
    reach = [1.0, *ends, *(end for span in spans for end in span)]
    room = (max(reach) / min(reach)) ** 0.18  # for two lines of words above the highest
    first = f"<b>baseline</b><br>{BASELINE_TEXT.replace(' · ', '<br>')}"
    figure = blank(
        HEIGHT,
        meta={
            f"{end}_width": pixels * (len(names) + 1) for end, pixels in zip(("min", "max"), STEP_PIXELS, strict=True)
        },
        xaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": [first, *names], "ticks": "", "tickangle": 0},
        yaxis=log_axis([*reach, max(reach) * room], title={"text": f"speed-up ({TIMES})"}),
        bargap=0.4,
        shapes=[
            _line("paper", (0.0, 1.0), 1.0),
            # From the right edge of a bar to the left edge of the next; the baseline is bar 0.
            *(_line("x", (place + 1.3, place + 1.7), end) for place, end in enumerate(ends[:-1])),
        ],
    )
    for kind, style in KINDS.items():
        places = [place for place, own in enumerate(kinds) if own == kind]
        if places:
            figure.add_bar(
                x=[names[place] for place in places],
                y=[ends[place] - starts[place] for place in places],
                base=[starts[place] for place in places],
                name=kind,
                marker={"color": style.color, "pattern": {**PATTERN, "shape": style.pattern}},
                hovertemplate="%{x}<extra></extra>",
            )
    # Plotly draws the whiskers of a bar as if it stood on the ground, hence points of their own.
    figure.add_scatter(
        x=names,
        y=ends,
        mode="markers",
        marker={"size": 1, "color": GREY},
        error_y={
            **whiskers(
                ends,
                [
                    (start * (number(low) or value), start * (number(high) or value))
                    for start, value, (low, high) in zip(starts, values, bounds, strict=True)
                ],
            ),
            "color": GREY,
        },
        showlegend=False,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[first, *names],
        y=[1.0, *tops],
        mode="markers+text",
        marker={"size": 12, "opacity": 0},  # keeps the words clear of the whisker
        text=[f"1{TIMES}", *(_words(value, bound) for value, bound in zip(values, bounds, strict=True))],
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
    )
    return figure


def kind_of(row: Any) -> str:
    """Return the key in `KINDS` of what a step gave."""
    low, high = number(row.factor_low), number(row.factor_high)
    if low is None or high is None or low <= 1 <= high:
        return UNSURE
    return "faster" if row.factor > 1 else "slower"


def _line(reference: str, x: tuple[float, float], y: float) -> dict[str, Any]:
    dotted = {"color": GREY, "width": 1.2, "dash": "dot"}
    return {"type": "line", "xref": reference, "x0": x[0], "x1": x[1], "y0": y, "y1": y, "line": dotted}


def _words(value: float, bounds: tuple[Any, Any]) -> str:
    return f"<b>{quantity(value, TIMES, *bounds)}</b><br>{spread(value, *bounds) or 'no interval'}"


def _broken(row: Any) -> Figure:
    return blank(
        HEIGHT // 2,
        xaxis={"visible": False},
        yaxis={"visible": False},
        annotations=[
            {
                "text": f"{label(setting(row))} has no attribution:<br>{label(row.reason)}",
                "showarrow": False,
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": 0.5,
                "font": {"size": 14},
            }
        ],
    )
