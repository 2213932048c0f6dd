"""What trackers of benchmarks are given: the cases that have a result, each under a name of its own."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import structs

from results.errors import InputError
from results.metrics.rows import plain
from results.metrics.table import table
from results.schema.case import Case
from results.schema.metrics import METRICS, STATIC, Metric
from results.schema.record import Record
from results.schema.run import RunHeader
from results.storage.reader import Records

ENDS: Final = {
    "latency_s": ("latency_low_s", "latency_high_s"),
    "speedup": ("speedup_low", "speedup_high"),
    "break_even_steps": ("break_even_low", "break_even_high"),
}
"""Columns of the table that hold the ends of a metric's 95 % interval."""
RATES: Final = ("throughput_img_per_s", "flops_per_s")
"""Metrics that are a constant over the latency, and whose interval is therefore its inverse."""

_Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A metric of one case in the metric's unit, with its 95 % interval where it has one."""

    metric: Metric
    value: float
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A case that ended well and computed the right thing."""

    name: str
    """The case's key, and on what it ran where several runs go out together: no two are the same."""
    run: RunHeader
    case: Case
    machine: str
    """The accelerator that the case ran on, else the CPU."""
    records: tuple[Record, ...]
    """Of each replicate."""
    values: dict[str, Value]
    """Every metric that is known by its name, in the order of `METRICS`."""
    interval: str | None
    """What the intervals span, as in `results.metrics.table.table`."""

    @property
    def measured(self) -> tuple[Value, ...]:
        """What was measured and has a good direction: what may become better or worse from run to run."""
        return tuple(value for value in self.values.values() if value.metric.better and value.metric not in STATIC)

    @property
    def axes(self) -> dict[str, str | int]:
        """The axes of the case that are known, by name."""
        return {axis: value for axis, value in structs.asdict(self.case).items() if value is not None}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """The benchmarks of some runs, in the order of their table."""

    kept: tuple[Benchmark, ...]
    left_out: tuple[str, ...]
    """Why cases are not among them, a line for each reason."""


def benchmarks(records: Records) -> Benchmarks:
    """Return every case of `records` that has a result.

    Raises:
        InputError: There is none, or two cases cannot be told apart.
    """
    rows = plain(table(records))
    cases = [(file.run, case, tuple(found.values())) for file in records.files for case, found in file.cases().items()]
    sound = [
        (run, case, found, row)
        for (run, case, found), row in zip(cases, rows, strict=True)
        if row["status"] == "ok" and row["equality"] != "wrong" and any(_values(row))
    ]
    if not sound:
        raise InputError(
            f"nothing to export: none of the {len(rows)} cases has a result; csv and parquet hold failures"
        )
    names = _names([(case, row) for _, case, _, row in sound], several=len(records.files) > 1)
    kept = [
        Benchmark(
            name=name,
            run=run,
            case=case,
            machine=_machine(row),
            records=found,
            values={value.metric.name: value for value in _values(row)},
            interval=row["interval"],
        )
        for name, (run, case, found, row) in zip(names, sound, strict=True)
    ]
    missing = len(rows) - len(sound)
    told = f"{missing} of {len(rows)} cases left out: they failed, gave a wrong result or have no value"
    return Benchmarks(kept=tuple(kept), left_out=(told,) if missing else ())


def check_measured(found: Benchmarks) -> None:
    """Raise `InputError` where no case has anything that was measured and may become better or worse."""
    if not any(one.measured for one in found.kept):
        raise InputError("nothing to export: no case has a measured value; csv and parquet hold the rest")


def _values(row: _Row) -> Iterator[Value]:
    for name, metric in METRICS.items():
        value = row[name]
        if value is not None and math.isfinite(value):
            low, high = _interval(name, row)
            yield Value(metric=metric, value=value, low=low, high=high)


def _interval(name: str, row: _Row) -> tuple[float, float] | tuple[None, None]:
    ends = tuple(row[end] for end in ENDS.get("latency_s" if name in RATES else name, ()))
    if name in RATES:
        ends = tuple(row[name] * row["latency_s"] / end for end in reversed(ends) if end and row["latency_s"])
    known = [end for end in ends if end is not None and math.isfinite(end)]
    return (known[0], known[1]) if len(known) == 2 else (None, None)


def _machine(row: _Row) -> str:
    return str(row["accelerator"] or row["cpu"] or "unknown machine")


def _names(cases: Sequence[tuple[Case, _Row]], *, several: bool) -> list[str]:
    """Return a name for each case: its key, and as much of what it ran on as tells it from those of other runs."""
    where = [(_machine(row), f"torch {row['torch'] or 'unknown'}", f"run {row['run']}") for _, row in cases]
    for depth in range(int(several), 4):
        names = [
            f"{case.key} on {', '.join(parts[:depth])}" if depth else case.key
            for (case, _), parts in zip(cases, where, strict=True)
        ]
        if len(set(names)) == len(names):
            return names
    raise InputError("two cases of a run have the same name; their models or devices are named to look like others")
