"""The values of the metrics for one record.

A value that cannot be had is None, and `Measured.nulls` says why. Nothing is rounded here.
"""

import dataclasses
import statistics
from typing import Final

from results import stats
from results.catalogue import METRICS, RUN, STATIC, TIMED
from results.precisions import PROMISES
from results.schema import Arm, Equality, Facts, Record, Samples, Static, Summary

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


def measure(record: Record, static: Static | None, arm: Arm | None = None) -> Measured:
    """Return every metric of `record`.

    Args:
        record: one case in one process.
        static: the cost of its model, None where it is not known.
        arm: the arm of an A/B comparison that its run is, None where it is none.
    """
    if record.summary is not None:
        return _of_summary(record, record.summary)
    values: dict[str, float | int | None] = dict.fromkeys(METRICS)
    nulls: dict[str, str] = dict.fromkeys(
        (metric.name for metric in RUN), "only a compiled case whose run holds it eager has one"
    )
    intervals: dict[str, stats.Interval] = {}
    _add_static(record, static, values, nulls)
    samples = record.samples
    if record.status != "ok" or samples is None or samples.warmup >= len(samples.step_s):
        why = f"{record.status}: {record.cause or 'no cause given'}"
        if record.status == "ok":
            why = "no steady step was measured"
        nulls.update({metric.name: why for metric in TIMED})
    else:
        _add_latency(record, samples, values, nulls, intervals)
        _add_speedup(record, samples, arm, values, nulls, intervals)
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
    if record.equality is not None and record.equality.error is not None:
        values["equality_error"] = record.equality.error
        nulls.pop("equality_error", None)
    else:
        unchecked = record.nulls.get("equality") or nulls.get("equality_error", "not checked")
        nulls["equality_error"] = unchecked if record.equality is None else f"{record.equality.what} is not finite"
    return Measured(metrics=values, nulls=nulls, intervals=intervals)


def _of_summary(record: Record, summary: Summary) -> Measured:
    values: dict[str, float | int | None] = {name: summary.metrics.get(name) for name in METRICS}
    silent = {name: "its source does not tell" for name, value in values.items() if value is None}
    return Measured(metrics=values, nulls=silent | record.nulls, intervals={})


def _add_static(
    record: Record, static: Static | None, values: dict[str, float | int | None], nulls: dict[str, str]
) -> None:
    for metric in STATIC:
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
    arm: Arm | None,
    values: dict[str, float | int | None],
    nulls: dict[str, str],
    intervals: dict[str, stats.Interval],
) -> None:
    if arm is not None or samples.arm_s:
        nulls["speedup"] = "an arm of an A/B comparison ran beside the other arm, and not beside a baseline"
        return
    if record.equality is not None and record.equality.verdict == "wrong":
        nulls["speedup"] = f"its result is wrong: {error_text(record.equality)}"
        return
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


def error_text(equality: Equality) -> str:
    """Return what differs, by how much, and what is allowed."""
    error = "not finite" if equality.error is None else f"{equality.error:.2g}"
    return f"{equality.what}, error {error} where {equality.allowed:.2g} is allowed"


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
