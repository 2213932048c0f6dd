"""What a larger batch brings, and what memory it takes."""

from collections.abc import Callable
from typing import Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.figures.chart import Chapter, Chart, sound
from reports.style.axes import log_axis
from reports.style.drawing import STANDARD, blank, hover
from reports.style.rows import each
from reports.style.theme import FAMILIES, family_style, label
from reports.style.units import quantity
from reports.style.views import CONTEXT

KNEE: Final = 0.9
"""Share of the highest throughput that the batch at the knee reaches: the next larger batch brings little more."""
_OTHERS: Final = tuple(name for name in CONTEXT if name != "batch_size")


def _series(*columns: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what keeps the cases of models with two batches or more that are equal in all else."""
    valued = sound(*columns)

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        cases = valued(frame)
        if cases.empty:
            return cases
        batches = cases.groupby(["model", *_OTHERS], dropna=False)["batch_size"].transform("nunique")
        return cases[batches.gt(1)]

    return rows


def knee(rows: pd.DataFrame) -> int:
    """Return the smallest batch of a model with `KNEE` of its highest throughput."""
    best = rows["throughput_img_per_s"].max()
    return int(rows.loc[rows["throughput_img_per_s"].ge(KNEE * best), "batch_size"].min())


def _lines(frame: pd.DataFrame, column: str, scale: float, title: str) -> Figure:
    figure = blank(
        STANDARD,
        xaxis=log_axis(frame["batch_size"].tolist(), title={"text": "images in a batch"}),
        yaxis={"title": {"text": title}, "rangemode": "tozero"},
    )
    for model, rows in frame.sort_values("batch_size").groupby("model", sort=False):
        style = family_style(next(each(rows)).family)
        figure.add_scatter(
            x=rows["batch_size"].tolist(),
            y=[value * scale for value in rows[column]],
            name=label(model),
            mode="lines+markers",
            customdata=[hover(row) for row in each(rows)],
            hovertemplate="%{customdata}<extra></extra>",
            meta={"rows": rows["row"].tolist()},
            zorder=int(str(next(each(rows)).family) in FAMILIES),
            line={"color": style.color, "dash": style.dash},
            marker={"symbol": style.symbol, "size": 9, "color": style.color},
        )
    return figure


def throughput_by_batch(frame: pd.DataFrame) -> Figure:
    """Draw images a second over the batch, a line a model."""
    return _lines(frame, "throughput_img_per_s", 1.0, "images a second")


def memory_by_batch(frame: pd.DataFrame) -> Figure:
    """Draw the peak of memory in MB over the batch, a line a model."""
    return _lines(frame, "peak_bytes", 1e-6, "peak memory (MB)")


def _by_model(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(model), rows) for model, rows in frame.groupby("model", sort=False)]


def _of_throughput(frame: pd.DataFrame) -> str:
    """Return the sentence on the knee of the model that gains most from its batch."""
    gains = {}
    for model, rows in _by_model(frame):
        rates = rows.sort_values("batch_size")["throughput_img_per_s"]
        gains[model] = rates.max() / rates.iloc[0]
    model = max(gains, key=gains.__getitem__)
    rows = frame[frame["model"] == model]
    least, batch = int(rows["batch_size"].min()), knee(rows)
    if batch == least:
        return f"A larger batch than {least} brings no model more than a tenth: {model} gains {gains[model] - 1:.0%}."
    return (
        f"{model} gains most, {gains[model]:.2f} times the throughput of batch {least}; its knee is batch {batch}: "
        "a larger batch brings at most a tenth."
    )


def _of_memory(frame: pd.DataFrame) -> str:
    """Return the sentence on the bytes of a further image of the hungriest model."""
    growth = {}
    for model, rows in _by_model(frame):
        ordered = rows.sort_values("batch_size")
        images = int(ordered["batch_size"].iloc[-1] - ordered["batch_size"].iloc[0])
        growth[model] = (ordered["peak_bytes"].iloc[-1] - ordered["peak_bytes"].iloc[0]) / max(1, images)
    model = max(growth, key=growth.__getitem__)
    if growth[model] <= 0:
        return f"Memory does not grow with the batch of {model} here."
    return f"Each further image takes {model} about {quantity(growth[model], 'B')}."


CHAPTER: Final = Chapter(
    title="Batch size",
    lead="How much a larger batch brings, where it stops to bring more, and what memory it takes.",
    charts={
        "batch_throughput": Chart(
            title="Throughput against batch size",
            definition=(
                "Images a second over the images of a step, on a logarithmic scale. The knee of a model is its "
                "smallest batch with nine tenths of its highest throughput."
            ),
            absent="no model was timed with two batches that are equal in all else",
            rows=_series("throughput_img_per_s"),
            by=_OTHERS,
            draw=throughput_by_batch,
            takeaway=_of_throughput,
            columns=("model", *CONTEXT, "throughput_img_per_s", "latency_s"),
        ),
        "batch_memory": Chart(
            title="Peak memory against batch size",
            definition=(
                "Peak resident size of the process above its start on a CPU, bytes that tensors occupied on an "
                "accelerator, over the images of a step."
            ),
            absent="no model has a measured peak of memory with two batches that are equal in all else",
            rows=_series("peak_bytes"),
            by=_OTHERS,
            draw=memory_by_batch,
            takeaway=_of_memory,
            columns=("model", *CONTEXT, "peak_bytes"),
        ),
    },
)
