"""The values of the metrics, of all records of a run at once for numpy's speed.

A missing value is NaN, and `Measures.reasons` says why. Nothing is rounded here.
"""

import dataclasses
import math
import operator
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from msgspec import structs

from results.metrics.reasons import TAILS, WEIGHTS, Reasons, no_speedup, reasons
from results.metrics.timings import PHASES, Medians, Spread, timings
from results.schema.labels import PROMISES, TASKS
from results.schema.metrics import METRICS, STATIC, TIMED
from results.schema.record import Facts, Record
from results.schema.run import Arm
from results.schema.static import Static
from results.statistics import intervals as stats
from results.statistics.segments import Flags, Floats
from results.storage.reader import RunFile

_FACTS: Final = tuple(field.name for field in structs.fields(Facts))
ENDS: Final = {metric.name: metric.bounds for metric in TIMED if metric.bounds is not None}
"""The ends of the intervals within a process, by metric."""
_ROWS: Final = (*METRICS, *chain.from_iterable(ENDS.values()))
_SAME: Final = tuple(metric.name for metric in STATIC if metric.name != "model_bytes")
"""Static metrics that do not depend on the precision."""
_facts: Final = operator.attrgetter(*_FACTS)


class Measured(NamedTuple):
    """The metrics of a record."""

    metrics: dict[str, float | None]
    """Values by name, for every one of `METRICS`."""
    nulls: dict[str, str]
    """The reason of each value that is None."""
    intervals: dict[str, stats.Interval]
    """95 % intervals within the process, of ``latency_s`` and ``speedup``, where the turns are enough."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """The metrics of some records."""

    values: dict[str, Floats]
    """For each of `METRICS`, and each end of an interval within a process, an array with an entry a record."""
    costs: list[Static | None]
    """The cost of each record's model."""
    baseline: Flags
    """Whether the case of each record is its own baseline."""
    reasons: Reasons
    """The reasons of each record's missing values."""


def measure(record: Record, static: Static | None, arm: Arm | None = None) -> Measured:
    """Return every metric of `record`.

    Args:
        record: a case in a process.
        static: the static cost of its model, None where it is not known.
        arm: the arm of an A/B comparison that its run measured, None for other runs.
    """
    measures = _measures([record], [static], arm, *timings([record]))
    known = {name: None if np.isnan(row[0]) else float(row[0]) for name, row in measures.values.items()}
    intervals = {}
    for name, ends in ENDS.items():
        value, low, high = (known[column] for column in (name, *ends))
        if value is not None and low is not None and high is not None:
            intervals[name] = stats.Interval(value, low, high)
    return Measured({name: known[name] for name in METRICS}, measures.reasons[0], intervals)


def measure_file(file: RunFile, typical: Medians, spread: Spread) -> Measures:
    """Return the metrics of the records of a run from their `results.metrics.timings.timings`."""
    return _measures(file.records, file.costs(), file.run.arm, typical, spread)


def latencies(records: Sequence[Record], typical: Medians) -> Floats:
    """Return the metric ``latency_s`` of each record alone."""
    ok = np.array([record.status == "ok" for record in records], dtype=bool)
    latency_s = np.where(ok, typical.latency_s, np.nan)
    for index, record in enumerate(records):
        if record.summary is not None:
            latency_s[index] = record.summary.metrics.get("latency_s", np.nan)
    return latency_s


def _measures(
    records: Sequence[Record],
    costs: list[Static | None],
    arm: Arm | None,
    typical: Medians,
    spread: Spread,
) -> Measures:
    matrix = np.full((len(_ROWS), len(records)), np.nan)
    values: dict[str, Floats] = dict(zip(_ROWS, matrix, strict=True))
    no_speedups = [no_speedup(record, arm) for record in records]
    _add_times(values, records, typical, spread)
    baseline = np.array([record.case.is_baseline for record in records], dtype=bool)
    _add_speedups(values, baseline, no_speedups, spread)
    _add_costs(values, records, costs)
    # A failed case may still have its peak memory or compile time.
    facts = _array(chain.from_iterable([_facts(record.facts) for record in records]))
    for name, row in zip(_FACTS, facts.reshape(-1, len(_FACTS)).T, strict=True):
        values[name][:] = row
    values["equality_error"][:] = _array(
        None if record.equality is None else record.equality.error for record in records
    )
    for index, record in enumerate(records):
        if record.summary is not None:
            matrix[:, index] = [record.summary.metrics.get(name, np.nan) for name in _ROWS]
    why = reasons(records, costs, no_speedups, spread.effective, matrix[: len(METRICS)])
    return Measures(values, costs, baseline, why)


def _add_times(values: dict[str, Floats], records: Sequence[Record], typical: Medians, spread: Spread) -> None:
    batches = np.array([record.case.batch_size for record in records], dtype=np.float64)
    times = {name: getattr(typical, name) for name in ("latency_s", *PHASES)}
    times |= {name: getattr(spread, name) for name in ENDS["latency_s"]}
    times |= dict(zip(TAILS, (spread.p50_s, spread.p90_s, spread.p95_s, spread.p99_s), strict=True))
    times["throughput_img_per_s"] = batches / typical.latency_s
    times["warmup_steps"] = _array(None if record.samples is None else record.samples.warmup for record in records)
    timed = ~np.isnan(typical.latency_s) & np.array([record.status == "ok" for record in records], dtype=bool)
    for name, row in times.items():
        np.copyto(values[name], row, where=timed)


def _add_speedups(
    values: dict[str, Floats], baseline: Flags, no_speedups: Sequence[str | None], spread: Spread
) -> None:
    judged = ~np.isnan(values["latency_s"]) & np.array([reason is None for reason in no_speedups], dtype=bool)
    values["speedup"][judged & baseline] = 1.0  # by definition, hence without an interval
    for name in ("speedup", *ENDS["speedup"]):
        np.copyto(values[name], getattr(spread, name), where=judged & ~baseline)


def _add_costs(values: dict[str, Floats], records: Sequence[Record], costs: Sequence[Static | None]) -> None:
    # A run holds few models, and many records of each.
    models = {id(cost): cost for cost in costs}
    rows = {model: row for row, model in enumerate(models)}
    model_rows = np.array([rows[id(cost)] for cost in costs], dtype=np.int64)
    for name in _SAME:
        values[name][:] = _array(getattr(cost, name, None) for cost in models.values())[model_rows]
    sizes = [
        None if cost is None else cost.model_bytes.get(WEIGHTS[PROMISES[record.case.precision].weights])
        for record, cost in zip(records, costs, strict=True)
    ]
    values["model_bytes"][:] = _array(sizes)
    training = [TASKS[record.case.task].trains for record in records]
    work = np.where(training, values["training_flops"], values["flops"])
    values["flops_per_s"][:] = values["throughput_img_per_s"] * work


def _array(values: Iterable[float | None]) -> Floats:
    """Return numbers in an array; None is NaN."""
    return np.fromiter((math.nan if value is None else value for value in values), np.float64)
