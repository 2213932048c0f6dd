"""The metrics, each declared once: name, unit, direction and label.

What they are for a record is in `results.metrics.values`.
"""

import dataclasses
from typing import Final, Literal

Better = Literal["higher", "lower"]
Combine = Literal["geometric", "median", "max", "same", "run", "known"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One quantity: what it is called, counted in, and which direction is good."""

    name: str
    unit: str
    """SI unit of the stored value, ``1`` for ratios and counts."""
    better: Better | None
    """Direction of improvement, None where neither is."""
    label: str
    """A few words for an axis or a column head."""
    description: str
    combine: Combine
    """One value from replicates: the ``geometric`` mean (what has an interval across them, and what follows from
    it), the ``median`` (other times), the ``max`` (peaks and counts) of all or of those in which it is ``known``, or
    the ``same`` in all (static). What other cases of the ``run`` are needed for is no record's: `results.metrics.table`
    fills it in."""
    whole: bool = False
    """Whether every value is a whole number."""


def _time(name: str, label: str, description: str, *, combine: Combine = "median") -> Metric:
    return Metric(name=name, unit="s", better="lower", label=label, description=description, combine=combine)


def _steps(name: str, label: str, description: str) -> Metric:
    return Metric(name=name, unit="1", better="lower", label=label, description=description, combine="run")


def _peak(name: str, label: str, description: str) -> Metric:
    return Metric(name=name, unit="B", better="lower", label=label, description=description, combine="max", whole=True)


def _count(name: str, label: str, description: str, better: Better | None = "lower") -> Metric:
    return Metric(name=name, unit="1", better=better, label=label, description=description, combine="max", whole=True)


def _cost(
    name: str, unit: str, label: str, description: str, *, better: Better | None = "lower", whole: bool = True
) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        better=better,
        label=label,
        description=description,
        combine="same",
        whole=whole,
    )


TIMED: Final = (
    Metric(
        name="latency_s",
        unit="s",
        better="lower",
        label="latency",
        description="median of the steady steps, each of one whole batch",
        combine="geometric",
    ),
    _time(
        "latency_p50_s",
        "p50 latency",
        "median steady step; null where the steps, worth fewer for being correlated, cannot bound it",
    ),
    _time("latency_p90_s", "p90 latency", "9 in 10 steady steps take at most this long; null as for p50"),
    _time("latency_p95_s", "p95 latency", "19 in 20 steady steps take at most this long; null as for p50"),
    _time("latency_p99_s", "p99 latency", "99 in 100 steady steps take at most this long; null as for p50"),
    Metric(
        name="throughput_img_per_s",
        unit="img/s",
        better="higher",
        label="throughput",
        description="images a second: batch size over latency",
        combine="geometric",
    ),
    Metric(
        name="speedup",
        unit="1",
        better="higher",
        label="speed-up",
        description="time of the baseline (fp32, eager, nchw) over time of the case, in the same rounds",
        combine="geometric",
    ),
    _time("first_step_s", "first step", "wall time of the very first step, compilation included"),
    _time(
        "compile_s",
        "compile time",
        "first step of a compiled runtime less the median steady step, from an empty cache: a cold compilation",
    ),
    _time(
        "warm_compile_s",
        "warm compile time",
        "the same in another fresh process that finds the artefacts of the cold compilation",
        combine="known",
    ),
    _count("warmup_steps", "warm-up steps", "kept steps before the series became steady", better=None),
    _count("graph_breaks", "graph breaks", "places where the compiler gave back to Python"),
    _count("recompiles", "recompilations", "compilations after the first step, inside the timed ones"),
    _peak("peak_resident_bytes", "peak resident", "CPU: peak resident size of the worker above its start"),
    _peak("peak_allocated_bytes", "peak allocated", "accelerator: peak of the bytes that tensors occupied"),
    _peak("peak_reserved_bytes", "peak reserved", "accelerator: peak of the bytes the allocator held"),
    Metric(
        name="flops_per_s",
        unit="FLOP/s",
        better="higher",
        label="achieved rate",
        description="FLOPs of the batch (2 per MAC of convolution and linear layers) over latency",
        combine="geometric",
    ),
    _time("forward_s", "forward", "training: median part of a steady step up to the loss"),
    _time("backward_s", "backward", "training: median part of a steady step in the backward pass"),
    _time("optimizer_s", "optimizer", "training: median part of a steady step in the optimizer"),
    Metric(
        name="equality_error",
        unit="1",
        better="lower",
        label="error of the result",
        description="root mean square against fp64 on the same weights and input, relative to that of the reference",
        combine="known",
    ),
)
RUN: Final = (
    _steps(
        "break_even_steps",
        "break-even",
        "steps after which what a cold compilation takes has been saved; null with the reason 'never' where it is not",
    ),
    _steps("warm_break_even_steps", "warm break-even", "the same for a warm compilation"),
)
STATIC: Final = (
    _cost("parameters", "1", "parameters", "elements of all parameters"),
    _cost("trainable_parameters", "1", "trainable parameters", "elements of those that are trained"),
    _cost("buffers", "1", "buffers", "elements of the buffers, such as running statistics"),
    _cost("model_bytes", "B", "model size", "bytes of parameters and buffers at the case's precision"),
    _cost("macs", "MAC", "MACs", "multiply-adds of convolution and linear layers for one image"),
    _cost("flops", "FLOP", "FLOPs", "2 per MAC, for one image forward"),
    _cost("training_flops", "FLOP", "training FLOPs", "forward and backward for one image"),
    _cost("fvcore_macs", "MAC", "fvcore total", "fvcore's own total: multiply-adds, with batch norm and pooling"),
    _cost("activations", "1", "activations", "elements that convolution and linear layers put out for one image"),
    _cost(
        "arithmetic_intensity",
        "FLOP/B",
        "arithmetic intensity",
        "FLOPs a byte moved, fp32 at batch 1",
        better=None,
        whole=False,
    ),
    _cost(
        "imagenet_top1",
        "1",
        "ImageNet top-1",
        "published ImageNet-1k accuracy, a fraction",
        better="higher",
        whole=False,
    ),
)

BOUNDS: Final = {
    "latency_low_s": "s",
    "latency_high_s": "s",
    "speedup_low": "1",
    "speedup_high": "1",
    "break_even_low": "1",
    "break_even_high": "1",
}
"""Columns of 95 % intervals, with their units."""

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in (*TIMED, *RUN, *STATIC)}
"""Every metric by name, in the order in which tables show them."""
