"""What depth, block type and cardinality cost."""

from typing import Final

import pandas as pd

from reports.chapters.chart import MOST_BARS, PEAKS, Chapter, Chart, sound
from reports.figures.bars import memory
from reports.figures.points import macs_against_latency, macs_by_depth, memory_by_depth, throughput_by_depth
from reports.page import sentences
from reports.style.views import AXES


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep a row of each model and image size."""
    return frame[frame["macs"].gt(0)].dropna(subset=["depth"]).drop_duplicates(["model", "image_size"])


CHAPTER: Final = Chapter(
    title="Depths and block types",
    lead="What another layer, another block or another cardinality costs, and why multiply-adds do not tell.",
    charts={
        "depth": Chart(
            title="Throughput by depth and block type",
            definition=(
                "Images a second over the number of weighted layers, on a logarithmic scale; whiskers are"
                " 95 % intervals. Hollow markers are basic blocks, filled ones bottlenecks. Variants "
                "without a depth of their own, such as VGG, stand in the table only."
            ),
            absent="no case of a variant with a depth has a throughput",
            rows=sound("depth", "throughput_img_per_s"),
            by=AXES,
            draw=throughput_by_depth,
            takeaway=sentences.of_depth,
            columns=("model", "family", "block", "depth", *AXES, "throughput_img_per_s"),
        ),
        "depth_memory": Chart(
            title="Peak memory by depth and block type",
            definition=(
                "Peak resident size of the process above its start on a CPU, bytes that tensors occupied on an "
                "accelerator, over the number of weighted layers, on a logarithmic scale."
            ),
            absent="no case of a variant with a depth has a measured peak of memory",
            rows=sound("depth", "peak_bytes"),
            by=AXES,
            draw=memory_by_depth,
            takeaway=sentences.of_memory,
            columns=("model", "family", "block", "depth", *AXES, "peak_bytes"),
        ),
        "depth_macs": Chart(
            title="Multiply-adds by depth and block type",
            definition="Multiply-adds of convolution and linear layers, of the forward pass of one image; exact.",
            absent="no variant with a depth has a count of multiply-adds",
            rows=_counted,
            by=("image_size",),
            draw=macs_by_depth,
            takeaway=sentences.of_counts,
            columns=("model", "family", "block", "depth", "image_size", "macs"),
        ),
        "macs": Chart(
            title="Multiply-adds against measured latency",
            definition=(
                "If multiply-adds told the time, all points would lie on the dashed line, which is the "
                "rate of the best model here. How far a point lies above it is what its MACs hide: memory"
                " traffic, small or grouped convolutions, launch overhead. MACs are of the forward pass "
                "in both tasks."
            ),
            absent="no timed case has a count of multiply-adds",
            rows=sound("macs", "latency_s"),
            by=AXES,
            draw=macs_against_latency,
            takeaway=sentences.of_macs,
            columns=("model", *AXES, "macs", "latency_s", "flops_per_s"),
        ),
        "memory": Chart(
            title="Peak memory of inference",
            definition=(
                "On a CPU the peak resident size of the worker process above its size at its start; on an"
                " accelerator the peak of the bytes that tensors occupied. The white diamond is what the "
                "weights and buffers alone take."
            ),
            absent="no inference case has a measured peak of memory",
            rows=sound("peak_bytes", task="inference"),
            by=AXES,
            most=MOST_BARS,
            draw=memory,
            takeaway=sentences.of_memory,
            columns=PEAKS,
        ),
    },
)
