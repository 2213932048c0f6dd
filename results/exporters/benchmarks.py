"""The benchmarks for other programs: the cases that have a result, with unique names."""

import dataclasses
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from msgspec import structs

from results.analysis.study import Study
from results.errors import InputError
from results.metrics.measured import MeasuredRun
from results.metrics.rows import Row, machine_name, plain
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import RunHeader
from results.schema.metric import STATIC, Metric
from results.schema.metrics import METRICS

RATES: Final = ("throughput_img_per_s", "flops_per_s")
"""Metrics that are a constant over the latency, and whose interval is therefore its inverse."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkValue:
    """A metric of a case in the metric's unit, with its 95 % interval where it is known."""

    metric: Metric
    value: float
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A case that succeeded and computed the right result."""

    name: str
    """A unique name: the case's key, with its hardware and software where the export holds several runs."""
    run: RunHeader
    case: Case
    machine: str
    """The accelerator of the case, else the CPU."""
    records: tuple[Record, ...]
    """The record of each replicate."""
    values: dict[str, BenchmarkValue]
    """Every known metric by its name, in the order of `METRICS`."""
    interval: str | None
    """The variation that the intervals cover, as in `results.metrics.table.table`."""

    @property
    def measured(self) -> tuple[BenchmarkValue, ...]:
        """The measured values that have a better direction."""
        return tuple(value for value in self.values.values() if value.metric.better and value.metric not in STATIC)

    @property
    def axes(self) -> dict[str, str | int]:
        """The axes of the case that are known, by name."""
        return {axis: value for axis, value in structs.asdict(self.case).items() if value is not None}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """The benchmarks of some runs, in the order of their table."""

    benchmarks: tuple[Benchmark, ...]
    left_out: tuple[str, ...]
    """Why cases are left out, a line for each reason."""


def benchmarks(study: Study) -> Benchmarks:
    """Return every case of a study that has a result.

    Raises:
        InputError: No case has a result, or two cases have the same name.
    """
    rows = plain(study.table)
    sound = [
        (measured.file, case, replicates, row)
        for (measured, case, replicates), row, counts in zip(_cases(study), rows, study.usable, strict=True)
        if counts
    ]
    if not sound:
        raise InputError(
            f"nothing to export: none of the {len(rows)} cases has a result; csv and parquet hold failures"
        )
    names = _names([(case, row) for _, case, _, row in sound], several=len(study.runs) > 1)
    exported = [
        Benchmark(
            name=name,
            run=file.run,
            case=case,
            machine=machine_name(row),
            records=tuple(file.records[index] for index in replicates),
            values={value.metric.name: value for value in _values(row)},
            interval=row["interval"],
        )
        for name, (file, case, replicates, row) in zip(names, sound, strict=True)
    ]
    missing = len(rows) - len(sound)
    reason = f"{missing} of {len(rows)} cases left out: they failed, gave a wrong result or have no value"
    return Benchmarks(benchmarks=tuple(exported), left_out=(reason,) if missing else ())


def _cases(study: Study) -> Iterator[tuple[MeasuredRun, Case, Collection[int]]]:
    """Yield the run, the case and the indices of its records for every row of the table."""
    for run in study.runs:
        for case, replicates in run.replicates.items():
            yield run, case, replicates.values()


def check_measured(exported: Benchmarks) -> None:
    """Raise `InputError` unless a case has a measured value with a better direction."""
    if not any(benchmark.measured for benchmark in exported.benchmarks):
        raise InputError("nothing to export: no case has a measured value; csv and parquet hold the rest")


def _values(row: Row) -> Iterator[BenchmarkValue]:
    for name, metric in METRICS.items():
        value = row[name]
        if value is not None and math.isfinite(value):
            low, high = _interval(metric, row)
            yield BenchmarkValue(metric=metric, value=value, low=low, high=high)


def _interval(metric: Metric, row: Row) -> tuple[float, float] | tuple[None, None]:
    rate = metric.name in RATES
    bounds = METRICS["latency_s"].bounds if rate else metric.bounds
    ends = tuple(row[end] for end in bounds or ())
    if rate:
        ends = tuple(row[metric.name] * row["latency_s"] / end for end in reversed(ends) if end and row["latency_s"])
    known = [end for end in ends if end is not None and math.isfinite(end)]
    return (known[0], known[1]) if len(known) == 2 else (None, None)


def _names(cases: Sequence[tuple[Case, Row]], *, several: bool) -> list[str]:
    """Return a name for each case: its key, and as much of what it ran on as tells it from those of other runs."""
    where = [(machine_name(row), f"torch {row['torch'] or 'unknown'}", f"run {row['run']}") for _, row in cases]
    for depth in range(int(several), 4):
        names = [
            f"{case.key} on {', '.join(parts[:depth])}" if depth else case.key
            for (case, _), parts in zip(cases, where, strict=True)
        ]
        if len(set(names)) == len(names):
            return names
    raise InputError("two cases of a run have the same name; their models or devices are named to look like others")
