"""Changes of the order of variants between two sides."""

import dataclasses
import itertools
import math
from typing import Any, Final

import numpy as np
import pandas as pd
from plotly.graph_objs._figure import Figure
from scipy.stats import kendalltau

from reports.chapters.sides.frame import BEST, PairView, work
from reports.style.drawing import FRAME_PIXELS, blank
from reports.style.rows import each
from reports.style.theme import BLUE, GREY, INDIGO, OCHRE, VERMILLION, label
from reports.style.units import TIMES, quantity
from reports.style.views import IMAGE_WORK, TRAINING, axis_text
from reports.style.words import MARGIN_TEXT, plural
from results.schema.axes import BASELINE, SETTINGS, setting_texts
from results.statistics.margin import MARGIN

MOST_ORDERED: Final = 40
"""The most variants of a drawing."""
ORDER_ROW_PIXELS: Final = 20
COLOURED: Final = 8
"""The most variants in colour."""
STYLES: Final = ((VERMILLION, "solid"), (BLUE, "dash"), (INDIGO, "dot"), (OCHRE, "dashdot"))
"""Colours of the lines of variants that swap."""

_SHARED: Final = (*IMAGE_WORK, *SETTINGS)
"""Axes on which all variants of an order are equal."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Two variants that swap ranks: `first` is faster on side a, `second` on side b, by more than chance."""

    first: int
    second: int
    """The position of each in the frame."""
    lead: float
    """Throughput of `first` over `second` on side a, above 1."""
    lag: float
    """Throughput of `first` over `second` on side b, below 1."""


def in_one_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Select for each pair the cases of the setting with the most variants, so that a single order exists.

    The batch size may differ between variants, where the runs hold a single batch size for each.
    """
    ordered = [_one_setting(rows) for _, rows in frame[frame["ratio"].notna()].groupby("pair", sort=False)]
    if not ordered:
        return frame.iloc[:0]
    return pd.concat(ordered)


def _one_setting(rows: pd.DataFrame) -> pd.DataFrame:
    chosen = _largest(rows, list(_SHARED))
    if chosen["model"].duplicated().any():
        chosen = _largest(chosen, ["batch_size"])
    return chosen.drop_duplicates("model")  # of several threads


def _largest(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the group with the most variants; ties prefer inference to training, and fp32 to other precisions."""
    groups = [group for _, group in rows.groupby(keys, sort=True, dropna=False)]

    def rank(group: pd.DataFrame) -> tuple[int, bool, int]:
        first = group.iloc[0]
        usual = sum(first[axis] == value for axis, value in BASELINE.items())
        return group["model"].nunique(), first["task"] not in TRAINING, usual

    return max(groups, key=rank)


def swaps(frame: pd.DataFrame) -> list[Swap]:
    """Return the pairs of variants that swap ranks, the clearest first.

    Both leads must be beyond chance: larger than the half-widths of both intervals, added in squares, and than the
    margin, which alone decides where a side has no interval.
    """
    gaps, sure = [], []
    for side in "ab":
        logs = np.log(frame[f"{side}_throughput"].to_numpy(dtype=float))
        bounds = (frame[f"{side}_{end}"].to_numpy(dtype=float) for end in ("high", "low"))
        high, low = bounds
        halves = np.nan_to_num(np.log(high / low) / 2)
        gap = logs[:, None] - logs[None, :]
        noise = np.maximum(np.hypot(halves[:, None], halves[None, :]), math.log1p(MARGIN))
        gaps.append(gap)
        sure.append(np.abs(gap) > noise)
    ahead = sure[0] & sure[1] & (gaps[0] > 0) & (gaps[1] < 0)
    clear = np.minimum(gaps[0], -gaps[1])
    firsts, seconds = np.nonzero(ahead)
    order = np.argsort(-clear[firsts, seconds], kind="stable")
    return [
        Swap(
            first=int(first),
            second=int(second),
            lead=float(np.exp(gaps[0][first, second])),
            lag=float(np.exp(gaps[1][first, second])),
        )
        for first, second in zip(firsts[order], seconds[order], strict=True)
    ]


def orders(frame: pd.DataFrame) -> Figure:
    """Draw the ranks by throughput on both sides, a line a variant, with the clearest swaps in colour."""
    moved = _moved(swaps(frame))
    shown = frame.iloc[_shown(frame, moved)]
    names = {frame["model"].iloc[index] for index in moved}
    ranks = [shown[f"{side}_throughput"].rank(ascending=False, method="first").tolist() for side in "ab"]
    first = next(each(shown))
    figure = blank(
        FRAME_PIXELS + ORDER_ROW_PIXELS * len(shown),
        meta={"min_width": 560, "max_width": 1000},
        xaxis={
            "range": [-0.8, 1.8],
            "tickvals": [0, 1],
            "ticktext": [f"<b>{label(side)}</b>" for side in (first.a, first.b)],
            "side": "top",
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
        },
        yaxis={"range": [len(shown) + 0.6, 0.4], "visible": False},
        showlegend=False,
        margin={"b": 32},
    )
    lines = list(zip(each(shown), *ranks, strict=True))
    _add(figure, [line for line in lines if line[0].model not in names], {"color": GREY, "width": 1}, "circle-open")
    coloured = (line for line in lines if line[0].model in names)
    for line, (color, dash) in zip(coloured, itertools.cycle(STYLES), strict=False):
        _add(figure, [line], {"color": color, "dash": dash, "width": 2.4}, "circle", bold=True)
    if len(shown) < len(frame):
        figure.add_annotation(
            text=f"{len(shown)} of {len(frame):,} variants: the clearest swaps, and others evenly over the ranks",
            xref="paper",
            yref="paper",
            x=0.5,
            y=0,
            xanchor="center",
            yanchor="top",
            yshift=-4,
            showarrow=False,
        )
    return figure


def _add(
    figure: Figure, lines: list[tuple[Any, float, float]], look: dict[str, Any], symbol: str, *, bold: bool = False
) -> None:
    """Add a trace of `lines`: rows of the frame with their ranks on both sides."""
    if not lines:
        return
    figure.add_scatter(
        x=[x for _ in lines for x in (0, 1, None)],
        y=[y for _, before, after in lines for y in (before, after, None)],
        mode="lines+markers+text",
        line=look,
        marker={"size": 7, "color": look["color"], "symbol": symbol},
        text=[text for row, _, _ in lines for text in (_end(row, "a", bold=bold), _end(row, "b", bold=bold), "")],
        textposition=["middle left", "middle right", "middle right"] * len(lines),
        textfont={"size": 11},
        customdata=[word for row, _, _ in lines for word in [_hover(row)] * 3],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _moved(clearest: list[Swap]) -> list[int]:
    """Return the positions of the variants of the clearest swaps."""
    return list(dict.fromkeys(index for swap in clearest for index in (swap.first, swap.second)))[:COLOURED]


def _shown(frame: pd.DataFrame, moved: list[int]) -> list[int]:
    """Return the positions of the drawn variants: of many, the moved variants and others evenly over the ranks."""
    order = frame["a_throughput"].reset_index(drop=True).sort_values(ascending=False, kind="stable").index
    others = [int(index) for index in order if index not in moved]
    room = MOST_ORDERED - len(moved)
    if len(others) > room:
        others = [others[round(step * (len(others) - 1) / (room - 1))] for step in range(room)]
    return [*others, *moved]  # coloured lines lie on top


def _end(row: PairView, side: str, *, bold: bool) -> str:
    low, high = getattr(row, f"{side}_low"), getattr(row, f"{side}_high")
    speed = quantity(getattr(row, f"{side}_throughput"), "img/s", low, high)
    name = f"<b>{label(row.model)}</b>" if bold else label(row.model)
    return f"{name}  {speed}  " if side == "a" else f"  {speed}  {name}"


def _hover(row: PairView) -> str:
    at = label(" · ".join([*work(row), row.a_setting]))
    against = f"<br>against {label(row.b_setting)}" if row.matched == BEST else ""
    return f"<b>{label(row.model)}</b><br>{at}{against}"


def of_orders(frame: pd.DataFrame) -> str:
    """Return the sentence on the similarity of both orders (Kendall's tau-b), the setting, and the clearest swap."""
    first = next(each(frame))
    if len(frame) == 1:
        return f"{first.model} is the only variant that both sides have in one setting."
    tau = float(kendalltau(frame["a_throughput"], frame["b_throughput"]).statistic)
    where = work(first)
    if first.matched == BEST:
        where.append("each in its fastest setting")
    else:
        where += [axis_text("batch_size", first.batch_size)] if len(set(frame["batch_size"])) == 1 else []
        where += setting_texts(first)
    said = f"Kendall's tau of {len(frame):,} variants' order is {tau:.2f} ({' · '.join(where)})"
    clearest = swaps(frame)
    if not clearest:
        return f"{said}: no two variants swap by more than their intervals and {MARGIN_TEXT}."
    most = clearest[0]
    first_model, second_model = frame["model"].iloc[most.first], frame["model"].iloc[most.second]
    return (
        f"{said}: {first_model} is {quantity(most.lead, TIMES)} as fast as {second_model} on {first.a}, "
        f"and {quantity(most.lag, TIMES)} on {first.b}, the clearest of {plural(len(clearest), 'swap')}."
    )
