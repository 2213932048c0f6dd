"""The figures of the page: what each draws, from which rows, and what it means."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from reports import sentences
from reports.bars import cost_by_stage, memory, training_phases
from reports.heatmap import speedups
from reports.points import accuracy_against_throughput, macs_against_latency, throughput_by_depth
from reports.views import AXES, CONDITIONS, View, is_baseline, split

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objs._figure import Figure

ACCURACY_PIXELS: Final = 224
"""Image size at which torchvision's published accuracies of these models hold."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure and its words. `draw` and `takeaway` get the rows of one view."""

    title: str
    definition: str
    absent: str
    """What the page says where there is nothing to draw."""
    rows: Callable[["pd.DataFrame"], "pd.DataFrame"]
    """Selects from the frame what may be drawn, and adds derived columns."""
    by: tuple[str, ...]
    """Columns on which the rows of one view are equal."""
    draw: Callable[["pd.DataFrame"], "Figure"]
    takeaway: Callable[["pd.DataFrame"], str]
    columns: tuple[str, ...]
    """Columns of the figure's data table."""
    least: int = 2
    """Rows below which a view compares nothing."""

    def views(self, frame: "pd.DataFrame") -> tuple[View, ...]:
        """Return the sets of comparable rows, the most telling first; none where there is no data."""
        return split(self.rows(frame), self.by, self.least)


def _with(*columns: str) -> Callable[["pd.DataFrame"], "pd.DataFrame"]:
    """Return what keeps the cases that succeeded and have a value in all `columns`.

    Where only some replicates failed, the others' numbers stand in the table of all cases, with the failure.
    """

    def rows(frame: "pd.DataFrame") -> "pd.DataFrame":
        return frame[frame["status"].eq("ok")].dropna(subset=list(columns))

    return rows


def _groups(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Keep what was tried beside the baseline, whether it worked or not."""
    return frame[~is_baseline(frame) & (frame["speedup"].notna() | frame["status"].ne("ok"))]


def _with_accuracy(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Keep inference at the size at which the accuracy was published, and mark each view's Pareto front."""
    rows = _with("imagenet_top1", "throughput_img_per_s")(frame)
    rows = rows[rows["task"].eq("inference") & rows["image_size"].eq(ACCURACY_PIXELS)]
    if rows.empty:
        return rows.assign(front=False)
    better = rows.sort_values(["throughput_img_per_s", "imagenet_top1"], ascending=False)
    # Down the throughput, a row is on the front when it is more accurate than everything faster.
    before = better.groupby(list(AXES), dropna=False)["imagenet_top1"].transform(
        lambda top1: top1.cummax().shift(fill_value=-1.0)
    )
    return rows.assign(front=(better["imagenet_top1"] > before).reindex(rows.index))


_PUBLISHED: Final = (
    "Accuracy is what torchvision publishes for its best weights of the same architecture (fp32, 224 pixels); "
    "it is not measured here, and other weights of the same variant run equally fast."
)

FIGURES: Final[dict[str, Chart]] = {
    "accuracy": Chart(
        title="Accuracy against throughput",
        definition=(
            "Up and to the right is better. On the Pareto front, nothing is both faster and more "
            f"accurate. {_PUBLISHED}"
        ),
        absent="no inference case at 224 pixels has a variant with a published ImageNet accuracy",
        rows=_with_accuracy,
        by=AXES,
        draw=accuracy_against_throughput,
        takeaway=sentences.fastest,
        columns=("model", *AXES, "throughput_img_per_s", "imagenet_top1"),
    ),
    "depth": Chart(
        title="Throughput by depth and block type",
        definition=(
            "Images a second over the number of weighted layers, on a logarithmic scale; whiskers are"
            " 95 % intervals. Hollow markers are basic blocks, filled ones bottlenecks. Variants "
            "without a depth of their own, such as VGG, stand in the table only."
        ),
        absent="no case of a variant with a depth has a throughput",
        rows=_with("depth", "throughput_img_per_s"),
        by=AXES,
        draw=throughput_by_depth,
        takeaway=sentences.of_depth,
        columns=("model", "family", "block", "depth", *AXES, "throughput_img_per_s"),
    ),
    "speedups": Chart(
        title="Speed-up by precision, runtime and layout",
        definition=(
            "Baseline latency over the case's latency, both timed in turn in the same minutes: 2 is "
            "twice as fast as fp32 · eager · nchw on the same model, batch, device and threads. Blue "
            "is faster, orange slower, grey not told apart from 1 by a 95 % interval; a cross is a "
            "case that failed."
        ),
        absent="only the baseline setting fp32 · eager · nchw was measured",
        rows=_groups,
        by=CONDITIONS,
        draw=speedups,
        takeaway=sentences.of_speedups,
        columns=("model", *AXES, "latency_s", "speedup"),
        least=1,
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
        rows=_with("macs", "latency_s"),
        by=AXES,
        draw=macs_against_latency,
        takeaway=sentences.of_macs,
        columns=("model", *AXES, "macs", "latency_s", "flops_per_s"),
    ),
    "memory": Chart(
        title="Peak memory",
        definition=(
            "On a CPU the peak resident size of the worker process above its size at its start; on an"
            " accelerator the peak of the bytes that tensors occupied. The white diamond is what the "
            "weights and buffers alone take."
        ),
        absent="no case has a measured peak of memory",
        rows=_with("peak_bytes"),
        by=AXES,
        draw=memory,
        takeaway=sentences.of_memory,
        columns=("model", *AXES, "peak_resident_bytes", "peak_allocated_bytes", "model_bytes"),
    ),
    "training": Chart(
        title="Where a training step goes",
        definition=(
            "One step of SGD with momentum: forward pass with cross-entropy, backward pass, "
            "optimizer; medians of the steady steps."
        ),
        absent="no training case has a result",
        rows=_with("forward_s", "backward_s", "optimizer_s"),
        by=AXES,
        draw=training_phases,
        takeaway=sentences.of_phases,
        columns=("model", *AXES, "forward_s", "backward_s", "optimizer_s", "latency_s"),
        least=1,
    ),
}
"""Figures of the cases, drawn from the frame of `results.table`."""

STATIC_FIGURES: Final[dict[str, Chart]] = {
    "stages": Chart(
        title="Cost by stage",
        definition=(
            "The share of each stage in the model's total. The stem is everything before the first "
            "stage, the head everything after the last one. Models that are not built of a ResNet's "
            "stages, such as VGG, are left out."
        ),
        absent="these files hold no static cost of a model with the stages of a ResNet",
        rows=lambda frame: frame,
        by=("quantity", "image_size"),
        draw=cost_by_stage,
        takeaway=sentences.of_stages,
        columns=("model", "image_size", "stage", "quantity", "value"),
        least=1,
    ),
}
"""Figures of the models, drawn from the frame of `reports.static.stages`."""
