"""The break-even of compiling: frame, figure and sentence."""

import math
import statistics
from typing import Any, Final, Protocol

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.chart import Source
from reports.style.axes import log_axis
from reports.style.columns import Column, estimate, steps_until
from reports.style.drawing import FRAME_PIXELS, ROW_PIXELS, blank, remark
from reports.style.rows import each
from reports.style.theme import BLUE, VERMILLION, Style, label
from reports.style.units import NEVER, NONE, SPACE, TIMES, number, quantity, steps
from reports.style.views import CONTEXT, axis_text, axis_types, constants
from results.metrics.breakeven import BreakEven
from results.schema.axes import AXES
from results.text import printable

MOST_BREAK_EVENS: Final = 60
"""The most cases of a drawing."""
CACHES: Final[dict[str, Style]] = {
    "cold": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "warm": Style(color=VERMILLION, symbol="diamond-open", dash="solid", pattern=""),
}
_OFFSET: Final = 0.16
"""Shift of a marker in its row: warm lies below cold by twice the shift, so that their intervals do not overlap."""
_NUMBERS: Final = (
    "compile_s",
    *("gain", "gain_low", "gain_high"),
    *(f"{kind}_{part}" for kind in CACHES for part in ("steps", "low", "high")),
)

BREAK_EVEN_COLUMNS: Final[dict[str, Column]] = {
    "gain": estimate("eager over compiled", "gain", TIMES),
    "cold_steps": steps_until("pays after, cold", "cold"),
    "warm_steps": steps_until("pays after, warm", "warm"),
}
"""Columns of the data of the figure."""


class BreakEvenView(Protocol):
    """A row of the frame of break-evens; of a number that could not be had there is NaN, and infinity is never."""

    model: str
    runtime: str
    batch_size: int
    gain: float
    gain_low: float
    gain_high: float
    cold_steps: float
    warm_steps: float


def break_evens(source: Source) -> pd.DataFrame:
    """Return a row for each compiled case whose run also holds the eager case; infinite steps are never."""
    machines = source.machines
    rows = [
        _row(result, machines[printable(result.run), printable(result.case.device)])
        for result in source.study.break_evens
    ]
    # As objects, or an unknown number of threads would become NaN.
    frame = pd.DataFrame(rows, columns=["machine", *AXES, *_NUMBERS, "reason"], dtype=object)
    return frame.astype(dict.fromkeys(_NUMBERS, "float64") | axis_types(frame))


def _row(result: BreakEven, machine: str) -> dict[str, Any]:
    row: dict[str, Any] = {axis: getattr(result.case, axis) for axis in AXES}
    row |= {"machine": machine, "model": printable(result.case.model), "compile_s": result.compile_s}
    row |= {"reason": None if result.reason is None else printable(result.reason)}
    if result.ratio is not None:
        row |= {"gain": result.ratio.value, "gain_low": result.ratio.low, "gain_high": result.ratio.high}
    for kind, count in (("cold", result.cold), ("warm", result.warm)):
        if count is not None:
            row |= {f"{kind}_steps": count.value, f"{kind}_low": count.low, f"{kind}_high": count.high}
    return row


def known(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the cases whose break-even is known, never included."""
    return frame[frame["cold_steps"].notna()]


def break_even(frame: pd.DataFrame) -> Figure:
    """Draw the steps to break-even (log), the fewest on top, with cold and with warm caches.

    Lines are 95 % intervals; an arrow at the right edge reaches to never.
    """
    ranked = frame.sort_values(["cold_steps", "model"], kind="stable")
    shown: list[BreakEvenView] = list(each(ranked.head(MOST_BREAK_EVENS)))
    fixed = constants(frame, CONTEXT)
    varied = [axis for axis in CONTEXT if axis not in fixed]
    names = [label(" · ".join([row.model, *(axis_text(axis, getattr(row, axis)) for axis in varied)])) for row in shown]
    ends = [
        end for row in shown for name in _NUMBERS[4:] if (end := number(getattr(row, name))) is not None and end > 0
    ] or [1.0, 1e3]
    edge = 10 ** (math.log10(max(ends)) + max(0.5, 0.12 * math.log10(max(ends) / min(ends))))
    xaxis = log_axis([*ends, edge], title={"text": "steps until compiling has paid"})
    ticks = [(tick, text) for tick, text in zip(xaxis["tickvals"], xaxis["ticktext"], strict=True) if tick < edge / 1.6]
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(shown),
        xaxis={
            **xaxis,
            "tickvals": [*(tick for tick, _ in ticks), edge],
            "ticktext": [*(text for _, text in ticks), NEVER],
        },
        yaxis={
            "range": [len(shown) - 0.4, -0.6],
            "tickvals": list(range(len(shown))),
            "ticktext": names,
            "showgrid": False,
            "zeroline": False,
        },
        showlegend=True,
    )
    if len(ranked) > len(shown):
        remark(figure, f"the {MOST_BREAK_EVENS} that pay soonest of {len(ranked):,}; the others are in the table")
    both = bool(frame["warm_steps"].notna().any())
    for (kind, style), side in zip(CACHES.items(), (-1, 1), strict=True):
        known_rows = [index for index, row in enumerate(shown) if steps(getattr(row, f"{kind}_steps")) != NONE]
        if known_rows:
            heights = [index + side * _OFFSET if both else float(index) for index in known_rows]
            _add(figure, kind, style, [shown[index] for index in known_rows], heights, edge)
    return figure


def _add(figure: Figure, kind: str, style: Style, rows: list[BreakEvenView], heights: list[float], edge: float) -> None:
    """Add the intervals and the markers of one kind of compilation."""

    def across(value: Any) -> float:
        return min(float(value), edge)

    spans = [
        (across(low), across(high), height)
        for row, height in zip(rows, heights, strict=True)
        if NONE not in {steps(low := getattr(row, f"{kind}_low")), steps(high := getattr(row, f"{kind}_high"))}
    ]
    figure.add_scatter(
        x=[x for low, high, _ in spans for x in (low, high, None)],
        y=[y for _, _, height in spans for y in (height, height, None)],
        mode="lines",
        line={"color": style.color, "width": 1.6},
        hoverinfo="skip",
        showlegend=False,
    )
    open_ended = [height for _, high, height in spans if high == edge]
    figure.add_scatter(
        x=[edge] * len(open_ended),
        y=open_ended,
        mode="markers",
        marker={"symbol": "triangle-right", "size": 9, "color": style.color},
        hoverinfo="skip",
        showlegend=False,
    )
    values = [getattr(row, f"{kind}_steps") for row in rows]
    figure.add_scatter(
        x=[across(value) for value in values],
        y=heights,
        mode="markers",
        name=f"{kind} cache",
        marker={
            # A compilation that never pays has no point on the axis: a cross marks it at the end.
            "symbol": ["x-thin-open" if value == math.inf else style.symbol for value in values],
            "size": 10,
            "color": style.color,
            "line": {"width": 2, "color": style.color},
        },
        customdata=[_hover(row, kind) for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _hover(row: BreakEvenView, kind: str) -> str:
    value, low, high = (steps(getattr(row, f"{kind}_{part}")) for part in ("steps", "low", "high"))
    ends = "no interval" if NONE in {low, high} else f"95{SPACE}%: {low} to {high}"
    lines = [
        f"<b>{label(row.model)}</b>",
        label(" · ".join(axis_text(axis, getattr(row, axis)) for axis in CONTEXT)),
        f"{kind}: {value} steps ({ends})",
        f"eager over compiled {quantity(row.gain, TIMES, row.gain_low, row.gain_high)}",
    ]
    return "<br>".join(lines)


def of_break_even(frame: pd.DataFrame) -> str:
    """Say where compiling pays soonest, when it has paid in half of the cases, and in how many it never does."""
    rows: list[BreakEvenView] = sorted(each(frame), key=lambda row: (row.cold_steps, row.model))
    never = sum(row.cold_steps == math.inf for row in rows)
    if never == len(rows):
        return f"Compiling never pays in any of {len(rows):,} cases: no compiled step is faster than the eager one."
    first = rows[0]
    warm = number(first.warm_steps)
    said = (
        f"Compiling pays soonest on {first.model} ({first.runtime}, batch {first.batch_size}): "
        f"after {steps(first.cold_steps)} steps{f', {steps(warm)} with a warm cache' if warm is not None else ''}"
    )
    if len(rows) == 1:
        return f"{said}."
    half = steps(statistics.median_high(row.cold_steps for row in rows))
    if half == NEVER:
        return f"{said}; in {never:,} of {len(rows):,} cases it never does."
    rest = f", in {never:,} it never does" if never else ""
    return f"{said}; in half of {len(rows):,} cases it has after {half}{rest}."
