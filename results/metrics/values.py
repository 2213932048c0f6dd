"""The values of the metrics, of all records of a run at once for numpy's speed.

A missing value is NaN, and `Measures.reasons` says why. Nothing is rounded here.
"""

import dataclasses
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
from msgspec import structs

from results.metrics.reasons import TAILS, WEIGHTS, Reasons, exclusions, reasons
from results.metrics.relative.pairs import Against, lacking
from results.metrics.timings import PHASES, Medians, Spread
from results.schema.labels import PROMISES, TASKS
from results.schema.lines.record import Agreement, Facts, Record, Summary
from results.schema.lines.static import Static
from results.schema.metric import STATIC
from results.schema.metrics import METRICS, TIMED
from results.statistics.seeds import wilson
from results.statistics.segments import Floats
from results.storage.reader import RunFile

_NORMAL: Final = 1.959964
"""Half-width of a 95 % interval in standard errors."""
_FACTS: Final = tuple(field.name for field in structs.fields(Facts))
_PARTNERS: Final = {"speedup": "its baseline", "relative": "the reference"}
"""What people call the partners of a metric that compares records."""
ENDS: Final = {metric.name: metric.bounds for metric in TIMED if metric.bounds is not None}
"""The ends of the intervals within a process, by metric."""
_ROWS: Final = (*METRICS, *chain.from_iterable(ENDS.values()))
_RELATIVE: Final = _ROWS.index("relative")
_SAME: Final = tuple(metric.name for metric in STATIC if metric.name != "model_bytes")
"""Static metrics that do not depend on the precision."""
_facts: Final = operator.attrgetter(*_FACTS)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """The metrics of some records."""

    values: dict[str, Floats]
    """For each of `METRICS`, and each end of an interval within a process, an array with an entry a record."""
    costs: list[Static | None]
    """The cost of each record's model."""
    against: Mapping[str, Against]
    """The partners of the records, by the metric that compares them with these."""
    exclusions: list[str | None]
    """Why each record must not be compared with others, None where it may be."""
    reasons: Reasons
    """The reasons of each record's missing values."""


def measure_file(file: RunFile, typical: Medians, spread: Spread, against: Mapping[str, Against]) -> Measures:
    """Return the metrics of the records of a run.

    Args:
        file: the run.
        typical: with `spread`, their `results.metrics.timings.timings`.
        spread: see `typical`.
        against: the speed of the records over their partners, by metric: ``speedup`` over the baselines, ``relative``
            over the reference.
    """
    records, costs = file.records, file.costs()
    matrix = np.full((len(_ROWS), len(records)), np.nan)
    values: dict[str, Floats] = dict(zip(_ROWS, matrix, strict=True))
    _add_times(values, records, typical, spread)
    excluded = exclusions(records, file.run.arm)
    _add_ratios(values, records, against, excluded)
    _add_costs(values, records, costs)
    # A failed case may still have its peak memory or compile time.
    facts = _array(chain.from_iterable([_facts(record.facts) for record in records]))
    for name, row in zip(_FACTS, facts.reshape(-1, len(_FACTS)).T, strict=True):
        values[name][:] = row
    values["img_per_j"][:] = 1 / values["image_j"]
    values["equality_error"][:] = _array(
        None if record.equality is None else record.equality.error for record in records
    )
    for index, record in enumerate(records):
        if record.agreement is not None:
            for name, value in agreement_values(record.agreement).items():
                values[name][index] = value
        if record.summary is not None:
            _add_summary(matrix[:, index], record, record.summary)
    unpaired = {name: lacking(speed, _PARTNERS[name], records, excluded) for name, speed in against.items()}
    why = reasons(records, costs, excluded, unpaired, spread.effective, matrix[: len(METRICS)])
    return Measures(values, costs, against, excluded, why)


def _add_summary(column: Floats, record: Record, summary: Summary) -> None:
    """Write the values that a source states into the column of its record; it may leave the relative time to us."""
    relative = column[_RELATIVE]
    column[:] = [summary.metrics.get(name, np.nan) for name in _ROWS]
    if "relative" not in summary.metrics and "relative" not in record.nulls:
        column[_RELATIVE] = relative


def agreement_values(agreement: Agreement) -> dict[str, float]:
    """Return the metrics of an agreement. Accuracies are paired: only images on which the two differ count."""
    images, changed = agreement.images, agreement.lost + agreement.gained
    lost = (agreement.lost - agreement.gained) / images
    error = math.sqrt(max(0.0, changed - images * lost**2)) / images
    return {
        "agreement": agreement.agreed / images,
        "agreement_least": wilson(agreement.agreed, images).low,
        "accuracy_lost": lost,
        "accuracy_lost_most": lost + _NORMAL * error,
    }


def latencies(records: Sequence[Record], typical: Medians) -> Floats:
    """Return the metric ``latency_s`` of each record alone."""
    ok = np.array([record.status == "ok" for record in records], dtype=bool)
    latency_s = np.where(ok, typical.latency_s, np.nan)
    for index, record in enumerate(records):
        if record.summary is not None:
            latency_s[index] = record.summary.metrics.get("latency_s", np.nan)
    return latency_s


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


def _add_ratios(
    values: dict[str, Floats],
    records: Sequence[Record],
    against: Mapping[str, Against],
    excluded: Sequence[str | None],
) -> None:
    judged = np.array([reason is None for reason in excluded], dtype=bool)
    for name, (partner, _, log, half, _) in against.items():
        known = judged & (judged[partner] | (partner < 0))
        if name == "speedup":
            ends = (log, log - half, log + half)
        else:
            batches = np.log(np.array([record.case.batch_size for record in records], dtype=np.float64))
            time = batches[partner] - batches - log
            ends = (time, time - half, time + half)
        for column, end in zip((name, *ENDS[name]), ends, strict=True):
            np.copyto(values[column], np.exp(end), where=known)


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
