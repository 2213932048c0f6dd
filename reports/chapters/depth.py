"""The cost of depth, block type and cardinality."""

from typing import Final

import pandas as pd

from reports.figures.bars import memory, memory_range, throughput_range
from reports.figures.chart import MOST_BARS, PEAKS, Chapter, Chart, sound
from reports.figures.points import macs_against_latency, macs_by_depth, memory_by_depth, throughput_by_depth
from reports.style.units import quantity
from reports.style.views import CONTEXT
from reports.style.words import extreme


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep a single row of each model, its images and its head."""
    counted = frame[frame["macs"].gt(0)].dropna(subset=["depth"])
    return counted.drop_duplicates(["model", "image_size", "in_channels", "head"])


def _of_macs(frame: pd.DataFrame) -> str:
    """Return the sentence on the different times of a multiply-add between models."""
    rate = frame.assign(_rate=frame["macs"] * frame["batch_size"] / frame["latency_s"])
    best, worst = extreme(rate, "_rate", largest=True), extreme(rate, "_rate", largest=False)
    top, low = (row.macs * row.batch_size / row.latency_s for row in (best, worst))
    if best.model == worst.model:
        return f"{best.model} does {quantity(top, 'MAC/s')}."
    return (
        f"A multiply-add is not a unit of time: {best.model} does {quantity(top, 'MAC/s')}, "
        f"{worst.model} only {quantity(low, 'MAC/s')}, so equal MACs cost up to {top / low:.2g} times as long."
    )


def _of_counts(frame: pd.DataFrame) -> str:
    """Return the sentence on the models with the most and the least multiply-adds."""
    most, least = extreme(frame, "macs", largest=True), extreme(frame, "macs", largest=False)
    if most.model == least.model:
        return f"{most.model} takes {quantity(most.macs, 'MAC')} an image."
    return (
        f"{most.model} takes {quantity(most.macs, 'MAC')} an image, {most.macs / least.macs:.2g} times as many as "
        f"{least.model} ({quantity(least.macs, 'MAC')})."
    )


CHAPTER: Final = Chapter(
    title="Depths and block types",
    lead="How time and memory grow with depth, block type and cardinality, and why multiply-adds do not predict time.",
    charts={
        "depth": Chart(
            title="Throughput by depth and block type",
            definition=(
                "Images a second over the number of weighted layers, on a logarithmic scale; whiskers are"
                " 95 % intervals. Hollow markers are basic blocks, filled ones bottlenecks. Variants "
                "without a depth, such as VGG, are in the table only."
            ),
            absent="no case of a variant with a depth has a throughput",
            rows=sound("depth", "throughput_img_per_s"),
            by=CONTEXT,
            draw=throughput_by_depth,
            takeaway=throughput_range,
            columns=("model", "family", "block", "depth", *CONTEXT, "throughput_img_per_s"),
        ),
        "depth_memory": Chart(
            title="Peak memory by depth and block type",
            definition=(
                "Peak resident size of the process above its start on a CPU, bytes that tensors occupied on an "
                "accelerator, over the number of weighted layers, on a logarithmic scale."
            ),
            absent="no case of a variant with a depth has a measured peak of memory",
            rows=sound("depth", "peak_bytes"),
            by=CONTEXT,
            draw=memory_by_depth,
            takeaway=memory_range,
            columns=("model", "family", "block", "depth", *CONTEXT, "peak_bytes"),
        ),
        "depth_macs": Chart(
            title="Multiply-adds by depth and block type",
            definition="Multiply-adds of convolution and linear layers, of the forward pass of one image; exact.",
            absent="no variant with a depth has a count of multiply-adds",
            rows=_counted,
            by=("image_size", "in_channels", "head"),
            draw=macs_by_depth,
            takeaway=_of_counts,
            columns=("model", "family", "block", "depth", "image_size", "in_channels", "head", "macs"),
        ),
        "macs": Chart(
            title="Multiply-adds against measured latency",
            definition=(
                "If multiply-adds determined the time, all points would lie on the dashed line, which is the "
                "rate of the best model here. A point above it loses time to what MACs do not count: memory"
                " traffic, small or grouped convolutions, launch overhead. MACs are of the forward pass "
                "in both tasks."
            ),
            absent="no timed case has a count of multiply-adds",
            rows=sound("macs", "latency_s"),
            by=CONTEXT,
            draw=macs_against_latency,
            takeaway=_of_macs,
            columns=("model", *CONTEXT, "macs", "latency_s", "flops_per_s"),
        ),
        "memory": Chart(
            title="Peak memory of inference",
            definition=(
                "On a CPU the peak resident size of the worker process above its size at its start; on an"
                " accelerator the peak of the bytes that tensors occupied. The white diamond is what the "
                "weights and buffers alone take."
            ),
            absent="no inference case has a measured peak of memory",
            rows=sound("peak_bytes", trains=False),
            by=CONTEXT,
            most=MOST_BARS,
            draw=memory,
            takeaway=memory_range,
            columns=PEAKS,
        ),
    },
)
