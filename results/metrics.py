"""The values of the metrics for one record.

A value that cannot be had is None, and `Measured.nulls` says why. Nothing is rounded here.
"""

import dataclasses
import operator
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

from results import stats
from results.catalogue import METRICS, RUN, STATIC, TIMED
from results.precisions import PROMISES
from results.schema import Arm, Case, Equality, Facts, Record, Samples, Static, Summary
from results.store import RunFile
from results.timings import Steady, Timing, timings

_PHASES: Final = ("forward_s", "backward_s", "optimizer_s")
_QUANTILES: Final = ("latency_p50_s", "latency_p90_s", "latency_p95_s", "latency_p99_s")
"""Names of `results.timings.QUANTILES`."""
_FACTS: Final = tuple(field.name for field in dataclasses.fields(Facts))
_WEIGHTS: Final = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
"""Names of `Static.model_bytes` by dtype."""
_NO_STATIC: Final = "the file holds no static cost of this model at this image size"

_Values = dict[str, float | int | None]
_NO_VALUES: Final[_Values] = dict.fromkeys(METRICS)
_NO_TWIN: Final = dict.fromkeys(
    (metric.name for metric in RUN), "only a compiled case whose run holds it eager has one"
)
_STATIC: Final = tuple(metric.name for metric in STATIC)
_static: Final = operator.attrgetter(*_STATIC)
_phases: Final = operator.attrgetter(*_PHASES)
_facts: Final = operator.attrgetter(*_FACTS)


class Measured(NamedTuple):
    """The metrics of one record."""

    metrics: _Values
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
    (timing,) = timings([record])
    return _measure(record, timing, _Cost(static, record.case), arm)


def measure_file(file: RunFile, told: Sequence[Timing]) -> dict[int, Measured]:
    """Return `measure` of each record of a run, by the record's identity.

    Args:
        file: the run.
        told: `results.timings.timings` of its records.
    """
    statics = file.static_costs()
    costs: dict[tuple[str, int, str], _Cost] = {}
    found = {}
    for record, timing in zip(file.records, told, strict=True):
        case = record.case
        key = (case.model, case.image_size, case.precision)
        if key not in costs:
            costs[key] = _Cost(statics.get(key[:2]), case)
        found[id(record)] = _measure(record, timing, costs[key], file.run.arm)
    return found


def is_baseline(case: Case) -> bool:
    """Tell whether `case` is its own baseline."""
    return case.precision == "fp32" and case.runtime == "eager" and case.layout == "nchw"


def latency(record: Record, timing: Timing) -> float | None:
    """Return the metric ``latency_s`` of `record` alone."""
    if record.summary is not None:
        return record.summary.metrics.get("latency_s")
    return timing.steady.latency_s if record.status == "ok" and timing.steady is not None else None


def flops_per_s(record: Record, static: Static, latency_s: float) -> float:
    """Return the metric ``flops_per_s`` of `record` alone."""
    work = static.training_flops if record.case.task == "training" else static.flops
    return record.case.batch_size / latency_s * work


class _Cost:
    """What a case's metrics begin with: what is known of its model at its precision, and why the rest is not."""

    def __init__(self, static: Static | None, case: Case) -> None:
        self.static = static
        self.values: _Values = _NO_VALUES.copy()
        self.nulls = _NO_TWIN.copy()
        if static is None:
            self.nulls |= dict.fromkeys(_STATIC, _NO_STATIC)
            return
        weights = _WEIGHTS[PROMISES[case.precision].weights]
        self.values |= zip(_STATIC, _static(static), strict=True)
        self.values["model_bytes"] = static.model_bytes.get(weights)
        if self.values["model_bytes"] is None:
            self.nulls["model_bytes"] = f"not known for {weights} weights"
        if static.imagenet_top1 is None:
            self.nulls["imagenet_top1"] = "no published ImageNet weights"


def _measure(record: Record, timing: Timing, cost: _Cost, arm: Arm | None) -> Measured:
    if record.summary is not None:
        return _of_summary(record, record.summary)
    values, nulls = cost.values.copy(), cost.nulls.copy()
    intervals: dict[str, stats.Interval] = {}
    samples, steady = record.samples, timing.steady
    if record.status != "ok" or samples is None or steady is None:
        why = f"{record.status}: {record.cause or 'no cause given'}"
        if record.status == "ok":
            why = "no steady step was measured"
        nulls.update({metric.name: why for metric in TIMED})
    else:
        _add_latency(record, samples, steady, values, nulls, intervals)
        _add_speedup(record, samples, steady, arm, values, nulls, intervals)
        _add_phases(record, samples, values, nulls)
        if cost.static is None:
            nulls["flops_per_s"] = _NO_STATIC
        else:
            values["flops_per_s"] = flops_per_s(record, cost.static, steady.latency_s)
        values["warmup_steps"] = samples.warmup
    # A failed case may still know its peak memory or how long it took to compile.
    for name, value in zip(_FACTS, _facts(record.facts), strict=True):
        if value is not None:
            values[name] = value
            nulls.pop(name, None)
        else:
            nulls[name] = record.nulls.get(name) or nulls.get(name, "not recorded")
    if record.equality is not None and record.equality.error is not None:
        values["equality_error"] = record.equality.error
        nulls.pop("equality_error", None)
    else:
        unchecked = record.nulls.get("equality") or nulls.get("equality_error", "not checked")
        nulls["equality_error"] = unchecked if record.equality is None else f"{record.equality.what} is not finite"
    return Measured(values, nulls, intervals)


def _of_summary(record: Record, summary: Summary) -> Measured:
    values: _Values = {name: summary.metrics.get(name) for name in METRICS}
    silent = {name: "its source does not tell" for name, value in values.items() if value is None}
    return Measured(values, silent | record.nulls, {})


def _add_latency(
    record: Record,
    samples: Samples,
    steady: Steady,
    values: _Values,
    nulls: dict[str, str],
    intervals: dict[str, stats.Interval],
) -> None:
    values["latency_s"] = latency = steady.latency_s
    values["throughput_img_per_s"] = record.case.batch_size / latency
    interval = steady.interval
    if interval is not None:
        # Turns weigh alike in the interval and steps alike in the median: its width is kept, around the median.
        low, high = interval.low / interval.value, interval.high / interval.value
        intervals["latency_s"] = stats.Interval(latency, latency * low, latency * high)
    # Neighbouring steps resemble each other, and bound a tail less than others would.
    few = ""
    for name, value in zip(_QUANTILES, steady.quantiles, strict=True):
        values[name] = value
        if value is None:
            steps = len(samples.step_s) - samples.warmup
            few = few or f"{steps} steady steps, worth {steady.worth:.0f} independent ones, are too few to bound it"
            nulls[name] = few


def turn_medians(samples: Samples) -> dict[int, float]:
    """Return the median steady step of each turn in seconds, by the turn's index."""
    turns: dict[int, list[float]] = {}
    for turn, step in zip(samples.turn[samples.warmup :], samples.step_s[samples.warmup :], strict=True):
        turns.setdefault(turn, []).append(step)
    return {turn: statistics.median(steps) for turn, steps in turns.items()}


def _add_speedup(
    record: Record,
    samples: Samples,
    steady: Steady,
    arm: Arm | None,
    values: _Values,
    nulls: dict[str, str],
    intervals: dict[str, stats.Interval],
) -> None:
    if arm is not None or samples.arm_s:
        nulls["speedup"] = "an arm of an A/B comparison ran beside the other arm, and not beside a baseline"
        return
    if record.equality is not None and record.equality.verdict == "wrong":
        nulls["speedup"] = f"its result is wrong: {error_text(record.equality)}"
        return
    if is_baseline(record.case):
        values["speedup"] = 1.0  # by definition, hence without an interval
        return
    if steady.speedup is None:
        nulls["speedup"] = record.nulls.get("speedup", "no baseline ran beside it in its steady turns")
        return
    interval = steady.speedup_interval
    if interval is None:
        values["speedup"] = steady.speedup
    else:
        values["speedup"] = interval.value
        intervals["speedup"] = interval


def error_text(equality: Equality) -> str:
    """Return what differs, by how much, and what is allowed."""
    error = "not finite" if equality.error is None else f"{equality.error:.2g}"
    return f"{equality.what}, error {error} where {equality.allowed:.2g} is allowed"


def _add_phases(record: Record, samples: Samples, values: _Values, nulls: dict[str, str]) -> None:
    for name, series in zip(_PHASES, _phases(samples), strict=True):
        steps = series[samples.warmup :]
        if steps:
            values[name] = statistics.median(steps)
        else:
            training = record.case.task == "training"
            nulls[name] = record.nulls.get(name, "not split" if training else "only training has phases")
