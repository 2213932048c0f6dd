"""A case over time: frame, figure and sentence."""

import datetime
import math
from typing import Any, Final, Protocol

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.chart import Source
from reports.style.axes import log_axis
from reports.style.columns import Column, amount, words
from reports.style.drawing import STANDARD, blank, whiskers
from reports.style.rows import each
from reports.style.theme import BLUE, GREY, INDIGO, VERMILLION, label
from reports.style.units import TIMES, ends, number, quantity, spread
from reports.style.views import UNKNOWN_COUNTS
from reports.style.words import plural
from results.analysis.history import frame, history
from results.schema.axes import AXES
from results.statistics.changepoints import MIN_RUNS

LEAST: Final = 3
"""Least runs of a history."""
_BOTTOM: Final = 0.03
"""Height of the crosses of runs without a latency, as a share of the axis."""
_HALF_A_DAY: Final = datetime.timedelta(hours=12)
_MOST: Final = 8
"""The most changes of the environment in the box of a point."""
_LONGEST: Final = 100
"""The most characters of a change in the box."""


HISTORY_COLUMNS: Final[dict[str, Column]] = {
    "started": words("started", "started"),
    "level_s": amount("level", "level_s", "s"),
    "noisy": words("signs of noise", "noisy"),
    "environment": words("what changed around it", "environment"),
    "commit": words("commit", "commit"),
}
"""Columns of the data of a history."""


class RunView(Protocol):
    """A row of the frame of histories, a run each; of a number that could not be had there is NaN."""

    run: str
    started: str
    status: str
    cause: str | None
    latency_s: float
    low: float
    high: float
    noisy: str | None
    """Its signs of noise."""
    change: float
    """Ratio of its level to the level before, where a level begins."""
    change_low: float
    change_high: float
    environment: str
    """What changed around it, joined by semicolons."""
    commit: str | None


def runs(source: Source) -> pd.DataFrame:
    """Return `results.analysis.history.frame` of all runs, with the names of bounds of the frame of cases."""
    rows = frame(history(source.study))
    unknown = {name: rows[name].astype(object) for name in UNKNOWN_COUNTS}
    return rows.assign(latency_low_s=rows["low"], latency_high_s=rows["high"], **unknown)


def several(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the series of `LEAST` dates or more, the largest change of level first."""
    keys = ["machine", *AXES]
    series = frame.assign(_change=frame["change"].map(math.log).abs()).groupby(keys, sort=False, dropna=False)
    order = frame.assign(_size=series["latency_s"].transform("count"), _change=series["_change"].transform("max"))
    long = order[order["_size"] >= LEAST]
    position = long.groupby(keys, sort=False, dropna=False).ngroup()
    long = long.assign(_change=long["_change"].fillna(0.0), _position=position)
    return long.sort_values(["_change", "_position"], ascending=[False, True], kind="stable").drop(
        columns=["_size", "_change", "_position"]
    )


def over_time(frame: pd.DataFrame) -> Figure:
    """Draw latency (ms, log) over the date of each run, from a series of `results.analysis.history.frame`.

    The axis is logarithmic, so that equal distances are equal ratios; it spans at least a quarter of the latency, so
    that noise looks small.
    """
    timed, failed = frame[frame["latency_s"].notna()], frame[frame["latency_s"].isna()]
    reach = [(row.latency_s, *ends(row.latency_s, row.low, row.high)) for row in each(timed)]
    shown = [1e3 * end for reached in reach for end in reached if end]
    yaxis = log_axis(shown or [1.0], title={"text": "latency (ms a step)"}, showticklabels=bool(shown))
    figure = blank(STANDARD, xaxis=_date_axis(frame["started"].tolist()), yaxis=yaxis)
    if len(timed) >= 2 * MIN_RUNS:  # of fewer nothing is known of levels
        _levels(figure, timed)
    noisy = timed["noisy"].notna()
    _runs(figure, timed[~noisy], "run", "circle")
    _runs(figure, timed[noisy], "run with signs of noise", "circle-open")
    low, high = yaxis["range"]
    if len(failed):
        figure.add_scatter(
            x=failed["started"].tolist(),
            y=[10 ** (low + _BOTTOM * (high - low))] * len(failed),
            mode="markers",
            name="run without a latency",
            customdata=[_hover(row) for row in each(failed)],
            hovertemplate="%{customdata}<extra></extra>",
            marker={"color": VERMILLION, "symbol": "x", "size": 10},
        )
    for row in each(timed[timed["change"].notna()]):
        _mark(figure, row)
    return figure


def of_history(frame: pd.DataFrame) -> str:
    """Return the sentence on the largest change of level of a series, with its number of runs."""
    timed = frame[frame["latency_s"].notna()]
    counted = f"{plural(len(timed), 'run')} with a latency"
    if len(timed) < 2 * MIN_RUNS:
        needs = f"a change needs {MIN_RUNS} runs before it and {MIN_RUNS} after it"
        return f"Too few runs to detect a change: {counted}; {needs}."
    name = frame["model"].iloc[0]
    changes: list[RunView] = list(each(timed[timed["change"].notna()]))
    if not changes:
        first, last = (started[:10] for started in timed["started"].iloc[[0, -1]])
        return f"{name} shows no change of level from {first} to {last} in {counted}."
    biggest = max(changes, key=lambda row: max(row.change, 1 / row.change))
    said = (
        f"{name} takes {_ratio(biggest)} as long from {biggest.started[:10]} on ({', '.join(_environment(biggest, 3))})"
    )
    if len(changes) == 1:
        return f"{said}, the only change of level in {counted}."
    levels = timed["level_s"]
    total = quantity(levels.iloc[-1] / levels.iloc[0], TIMES)
    return f"{said}, the biggest of {len(changes)} changes of level in {counted}; the last level is {total} the first."


def _ratio(row: RunView) -> str:
    within = spread(row.change, row.change_low, row.change_high)
    return f"{quantity(row.change, TIMES, row.change_low, row.change_high)} ({within})"


def _date_axis(started: list[str]) -> dict[str, Any]:
    """Return an axis around the dates; Plotly's axis for dates of a single day would show milliseconds."""
    dates = sorted(datetime.datetime.fromisoformat(start) for start in started)
    pad = max(0.03 * (dates[-1] - dates[0]), _HALF_A_DAY)
    span = [end.isoformat(timespec="seconds") for end in (dates[0] - pad, dates[-1] + pad)]
    return {"type": "date", "title": {"text": "start of the run (UTC)"}, "range": span}


def _levels(figure: Figure, timed: pd.DataFrame) -> None:
    """Add a horizontal line for each level, from its first run to its last."""
    x: list[str | None] = []
    y: list[float | None] = []
    for _, rows in timed.groupby("segment", sort=True):
        x += [rows["started"].iloc[0], rows["started"].iloc[-1], None]
        y += [1e3 * rows["level_s"].iloc[0]] * 2 + [None]
    line = {"color": GREY, "width": 5}
    figure.add_scatter(x=x, y=y, mode="lines", name="level", line=line, opacity=0.5, hoverinfo="skip")


def _runs(figure: Figure, rows: pd.DataFrame, name: str, symbol: str) -> None:
    if rows.empty:
        return
    values = [1e3 * latency for latency in rows["latency_s"]]
    bounds = [[None if number(end) is None else 1e3 * end for end in (row.low, row.high)] for row in each(rows)]
    figure.add_scatter(
        x=rows["started"].tolist(),
        y=values,
        mode="markers",
        name=name,
        customdata=[_hover(row) for row in each(rows)],
        hovertemplate="%{customdata}<extra></extra>",
        error_y={**whiskers(values, bounds), "color": BLUE},
        marker={"color": BLUE, "symbol": symbol, "size": 8, "line": {"width": 2, "color": BLUE}},
    )


def _mark(figure: Figure, row: RunView) -> None:
    """Mark a change with a line at the first run of the new level and its ratio."""
    color = VERMILLION if row.change > 1 else INDIGO
    axes = {"xref": "x", "yref": "paper"}
    line = {"color": color, "width": 1.6, "dash": "dash"}
    figure.add_shape(type="line", x0=row.started, x1=row.started, y0=0, y1=1, line=line, layer="below", **axes)
    figure.add_annotation(
        x=row.started,
        y=1,
        text=f"<b>{label(quantity(row.change, TIMES, row.change_low, row.change_high))}</b>",
        hovertext=_changed(row),
        showarrow=False,
        xanchor="left",
        yanchor="top",
        font={"color": color},
        **axes,
    )


def _hover(row: RunView) -> str:
    lines = [f"<b>{label(row.run)}</b>", label(row.started.replace("T", " ").replace("Z", " UTC"))]
    if isinstance(row.commit, str):
        lines.append(label(f"commit {row.commit}"))
    if number(row.latency_s) is None:
        return "<br>".join([*lines, label(f"{row.status}: {row.cause}")])
    lines.append(f"{quantity(row.latency_s, 's', row.low, row.high)} a step {spread(row.latency_s, row.low, row.high)}")
    if isinstance(row.noisy, str):
        lines.append(label(f"signs of noise: {row.noisy}"))
    return "<br>".join([*lines, _changed(row)] if number(row.change) is not None else lines)


def _changed(row: RunView) -> str:
    """Return what changed at a row, a line each, as Plotly's pseudo-HTML."""
    within = f"{row.change_low:.3f} to {row.change_high:.3f}"
    return "<br>".join([f"new level: {within} times the old one", *map(label, _environment(row, _MOST))])


def _environment(row: RunView, most: int) -> list[str]:
    """Return the first changes of the environment, cut to a length that a line has room for."""
    parts = row.environment.split("; ")
    first = [part if len(part) <= _LONGEST else f"{part[:_LONGEST]}…" for part in parts[:most]]
    return first if len(parts) <= most else [*first, f"and {len(parts) - most} more"]
