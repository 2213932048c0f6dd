"""What gradient checkpointing and other optimizers cost in time and save in memory."""

from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.chart import Chapter, Chart, sound
from reports.style.columns import Column, amount
from reports.style.drawing import STANDARD, blank, hover
from reports.style.rows import each
from reports.style.theme import GREY, family_style, label
from reports.style.views import CONDITIONS, CONTEXT

_CHANGES: Final = ("grad_checkpointing", "optimizer")
_OTHERS: Final = tuple(name for name in CONTEXT if name not in _CHANGES)
_OWN: Final[dict[str, Column]] = {
    "time_ratio": amount("time", "time_ratio", "1"),
    "memory_ratio": amount("memory", "memory_ratio", "1"),
}


def _paired(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the training cases with a change, each with its time and peak over those of the case without."""
    cases = sound("latency_s", "peak_bytes", trains=True)(frame)
    if cases.empty:
        return cases.assign(time_ratio=[], memory_ratio=[])
    usual = cases["grad_checkpointing"].eq("none") & cases["optimizer"].eq("sgd")
    keys = ["model", *_OTHERS]
    twins = cases[usual].drop_duplicates(keys)[[*keys, "latency_s", "peak_bytes"]]
    pairs = cases[~usual].merge(twins, on=keys, suffixes=("", "_usual"))
    return pairs.assign(
        time_ratio=pairs["latency_s"] / pairs["latency_s_usual"],
        memory_ratio=pairs["peak_bytes"] / pairs["peak_bytes_usual"],
    )


def _change(row: object) -> str:
    """Return what a case changes: ``checkpoints of stages``, ``adamw``."""
    checkpoints, optimizer = (getattr(row, name) for name in _CHANGES)
    parts = [f"checkpoints of {checkpoints}"] if checkpoints != "none" else []
    return ", ".join([*parts, *([optimizer] if optimizer != "sgd" else [])])


def savings(frame: pd.DataFrame) -> Figure:
    """Draw each change as a point: time over the usual time, memory over the usual memory."""
    figure = blank(
        STANDARD,
        xaxis={"title": {"text": "time of a step over that without the change"}},
        yaxis={"title": {"text": "peak memory over that without the change"}, "rangemode": "tozero"},
    )
    for model, rows in frame.groupby("model", sort=False):
        style = family_style(next(each(rows)).family)
        figure.add_scatter(
            x=rows["time_ratio"].tolist(),
            y=rows["memory_ratio"].tolist(),
            name=label(model),
            mode="markers+text",
            text=[label(_change(row)) for row in each(rows)],
            textposition="top center",
            customdata=[f"{hover(row)}<br>{label(_change(row))}" for row in each(rows)],
            hovertemplate="%{customdata}<extra></extra>",
            meta={"rows": rows["row"].tolist()},
            marker={"color": style.color, "symbol": style.symbol, "size": 10},
            cliponaxis=False,
        )
    figure.add_vline(x=1, line={"color": GREY, "dash": "dot", "width": 1})
    figure.add_hline(y=1, line={"color": GREY, "dash": "dot", "width": 1})
    return figure


def _of_savings(frame: pd.DataFrame) -> str:
    """Return the sentence on the change that saves most memory, and on its price."""
    least = next(each(frame.sort_values("memory_ratio").head(1)))
    memory, time = least.memory_ratio - 1, least.time_ratio - 1
    if memory >= 0:
        return "No change here saves memory."
    more = f"{abs(time):.0%} {'more' if time >= 0 else 'less'} time"
    return f"{_change(least)} saves {least.model} most: {abs(memory):.0%} of its peak, for {more} a step."


CHAPTER: Final = Chapter(
    title="Memory for time",
    lead="What gradient checkpointing and the choice of the optimizer change in time and memory of a training step.",
    charts={
        "savings": Chart(
            title="Checkpointing and optimizers",
            definition=(
                "Each point is a training case, against the case that is equal but has no checkpoints and SGD with "
                "momentum: time of a step to the right, peak memory upwards, both over those of that case."
            ),
            absent="no training case has checkpoints or another optimizer, beside the case without",
            rows=_paired,
            by=_OTHERS,
            draw=savings,
            takeaway=_of_savings,
            columns=("model", *CONDITIONS, *_CHANGES, "time_ratio", "memory_ratio", "latency_s", "peak_bytes"),
            own=_OWN,
            least=1,
        ),
    },
)
