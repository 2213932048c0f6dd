"""The metrics, declared once: name, unit, direction, labels, bounds, and where people see them.

To add a metric, add its line here and the code that produces its value: a field of `results.schema.lines.record.Facts`
that the worker fills, or a computation in `results.metrics.values`.
"""

import dataclasses
from typing import Any, Final, Literal

from results.schema.axes import baseline_text

Better = Literal["higher", "lower"]
Combine = Literal["geometric", "paired", "median", "known", "max", "worst", "same", "run"]
Table = Literal["cases", "models"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric: its name, unit, direction of improvement, and texts."""

    name: str
    unit: str
    """One of `results.schema.units.UNITS`."""
    better: Better | None
    """Direction of improvement, None where neither is."""
    label: str
    """Name for people, on an axis or in a sentence."""
    description: str
    combine: Combine
    """Combination of the values of replicates. ``geometric``: mean of times and rates that have an interval across
    replicates; ``paired``: the same for ratios, over the replicates that have both times; ``median``: of other times;
    ``known``: median of the values that are not null; ``max``: of peaks and counts; ``worst``: maximum of the values
    that are not null; ``same``: static cost, equal in all replicates; ``run``: the value needs other cases of the run,
    and `results.metrics.table` computes it."""
    whole: bool = False
    """Whether every value is a whole number."""
    bounds: tuple[str, str] | None = None
    """Columns of the ends of its 95 % interval."""
    heading: str = ""
    """Head of its column on the page; the label where it is empty."""
    tables: frozenset[Table] = frozenset()
    """Tables of the page that show it: all ``cases``, all ``models``."""
    terminal: tuple[float, str] | None = None
    """Factor and head of its column in a terminal; None leaves it out."""


_CASES: Final[frozenset[Table]] = frozenset({"cases"})
_MODELS: Final[frozenset[Table]] = frozenset({"models"})


def _time(name: str, label: str, description: str, **more: Any) -> Metric:
    more = {"combine": "median"} | more
    return Metric(name=name, unit="s", better="lower", label=label, description=description, **more)


def _steps(name: str, label: str, description: str, **more: Any) -> Metric:
    return Metric(name=name, unit="1", better="lower", label=label, description=description, combine="run", **more)


def _peak(name: str, label: str, description: str, **more: Any) -> Metric:
    return Metric(
        name=name, unit="B", better="lower", label=label, description=description, combine="max", whole=True, **more
    )


def _count(name: str, label: str, description: str, better: Better | None = "lower", **more: Any) -> Metric:
    return Metric(
        name=name, unit="1", better=better, label=label, description=description, combine="max", whole=True, **more
    )


def _cost(name: str, unit: str, label: str, description: str, **more: Any) -> Metric:
    usual: dict[str, Any] = {"better": "lower", "whole": True, "tables": _MODELS}
    more = usual | more
    return Metric(name=name, unit=unit, label=label, description=description, combine="same", **more)


TIMED: Final = (
    Metric(
        name="latency_s",
        unit="s",
        better="lower",
        label="latency",
        description="median of the steady steps, each of a whole batch",
        combine="geometric",
        bounds=("latency_low_s", "latency_high_s"),
        tables=_CASES,
        terminal=(1e3, "ms"),
    ),
    _time(
        "latency_p50_s",
        "p50 latency",
        "median steady step; null where too few independent steps bound it (correlated steps count less)",
        heading="p50",
        tables=_CASES,
    ),
    _time(
        "latency_p90_s",
        "p90 latency",
        "9 in 10 steady steps take at most this long; null as for p50",
        heading="p90",
        tables=_CASES,
    ),
    _time(
        "latency_p95_s",
        "p95 latency",
        "19 in 20 steady steps take at most this long; null as for p50",
        heading="p95",
        tables=_CASES,
    ),
    _time(
        "latency_p99_s",
        "p99 latency",
        "99 in 100 steady steps take at most this long; null as for p50",
        heading="p99",
        tables=_CASES,
    ),
    Metric(
        name="throughput_img_per_s",
        unit="img/s",
        better="higher",
        label="throughput",
        description="images a second: batch size over latency",
        combine="geometric",
        tables=_CASES,
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
        tables=_CASES,
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
        tables=_CASES,
        terminal=(1.0, "relative"),
    ),
    _time(
        "first_step_s",
        "first step",
        "wall time of the very first step, cold compilation included",
        combine="known",
        tables=_CASES,
    ),
    _time(
        "compile_s",
        "compile time",
        "first step of a compiled runtime (with CUDA graphs the first three, which also record them) less as many "
        "median steady steps, from an empty cache: a cold compilation",
        combine="known",
        heading="compile",
        tables=_CASES,
    ),
    _time(
        "warm_compile_s",
        "warm compile time",
        "the same in later processes, which read the artefacts of the cold compilation",
        combine="known",
        heading="warm compile",
        tables=_CASES,
    ),
    _time(
        "sustained_s",
        "sustained step",
        "accelerator: mean step of a case that steps without a pause while others are idle, the first half left out",
        combine="known",
        heading="sustained",
        tables=_CASES,
        terminal=(1e3, "sustained ms"),
    ),
    _time("mark_s", "time of a mark", "accelerator: an event that stands between steps, by the device or the host"),
    _count("warmup_steps", "warm-up steps", "recorded steps before the series became steady", better=None),
    _count("graph_breaks", "graph breaks", "points at which the compiled code returns to Python", tables=_CASES),
    _count("recompiles", "recompilations", "compilations after the first step, inside the timed ones", tables=_CASES),
    _peak(
        "peak_resident_bytes",
        "peak resident",
        "CPU: peak resident size of the worker above its start",
        tables=_CASES,
        terminal=(1e-9, "GB resident"),
    ),
    _peak(
        "peak_allocated_bytes",
        "peak allocated",
        "accelerator: peak of the bytes that tensors occupied after the first step",
        tables=_CASES,
        terminal=(1e-9, "GB allocated"),
    ),
    _peak(
        "peak_prepare_bytes",
        "peak of preparation",
        "accelerator: the same up to the end of the first step, in which compilers and libraries try algorithms",
    ),
    _peak("peak_reserved_bytes", "peak reserved", "accelerator: peak of the bytes the allocator held"),
    Metric(
        name="flops_per_s",
        unit="FLOP/s",
        better="higher",
        label="achieved rate",
        description="FLOPs of the batch (2 per MAC of convolution and linear layers) over latency",
        combine="geometric",
        heading="achieved",
        tables=_CASES,
        terminal=(1e-9, "GFLOP/s"),
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
        combine="worst",
        heading="error",
        tables=_CASES,
    ),
)
RUN: Final = (
    _steps(
        "break_even_steps",
        "break-even",
        "steps after which a cold compilation has saved its own time; null with the reason 'never' where it does not",
        heading="compiling pays after",
        bounds=("break_even_low", "break_even_high"),
        tables=_CASES,
    ),
    _steps("warm_break_even_steps", "warm break-even", "the same for a warm compilation"),
)
STATIC: Final = (
    _cost("parameters", "1", "parameters", "elements of all parameters"),
    _cost("trainable_parameters", "1", "trainable parameters", "elements of trained ones", tables=frozenset()),
    _cost(
        "buffers",
        "1",
        "buffers",
        "elements of the buffers, such as running statistics",
        tables=frozenset(),
    ),
    _cost(
        "model_bytes",
        "B",
        "model size",
        "bytes of parameters and buffers at the case's precision",
        heading="weights",
    ),
    _cost("macs", "MAC", "MACs", "multiply-adds of convolution and linear layers for one image"),
    _cost("flops", "FLOP", "FLOPs", "2 per MAC, for one image forward"),
    _cost("training_flops", "FLOP", "training FLOPs", "forward and backward for one image"),
    _cost(
        "fvcore_macs",
        "MAC",
        "fvcore total",
        "fvcore's own total: multiply-adds, with batch norm and pooling",
        heading="fvcore's total",
    ),
    _cost("activations", "1", "activations", "elements that convolution and linear layers put out for one image"),
    _cost(
        "arithmetic_intensity",
        "FLOP/B",
        "arithmetic intensity",
        "FLOPs a byte moved, fp32 at batch 1",
        better=None,
        whole=False,
        heading="intensity",
    ),
    _cost(
        "imagenet_top1",
        "1",
        "ImageNet top-1",
        "published ImageNet-1k accuracy, a fraction",
        better="higher",
        whole=False,
        heading="top-1",
        tables=_CASES | _MODELS,
    ),
)

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in (*TIMED, *RUN, *STATIC)}
"""Every metric by name, in the order in which tables show them."""

BOUNDS: Final = {end: metric.unit for metric in METRICS.values() for end in metric.bounds or ()}
"""Columns of the ends of 95 % intervals, with their units."""
