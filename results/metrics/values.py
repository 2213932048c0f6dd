"""The values of the metrics: of all records of a run at once, as numpy is fast then.

A value that cannot be had is NaN, and `Measures.nulls` says why. Nothing is rounded here.
"""

import dataclasses
import math
import operator
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from results.metrics.reasons import TAILS, WEIGHTS, Memo, no_speedup, nulls
from results.metrics.timings import PHASES, Medians, Spread, timings
from results.schema.labels import PROMISES
from results.schema.metrics import METRICS, STATIC
from results.schema.record import Facts, Record
from results.schema.run import Arm
from results.schema.static import Static
from results.statistics import intervals as stats
from results.statistics.segments import Floats
from results.storage.reader import RunFile

_FACTS: Final = tuple(field.name for field in dataclasses.fields(Facts))
ENDS: Final = {
    "latency_s": ("latency_low_s", "latency_high_s"),
    "speedup": ("speedup_low", "speedup_high"),
}
"""The ends of the intervals within a process, by the metric that has them."""
_ROWS: Final = (*METRICS, *chain.from_iterable(ENDS.values()))
_SAME: Final = tuple(metric.name for metric in STATIC if metric.name != "model_bytes")
"""Static metrics that are the same at every precision."""
_facts: Final = operator.attrgetter(*_FACTS)


class Measured(NamedTuple):
    """The metrics of one record."""

    metrics: dict[str, float | None]
    """Values by name, for every one of `METRICS`."""
    nulls: dict[str, str]
    """Why a value is None, for each that is."""
    intervals: dict[str, stats.Interval]
    """95 % intervals within the process, of ``latency_s`` and ``speedup`` where there are turns enough."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """The metrics of some records."""

    values: dict[str, Floats]
    """For each of `METRICS`, and each end of an interval within a process, an array of one entry a record."""
    costs: list[Static | None]
    """The cost of each record's model."""
    nulls: list[dict[str, str]]
    """Why a value of a record is NaN, for each of `METRICS` that is, in their order; not to be changed."""


def measure(record: Record, static: Static | None, arm: Arm | None = None) -> Measured:
    """Return every metric of `record`.

    Args:
        record: one case in one process.
        static: the cost of its model, None where it is not known.
        arm: the arm of an A/B comparison that its run is, None where it is none.
    """
    found = _measures([record], [static], arm, *timings([record]), Memo())
    known = {name: None if np.isnan(row[0]) else float(row[0]) for name, row in found.values.items()}
    intervals = {}
    for name, ends in ENDS.items():
        value, low, high = (known[one] for one in (name, *ends))
        if value is not None and low is not None and high is not None:
            intervals[name] = stats.Interval(value, low, high)
    return Measured({name: known[name] for name in METRICS}, found.nulls[0], intervals)


def measure_file(file: RunFile, typical: Medians, spread: Spread, memo: Memo) -> Measures:
    """Return the metrics of the records of a run from what `results.metrics.timings.timings` tells of them.

    `memo` is that of `results.metrics.reasons.nulls`.
    """
    return _measures(file.records, file.costs(), file.run.arm, typical, spread, memo)


def latencies(records: Sequence[Record], typical: Medians) -> Floats:
    """Return the metric ``latency_s`` of each record alone."""
    ok = np.array([record.status == "ok" for record in records], dtype=bool)
    found = np.where(ok, typical.latency_s, np.nan)
    for place, record in enumerate(records):
        if record.summary is not None:
            found[place] = record.summary.metrics.get("latency_s", np.nan)
    return found


def _measures(
    records: Sequence[Record],
    costs: list[Static | None],
    arm: Arm | None,
    typical: Medians,
    spread: Spread,
    memo: Memo,
) -> Measures:
    matrix = np.full((len(_ROWS), len(records)), np.nan)
    values: dict[str, Floats] = dict(zip(_ROWS, matrix, strict=True))
    barred = [no_speedup(record, arm) for record in records]
    _add_times(values, records, typical, spread)
    _add_speedups(values, records, barred, spread)
    _add_costs(values, records, costs)
    # A failed case may still know its peak memory or how long it took to compile.
    facts = _array(chain.from_iterable([_facts(record.facts) for record in records]))
    for name, row in zip(_FACTS, facts.reshape(-1, len(_FACTS)).T, strict=True):
        values[name][:] = row
    values["equality_error"][:] = _array(
        None if record.equality is None else record.equality.error for record in records
    )
    for place, record in enumerate(records):
        if record.summary is not None:
            matrix[:, place] = [record.summary.metrics.get(name, np.nan) for name in _ROWS]
    return Measures(values, costs, nulls(records, costs, barred, spread.worth, matrix[: len(METRICS)], memo))


def _add_times(values: dict[str, Floats], records: Sequence[Record], typical: Medians, spread: Spread) -> None:
    batches = np.array([record.case.batch_size for record in records], dtype=np.float64)
    warmups = [None if record.samples is None else record.samples.warmup for record in records]
    found = {name: getattr(typical, name) for name in ("latency_s", *PHASES)}
    found |= {name: getattr(spread, name) for name in ENDS["latency_s"]}
    found |= dict(zip(TAILS, (spread.p50_s, spread.p90_s, spread.p95_s, spread.p99_s), strict=True))
    found["throughput_img_per_s"] = batches / typical.latency_s
    found["warmup_steps"] = _array(warmups)
    timed = ~np.isnan(typical.latency_s) & np.array([record.status == "ok" for record in records], dtype=bool)
    for name, row in found.items():
        np.copyto(values[name], row, where=timed)


def _add_speedups(
    values: dict[str, Floats], records: Sequence[Record], barred: Sequence[str | None], spread: Spread
) -> None:
    baseline = np.array([record.case.is_baseline for record in records], dtype=bool)
    judged = ~np.isnan(values["latency_s"]) & np.array([why is None for why in barred], dtype=bool)
    values["speedup"][judged & baseline] = 1.0  # by definition, hence without an interval
    for name in ("speedup", *ENDS["speedup"]):
        np.copyto(values[name], getattr(spread, name), where=judged & ~baseline)


def _add_costs(values: dict[str, Floats], records: Sequence[Record], costs: Sequence[Static | None]) -> None:
    # A run holds few models, and each of them in many records.
    models = {id(cost): cost for cost in costs}
    rows = {model: row for row, model in enumerate(models)}
    places = np.array([rows[id(cost)] for cost in costs], dtype=np.int64)
    for name in _SAME:
        values[name][:] = _array(getattr(cost, name, None) for cost in models.values())[places]
    sizes = [
        None if cost is None else cost.model_bytes.get(WEIGHTS[PROMISES[record.case.precision].weights])
        for record, cost in zip(records, costs, strict=True)
    ]
    values["model_bytes"][:] = _array(sizes)
    training = [record.case.task == "training" for record in records]
    work = np.where(training, values["training_flops"], values["flops"])
    values["flops_per_s"][:] = values["throughput_img_per_s"] * work


def _array(values: Iterable[float | None]) -> Floats:
    """Return numbers in an array; None is NaN."""
    return np.fromiter((math.nan if value is None else value for value in values), np.float64)
