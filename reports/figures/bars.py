"""Figures of bars: peak memory, the phases of a training step, the cost of each stage."""

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import CATEGORIES, FRAME_PIXELS, ROW_PIXELS, bars, blank, hover, whiskers
from reports.style.rows import each
from reports.style.theme import PHASES, STAGES, family_style, label
from reports.style.units import quantity
from reports.style.views import throughput_bounds
from reports.style.words import extreme, throughput_text


def memory(frame: pd.DataFrame) -> Figure:
    """Draw bars of peak memory (MB), the largest on top, with the bytes of the weights as a tick."""
    frame = frame.sort_values(["peak_bytes", "model"])
    kind = "allocated" if frame["peak_allocated_bytes"].notna().any() else "resident"
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(frame),
        xaxis={"title": {"text": f"peak {kind} memory (MB)"}, "rangemode": "tozero"},
        yaxis={
            **CATEGORIES,
            "categoryorder": "array",
            "categoryarray": [label(model) for model in frame["model"]],
        },
        barmode="overlay",
    )
    for family, rows in frame.groupby("family", sort=True, dropna=False):
        bars(
            figure,
            family_style(family),
            label(family),
            rows,
            [value / 1e6 for value in rows["peak_bytes"]],
            [f"{hover(row)}<br>peak {quantity(row.peak_bytes, 'B')}" for row in each(rows)],
        )
    weighed = frame[frame["model_bytes"].notna()]
    figure.add_scatter(
        x=[value / 1e6 for value in weighed["model_bytes"]],
        y=[label(model) for model in weighed["model"]],
        mode="markers",
        name="weights alone",
        marker={"symbol": "diamond", "size": 9, "color": "#ffffff", "line": {"width": 1.5, "color": "#1c2128"}},
        hovertemplate="%{y}<br>weights %{x:.1f} MB<extra></extra>",
    )
    return figure


def memory_range(frame: pd.DataFrame) -> str:
    """Return the sentence on the models with the most and the least memory."""
    most, least = extreme(frame, "peak_bytes", largest=True), extreme(frame, "peak_bytes", largest=False)
    if most.model == least.model:
        return f"{most.model} peaks at {quantity(most.peak_bytes, 'B')}."
    return (
        f"{most.model} peaks at {quantity(most.peak_bytes, 'B')}, {least.model} at {quantity(least.peak_bytes, 'B')}."
    )


def throughput(frame: pd.DataFrame) -> Figure:
    """Draw bars of images a second with their 95 % intervals, the fastest on top."""
    frame = frame.sort_values(["throughput_img_per_s", "model"])
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(frame),
        xaxis={"title": {"text": "throughput (images/s)"}, "rangemode": "tozero", "tickformat": ","},
        yaxis={
            **CATEGORIES,
            "categoryorder": "array",
            "categoryarray": [label(model) for model in frame["model"]],
        },
        barmode="overlay",
    )
    for family, rows in frame.groupby("family", sort=True, dropna=False):
        values = rows["throughput_img_per_s"].tolist()
        bars(
            figure,
            family_style(family),
            label(family),
            rows,
            values,
            [hover(row) for row in each(rows)],
            error_x=whiskers(values, [throughput_bounds(row) for row in each(rows)]),
        )
    return figure


def throughput_range(frame: pd.DataFrame) -> str:
    """Return the sentence on the fastest and the slowest model."""
    top = extreme(frame, "throughput_img_per_s", largest=True)
    low = extreme(frame, "throughput_img_per_s", largest=False)
    if top.model == low.model:
        return f"{top.model} does {throughput_text(top)}."
    ratio = top.throughput_img_per_s / low.throughput_img_per_s
    return (
        f"{top.model} is the fastest at {throughput_text(top)}, {ratio:.2g} times {low.model} ({throughput_text(low)})."
    )


def training_phases(frame: pd.DataFrame) -> Figure:
    """Draw each training step (ms) as forward, backward and optimizer, the slowest on top."""
    phases = {phase: f"{phase}_s" for phase in PHASES}
    frame = frame.sort_values(["latency_s", "model"])
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(frame),
        xaxis={"title": {"text": "time of one training step (ms)"}, "rangemode": "tozero"},
        yaxis=CATEGORIES,
        barmode="stack",
        legend={"traceorder": "normal"},
    )
    total = frame[list(phases.values())].sum(axis=1).tolist()
    for phase, column in phases.items():
        shares = [value / whole for value, whole in zip(frame[column], total, strict=True)]
        bars(
            figure,
            PHASES[phase],
            phase,
            frame,
            [1e3 * value for value in frame[column]],
            [
                f"<b>{label(row.model)}</b><br>{phase} {quantity(getattr(row, column), 's')}, {share:.0%}"
                for row, share in zip(each(frame), shares, strict=True)
            ],
        )
    return figure


def cost_by_stage(frame: pd.DataFrame) -> Figure:
    """Draw the share (%) of each stage in a model's cost, of the quantity in column ``quantity``."""
    models = list(dict.fromkeys(frame["model"]))[::-1]
    whole = frame.groupby("model")["value"].sum()
    figure = blank(
        FRAME_PIXELS + ROW_PIXELS * len(models),
        xaxis={"title": {"text": f"share of {frame['quantity'].iloc[0]} (%)"}, "range": [0, 100]},
        yaxis={
            **CATEGORIES,
            "categoryorder": "array",
            "categoryarray": [label(model) for model in models],
        },
        barmode="stack",
        legend={"traceorder": "normal"},
    )
    for stage, style in STAGES.items():
        rows = frame[frame["stage"] == stage]
        if rows.empty:
            continue
        shares = [100 * row.value / whole[row.model] for row in each(rows)]
        words = [
            f"<b>{label(row.model)}</b><br>{stage}: {quantity(row.value, '1')}, {share:.1f} %"
            for row, share in zip(each(rows), shares, strict=True)
        ]
        bars(figure, style, stage, rows, shares, words)
    return figure
