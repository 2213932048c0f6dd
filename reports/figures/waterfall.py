"""The waterfall of a chain: the factor of each change on top of the changes before it, and the total."""

import dataclasses
from typing import Any, Final, Protocol

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.axes import log_axis
from reports.style.drawing import CATEGORIES, blank, whiskers
from reports.style.rows import each
from reports.style.theme import BLUE, GREY, INDIGO, PATTERN, VERMILLION, Style, label
from reports.style.units import TIMES, ends, number, quantity, spread
from reports.style.views import BASELINE_TEXT, setting

WATERFALL_HEIGHT: Final = 400
STEP_PIXELS: Final = (130, 230)
"""Least width of a bar at which its text fits (on a narrower screen the figure is scrolled), and greatest width."""
TOTAL: Final = "together"
UNSURE: Final = "interval includes 1"
STEP_KINDS: Final[dict[str, Style]] = {
    "faster": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "slower": Style(color=VERMILLION, symbol="square", dash="dash", pattern="/"),
    UNSURE: Style(color=GREY, symbol="x", dash="dot", pattern="."),
    TOTAL: Style(color=INDIGO, symbol="diamond", dash="solid", pattern="x"),
}
"""Style of bars, by the result of their step."""


class StepView(Protocol):
    """A row of the frame of chains: a step of a chain, or a broken chain, whose numbers are NaN."""

    model: str
    change: str
    before: str
    after: str
    factor: float
    factor_low: float
    factor_high: float
    total: float
    total_low: float
    total_high: float
    reason: str | None
    """Why the chain is broken; NaN where it is whole."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A floating bar: a step of a chain, or the total."""

    name: str
    kind: str
    """A key of `STEP_KINDS`."""
    start: float
    value: float
    """Factor by which it rises from `start`."""
    bounds: tuple[Any, Any]
    """95 % interval of the factor."""

    @property
    def end(self) -> float:
        """The end of the bar on the axis."""
        return self.start * self.value

    @property
    def interval(self) -> tuple[float, ...]:
        """The known ends of its interval on the axis."""
        return tuple(self.start * bound for bound in ends(self.value, *self.bounds) if bound is not None)


def waterfall(frame: pd.DataFrame) -> Figure:
    """Draw a chain of `reports.chapters.speedups.chains`, from the baseline to its case, as floating bars.

    The axis is logarithmic, as speed-ups multiply: bars of equal height are equal factors. A whisker is the 95 %
    interval of its own step. The figure of a broken chain only shows the reason.
    """
    rows = list(each(frame))
    if isinstance(rows[0].reason, str):
        return _broken(rows[0])
    drawn = _bars(rows)
    first = f"<b>baseline</b><br>{BASELINE_TEXT.replace(' · ', '<br>')}"
    names = [first, *(bar.name for bar in drawn)]
    reach = [1.0, *(bar.end for bar in drawn), *(end for bar in drawn for end in bar.interval)]
    room = (max(reach) / min(reach)) ** 0.18  # for two lines of text above the highest bar
    figure = blank(
        WATERFALL_HEIGHT,
        meta={f"{end}_width": pixels * len(names) for end, pixels in zip(("min", "max"), STEP_PIXELS, strict=True)},
        xaxis={**CATEGORIES, "categoryorder": "array", "categoryarray": names, "ticks": "", "tickangle": 0},
        yaxis=log_axis([*reach, max(reach) * room], title={"text": f"speed-up ({TIMES})"}),
        bargap=0.4,
        shapes=[
            _line("paper", (0.0, 1.0), 1.0),
            # From the right edge of a bar to the left edge of the next; the baseline is bar 0.
            *(_line("x", (index + 1.3, index + 1.7), bar.end) for index, bar in enumerate(drawn[:-1])),
        ],
    )
    _add_bars(figure, drawn)
    _add_whiskers(figure, drawn)
    _add_words(figure, first, drawn)
    return figure


def _bars(rows: list[StepView]) -> list[Bar]:
    """Return the bars of the steps, each of which starts where the last one ends, and of the total."""
    drawn: list[Bar] = []
    for row in rows:
        drawn.append(
            Bar(
                name=f"<b>{row.change}</b><br>{row.before}<br>→ {row.after}",
                kind=kind_of(row),
                start=drawn[-1].end if drawn else 1.0,
                value=row.factor,
                bounds=(row.factor_low, row.factor_high),
            )
        )
    total = rows[0]
    bounds = (total.total_low, total.total_high)
    return [*drawn, Bar(name=f"<b>{TOTAL}</b>", kind=TOTAL, start=1.0, value=total.total, bounds=bounds)]


def _add_bars(figure: Figure, drawn: list[Bar]) -> None:
    for kind, style in STEP_KINDS.items():
        alike = [bar for bar in drawn if bar.kind == kind]
        if alike:
            figure.add_bar(
                x=[bar.name for bar in alike],
                y=[bar.end - bar.start for bar in alike],
                base=[bar.start for bar in alike],
                name=kind,
                marker={"color": style.color, "pattern": {**PATTERN, "shape": style.pattern}},
                hovertemplate="%{x}<extra></extra>",
            )


def _add_whiskers(figure: Figure, drawn: list[Bar]) -> None:
    """Add the intervals as points: Plotly draws the whiskers of a bar as if the bar began at 0."""
    tops = [bar.end for bar in drawn]
    bounds = [[bar.start * (number(bound) or bar.value) for bound in bar.bounds] for bar in drawn]
    figure.add_scatter(
        x=[bar.name for bar in drawn],
        y=tops,
        mode="markers",
        marker={"size": 1, "color": GREY},
        error_y={**whiskers(tops, bounds), "color": GREY},
        showlegend=False,
        hoverinfo="skip",
    )


def _add_words(figure: Figure, first: str, drawn: list[Bar]) -> None:
    """Add the factors above the bars, and the 1 of the baseline."""
    figure.add_scatter(
        x=[first, *(bar.name for bar in drawn)],
        y=[1.0, *(max(bar.start, bar.end, *bar.interval) for bar in drawn)],
        mode="markers+text",
        marker={"size": 12, "opacity": 0},  # keeps the words clear of the whisker
        text=[f"1{TIMES}", *(_words(bar.value, bar.bounds) for bar in drawn)],
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
    )


def kind_of(row: StepView) -> str:
    """Return the key in `STEP_KINDS` of what a step gave."""
    low, high = number(row.factor_low), number(row.factor_high)
    if low is None or high is None or low <= 1 <= high:
        return UNSURE
    return "faster" if row.factor > 1 else "slower"


def _line(reference: str, x: tuple[float, float], y: float) -> dict[str, Any]:
    dotted = {"color": GREY, "width": 1.2, "dash": "dot"}
    return {"type": "line", "xref": reference, "x0": x[0], "x1": x[1], "y0": y, "y1": y, "line": dotted}


def _words(value: float, bounds: tuple[Any, Any]) -> str:
    return f"<b>{quantity(value, TIMES, *bounds)}</b><br>{spread(value, *bounds) or 'no interval'}"


def _broken(row: StepView) -> Figure:
    return blank(
        WATERFALL_HEIGHT // 2,
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
