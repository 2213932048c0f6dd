"""Throughput of a side over another side, by variant."""

import math
from typing import Final

import numpy as np
import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.chapters.sides.frame import BEST, PairView, work
from reports.style.axes import log_axis
from reports.style.drawing import FRAME_PIXELS, blank, remark, whiskers
from reports.style.rows import each
from reports.style.theme import GREY, family_style, label
from reports.style.units import TIMES, ends, quantity, spread
from results.schema.labels import TASKS

MOST_RELATIVE: Final = 60
"""The most variants of a drawing."""
RELATIVE_ROW_PIXELS: Final = 20


def relative_speeds(frame: pd.DataFrame) -> Figure:
    """Draw the throughput of side b over side a (log), a row a variant and a dot a case, with 95 % intervals.

    Hollow markers are training.
    """
    shown = _farthest(frame)
    models = list(dict.fromkeys(shown["model"]))
    reach = [(row.ratio, *ends(row.ratio, row.ratio_low, row.ratio_high)) for row in each(shown)]
    reached = [end for row in reach for end in row if end]
    figure = blank(
        FRAME_PIXELS + 30 + RELATIVE_ROW_PIXELS * len(models),
        xaxis=log_axis([1.0, *reached], title={"text": f"images a second, b over a ({TIMES})"}),
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [label(model) for model in reversed(models)],
            "tickmode": "linear",
            "dtick": 1,
        },
        shapes=[
            {
                "type": "line",
                "x0": 1,
                "x1": 1,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": GREY, "width": 1.6, "dash": "dot"},
            }
        ],
        margin={"t": 30},
    )
    for family, rows in shown.groupby("family", sort=True):
        _add_family(figure, str(family), rows)
    total = frame["model"].nunique()
    if total > len(models):
        remark(figure, f"the {len(models)} of {total:,} variants that differ most")
    return figure


def _add_family(figure: Figure, family: str, rows: pd.DataFrame) -> None:
    style = family_style(family)
    ratios = rows["ratio"].tolist()
    figure.add_scatter(
        x=ratios,
        y=[label(model) for model in rows["model"]],
        mode="markers",
        name=label(family),
        customdata=[_hover(row) for row in each(rows)],
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "color": style.color,
            "symbol": [style.symbol + ("-open" if TASKS[row.task].trains else "") for row in each(rows)],
            "size": 10,
            "line": {"width": 2, "color": style.color},
        },
        error_x=whiskers(ratios, [(row.ratio_low, row.ratio_high) for row in each(rows)]),
    )


def _farthest(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the cases of the `MOST_RELATIVE` variants that differ most, by the typical ratio of their variant."""
    logs = np.log(frame["ratio"])
    far = logs.abs().groupby(frame["model"]).max().sort_values(ascending=False, kind="stable").head(MOST_RELATIVE)
    shown = frame[frame["model"].isin(far.index)].assign(_log=logs)
    return shown.assign(_typical=shown.groupby("model")["_log"].transform("median")).sort_values(
        ["_typical", "model"], ascending=[False, True], kind="stable"
    )


def _hover(row: PairView) -> str:
    at = [*work(row), row.a_setting]
    lines = [f"<b>{label(row.model)}</b>", label(" · ".join(at))]
    if row.matched == BEST:
        lines.append(label(f"against {row.b_setting}"))
    bounds = (row.ratio_low, row.ratio_high)
    ratio = f"{quantity(row.ratio, TIMES, *bounds)} {spread(row.ratio, *bounds)}"
    return "<br>".join([*lines, f"{ratio} ({label(row.verdict)})"])


def of_relative(frame: pd.DataFrame) -> str:
    """Return the sentence on the typically faster side, the range of ratios, and the number of significant cases."""
    first = next(each(frame))
    ranked = sorted(each(frame), key=lambda row: (row.ratio, row.model))
    low, high = ranked[0], ranked[-1]
    typical = math.exp(frame["ratio"].map(math.log).median())
    said = f"{first.b} does {quantity(typical, TIMES)} the images a second of {first.a}"
    if first.matched == BEST:
        said += ", each in its fastest setting"
    least, most = (quantity(row.ratio, TIMES, row.ratio_low, row.ratio_high) for row in (low, high))
    if least != most:
        said += f", typically: from {least} ({low.model}) to {most} ({high.model})"
    without = int(frame["ratio_low"].isna().sum())
    if without == len(frame):
        return f"{said}; none of {len(frame):,} has an interval, so nothing is shown to differ."
    faster, slower = (int(frame["verdict"].eq(word).sum()) for word in ("faster", "slower"))
    return f"{said}. Shown to be faster: {faster:,} of {len(frame):,}; slower: {slower:,}."
