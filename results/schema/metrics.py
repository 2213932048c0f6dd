"""The metrics, declared once: name, unit, direction, labels, bounds, and where people see them.

To add a metric, add its line here and the code that produces its value: a field of `results.schema.lines.record.Facts`
that the worker fills, or a computation in `results.metrics.values`.
"""

from typing import Final

from results.schema.axes import baseline_text
from results.schema.metric import (
    IN_CASES,
    STATIC,
    Metric,
    count_metric,
    peak_metric,
    steps_metric,
    time_metric,
)

TIMED: Final = (
    Metric(
        name="latency_s",
        unit="s",
        better="lower",
        label="latency",
        description="median of the steady steps, each of a whole batch",
        combine="geometric",
        bounds=("latency_low_s", "latency_high_s"),
        tables=IN_CASES,
        terminal=(1e3, "ms"),
    ),
    time_metric(
        "latency_p50_s",
        "p50 latency",
        "median steady step; null where too few independent steps bound it (correlated steps count less)",
        heading="p50",
        tables=IN_CASES,
    ),
    time_metric(
        "latency_p90_s",
        "p90 latency",
        "9 in 10 steady steps take at most this long; null as for p50",
        heading="p90",
        tables=IN_CASES,
    ),
    time_metric(
        "latency_p95_s",
        "p95 latency",
        "19 in 20 steady steps take at most this long; null as for p50",
        heading="p95",
        tables=IN_CASES,
    ),
    time_metric(
        "latency_p99_s",
        "p99 latency",
        "99 in 100 steady steps take at most this long; null as for p50",
        heading="p99",
        tables=IN_CASES,
    ),
    Metric(
        name="throughput_img_per_s",
        unit="img/s",
        better="higher",
        label="throughput",
        description="images a second: batch size over latency",
        combine="geometric",
        tables=IN_CASES,
        terminal=(1.0, "img/s"),
    ),
    Metric(
        name="speedup",
        unit="1",
        better="higher",
        label="speed-up",
        description=f"time of the baseline ({baseline_text()}) over time of the case, free of their common drift",
        combine="paired",
        bounds=("speedup_low", "speedup_high"),
        tables=IN_CASES,
        terminal=(1.0, "speed-up"),
    ),
    Metric(
        name="relative",
        unit="1",
        better="lower",
        label="relative time",
        description="time of an image over its time in the reference of the run, free of their common drift",
        combine="paired",
        bounds=("relative_low", "relative_high"),
        heading="relative",
        tables=IN_CASES,
        terminal=(1.0, "relative"),
    ),
    time_metric(
        "first_step_s",
        "first step",
        "wall time of the very first step, cold compilation included",
        combine="known",
        tables=IN_CASES,
    ),
    time_metric(
        "compile_s",
        "compile time",
        "first step of a compiled runtime (with CUDA graphs the first three, which also record them) less as many "
        "median steady steps, from an empty cache: a cold compilation",
        combine="known",
        heading="compile",
        tables=IN_CASES,
    ),
    time_metric(
        "warm_compile_s",
        "warm compile time",
        "the same in later processes, which read the artefacts of the cold compilation",
        combine="known",
        heading="warm compile",
        tables=IN_CASES,
    ),
    time_metric("export_s", "export", "preparing: the network becomes a graph, or a file of ONNX", combine="known"),
    time_metric("convert_s", "conversion", "preparing: the graph becomes that of another engine", combine="known"),
    time_metric("build_s", "build", "preparing: the engine chooses kernels and folds weights", combine="known"),
    time_metric("load_s", "loading", "preparing: artefacts are read from a file", combine="known"),
    Metric(
        name="artefact_bytes",
        unit="B",
        better="lower",
        label="artefact size",
        description="file of the prepared network, with its weights",
        combine="known",
    ),
    time_metric(
        "sustained_s",
        "sustained step",
        "mean step of a case that steps without a pause while others are idle, the first half left out",
        combine="known",
        heading="sustained",
        tables=IN_CASES,
        terminal=(1e3, "sustained ms"),
    ),
    Metric(
        name="image_j",
        unit="J",
        better="lower",
        label="energy of an image",
        description="joules of a sustained step over its images, by a real counter, idle power included",
        combine="known",
        heading="J/image",
        tables=IN_CASES,
        terminal=(1.0, "J/image"),
    ),
    Metric(
        name="img_per_j",
        unit="img/J",
        better="higher",
        label="images a joule",
        description="images of a sustained step over its joules",
        combine="known",
        heading="img/J",
        tables=IN_CASES,
    ),
    Metric(
        name="idle_w",
        unit="W",
        better="lower",
        label="idle power",
        description="power of the same counter while all workers are idle",
        combine="known",
    ),
    time_metric(
        "mark_s", "time of a mark", "accelerator: an event that stands between steps, by the device or the host"
    ),
    count_metric("warmup_steps", "warm-up steps", "recorded steps before the series became steady", better=None),
    count_metric(
        "graph_breaks", "graph breaks", "points at which the compiled code returns to Python", tables=IN_CASES
    ),
    count_metric(
        "recompiles", "recompilations", "compilations after the first step, inside the timed ones", tables=IN_CASES
    ),
    peak_metric(
        "peak_resident_bytes",
        "peak resident",
        "CPU: peak resident size of the worker above its start",
        tables=IN_CASES,
        terminal=(1e-9, "GB resident"),
    ),
    peak_metric(
        "peak_allocated_bytes",
        "peak allocated",
        "accelerator: peak of the bytes that tensors occupied after the first step",
        tables=IN_CASES,
        terminal=(1e-9, "GB allocated"),
    ),
    peak_metric(
        "peak_prepare_bytes",
        "peak of preparation",
        "accelerator: the same up to the end of the first step, in which compilers and libraries try algorithms",
    ),
    peak_metric("peak_reserved_bytes", "peak reserved", "accelerator: peak of the bytes the allocator held"),
    Metric(
        name="flops_per_s",
        unit="FLOP/s",
        better="higher",
        label="achieved rate",
        description="FLOPs of the batch (2 per MAC of convolution and linear layers) over latency",
        combine="geometric",
        heading="achieved",
        tables=IN_CASES,
        terminal=(1e-9, "GFLOP/s"),
    ),
    time_metric("forward_s", "forward", "training: median part of a steady step up to the loss"),
    time_metric("backward_s", "backward", "training: median part of a steady step in the backward pass"),
    time_metric("optimizer_s", "optimizer", "training: median part of a steady step in the optimizer"),
    Metric(
        name="equality_error",
        unit="1",
        better="lower",
        label="error of the result",
        description="root mean square against fp64 on the same weights and input, relative to that of the reference",
        combine="worst",
        heading="error",
        tables=IN_CASES,
    ),
    Metric(
        name="agreement",
        unit="1",
        better="higher",
        label="agreement",
        description="int8: share of held-out images whose top class a trained network gives as in fp32",
        combine="known",
        tables=IN_CASES,
    ),
    Metric(
        name="agreement_least",
        unit="1",
        better="higher",
        label="agreement at least",
        description="lower end of its 95 % interval (Wilson 1927)",
        combine="known",
    ),
    Metric(
        name="accuracy_lost",
        unit="1",
        better="lower",
        label="accuracy lost",
        description="int8: accuracy of that network in fp32 less its accuracy in the case",
        combine="known",
        tables=IN_CASES,
    ),
    Metric(
        name="accuracy_lost_most",
        unit="1",
        better="lower",
        label="accuracy lost at most",
        description="upper end of its 95 % interval, from the images on which the two differ (McNemar 1947)",
        combine="known",
    ),
)
RUN: Final = (
    steps_metric(
        "break_even_steps",
        "break-even",
        "steps after which a cold compilation has saved its own time; null with the reason 'never' where it does not",
        heading="compiling pays after",
        bounds=("break_even_low", "break_even_high"),
        tables=IN_CASES,
    ),
    steps_metric("warm_break_even_steps", "warm break-even", "the same for a warm compilation"),
)
METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in (*TIMED, *RUN, *STATIC)}
"""Every metric by name, in the order in which tables show them."""

BOUNDS: Final = {end: metric.unit for metric in METRICS.values() for end in metric.bounds or ()}
"""Columns of the ends of 95 % intervals, with their units."""
