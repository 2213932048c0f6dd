"""The metrics, each declared once, and their values for one record.

A value that cannot be had is None, and `Measured.nulls` says why. Nothing is rounded here.
"""

import dataclasses
import statistics
from typing import Final, Literal

from results import stats
from results.precisions import PROMISES
from results.schema import Facts, Record, Samples, Static

Better = Literal["higher", "lower"]
Combine = Literal["geometric", "median", "max", "same"]


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
    it), the ``median`` (other times), the ``max`` (peaks and counts), or the ``same`` in all (static)."""
    whole: bool = False
    """Whether every value is a whole number."""


def _time(name: str, label: str, description: str) -> Metric:
    return Metric(name=name, unit="s", better="lower", label=label, description=description, combine="geometric")


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


_TIMED: Final = (
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
    _time("compile_s", "compile time", "first step of a compiled runtime less the median steady step"),
    _count("warmup_steps", "warm-up steps", "kept steps before the series became steady", better=None),
    _count("graph_breaks", "graph breaks", "places where the compiler gave back to Python"),
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
)
_STATIC: Final = (
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

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in (*_TIMED, *_STATIC)}
"""Every metric by name, in the order in which tables show them."""

_QUANTILES: Final = {
    "latency_p50_s": 0.50,
    "latency_p90_s": 0.90,
    "latency_p95_s": 0.95,
    "latency_p99_s": 0.99,
}
_PHASES: Final = ("forward_s", "backward_s", "optimizer_s")
_WEIGHTS: Final = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
"""Names of `Static.model_bytes` by dtype."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The metrics of one record."""

    metrics: dict[str, float | int | None]
    """Values by name, for every one of `METRICS`."""
    nulls: dict[str, str]
    """Why a value is None, for each that is."""
    intervals: dict[str, stats.Interval]
    """95 % intervals within the process, of ``latency_s`` and ``speedup`` where there are turns enough."""


def measure(record: Record, static: Static | None) -> Measured:
    """Return every metric of `record`; `static` is the cost of its model, None where it is not known."""
    values: dict[str, float | int | None] = dict.fromkeys(METRICS)
    nulls: dict[str, str] = {}
    intervals: dict[str, stats.Interval] = {}
    _add_static(record, static, values, nulls)
    samples = record.samples
    if record.status != "ok" or samples is None or samples.warmup >= len(samples.step_s):
        why = f"{record.status}: {record.cause or 'no cause given'}"
        if record.status == "ok":
            why = "no steady step was measured"
        nulls.update({metric.name: why for metric in _TIMED})
    else:
        _add_latency(record, samples, values, nulls, intervals)
        _add_speedup(record, samples, values, nulls, intervals)
        _add_phases(record, samples, values, nulls)
        _add_rate(record, static, values, nulls)
        values["warmup_steps"] = samples.warmup
    # A failed case may still know its peak memory or how long it took to compile.
    for field in dataclasses.fields(Facts):
        value = getattr(record.facts, field.name)
        if value is not None:
            values[field.name] = value
            nulls.pop(field.name, None)
        else:
            nulls[field.name] = record.nulls.get(field.name) or nulls.get(field.name, "not recorded")
    return Measured(metrics=values, nulls=nulls, intervals=intervals)


def _add_static(
    record: Record, static: Static | None, values: dict[str, float | int | None], nulls: dict[str, str]
) -> None:
    for metric in _STATIC:
        if static is None:
            nulls[metric.name] = "the file holds no static cost of this model at this image size"
        elif metric.name == "model_bytes":
            weights = _WEIGHTS[PROMISES[record.case.precision].weights]
            values["model_bytes"] = static.model_bytes.get(weights)
            if values["model_bytes"] is None:
                nulls["model_bytes"] = f"not known for {weights} weights"
        else:
            values[metric.name] = getattr(static, metric.name)
            if values[metric.name] is None:
                nulls[metric.name] = "no published ImageNet weights"


def _add_latency(
    record: Record,
    samples: Samples,
    values: dict[str, float | int | None],
    nulls: dict[str, str],
    intervals: dict[str, stats.Interval],
) -> None:
    steps = samples.step_s[samples.warmup :]
    latency = statistics.median(steps)
    values["latency_s"] = latency
    values["throughput_img_per_s"] = record.case.batch_size / latency
    interval = stats.median_interval(list(turn_medians(samples).values()))
    if interval is not None:
        # Turns weigh alike in the interval and steps alike in the median: its width is kept, around the median.
        low, high = interval.low / interval.value, interval.high / interval.value
        intervals["latency_s"] = stats.Interval(latency, latency * low, latency * high)
    worth = stats.effective(steps)  # neighbouring steps resemble each other, and bound a tail less than others would
    for name, q in _QUANTILES.items():
        bounds = stats.quantile_interval(steps, q, worth)
        if bounds is None:
            nulls[name] = f"{len(steps)} steady steps, worth {worth:.0f} independent ones, are too few to bound it"
        else:
            values[name] = bounds.value


def turn_medians(samples: Samples) -> dict[int, float]:
    """Return the median steady step of each turn in seconds, by the turn's index."""
    turns: dict[int, list[float]] = {}
    for turn, step in zip(samples.turn[samples.warmup :], samples.step_s[samples.warmup :], strict=True):
        turns.setdefault(turn, []).append(step)
    return {turn: statistics.median(steps) for turn, steps in turns.items()}


def _add_speedup(
    record: Record,
    samples: Samples,
    values: dict[str, float | int | None],
    nulls: dict[str, str],
    intervals: dict[str, stats.Interval],
) -> None:
    if record.case == record.case.baseline:
        values["speedup"] = 1.0  # by definition, hence without an interval
        return
    ratios = [
        baseline / own
        for turn, own in turn_medians(samples).items()
        if samples.baseline_s and (baseline := samples.baseline_s[turn]) is not None
    ]
    if not ratios:
        nulls["speedup"] = record.nulls.get("speedup", "no baseline ran beside it in its steady turns")
        return
    values["speedup"] = statistics.median(ratios)
    interval = stats.median_interval(ratios)
    if interval is not None:
        values["speedup"] = interval.value
        intervals["speedup"] = interval


def _add_phases(record: Record, samples: Samples, values: dict[str, float | int | None], nulls: dict[str, str]) -> None:
    for name in _PHASES:
        steps = getattr(samples, name)[samples.warmup :]
        if steps:
            values[name] = statistics.median(steps)
        else:
            training = record.case.task == "training"
            nulls[name] = record.nulls.get(name, "not split" if training else "only training has phases")


def _add_rate(
    record: Record, static: Static | None, values: dict[str, float | int | None], nulls: dict[str, str]
) -> None:
    rate = values["throughput_img_per_s"]
    if static is None or rate is None:
        nulls["flops_per_s"] = "the file holds no static cost of this model at this image size"
    else:
        values["flops_per_s"] = rate * (static.training_flops if record.case.task == "training" else static.flops)
