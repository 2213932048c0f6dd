"""Readings: functions that make the reader of a bound, `Callable[[Evidence], float]`, from what it shall read."""

import math
import statistics
from collections.abc import Callable

from tests.rehearsal.evidence import Evidence, Missing, median_step_s

Reader = Callable[[Evidence], float]


def fact(name: str) -> Reader:
    """Read a number of ``facts.json``."""
    return lambda evidence: evidence.fact(name)


def physics(name: str, field: str) -> Reader:
    """Read a number of a line of ``physics.jsonl``."""
    return lambda evidence: evidence.number(name, field)


def ratio(above: Reader, below: Reader) -> Reader:
    """Read a number over another."""
    return lambda evidence: above(evidence) / below(evidence)


def clock_span(name: str, column: str) -> Reader:
    """Read the lowest over the highest value of a column of ``clocks.csv`` during a part of the physics."""

    def read(evidence: Evidence) -> float:
        line = evidence.line(name)
        values = evidence.clocks(column, line["from_s"], line["to_s"])
        return min(values) / max(values)

    return read


def clock_median(name: str, column: str) -> Reader:
    """Read the median of a column of ``clocks.csv`` during a part of the physics."""

    def read(evidence: Evidence) -> float:
        line = evidence.line(name)
        return statistics.median(evidence.clocks(column, line["from_s"], line["to_s"]))

    return read


def grown(column: str) -> Reader:
    """Read by how much a column of ``clocks.csv`` is higher in its last row than in its first."""

    def read(evidence: Evidence) -> float:
        values = evidence.clocks(column)
        return values[-1] - values[0]

    return read


def latency(step: str, **axes: object) -> Reader:
    """Read the median over the processes of the steady latency of a case, in seconds."""
    return lambda evidence: statistics.median(median_step_s(record) for record in evidence.records(step, **axes))


def throughput(step: str, **axes: object) -> Reader:
    """Read the images a second of a case, from its steady latency."""

    def read(evidence: Evidence) -> float:
        records = evidence.records(step, **axes)
        return statistics.median(record.case.batch_size / median_step_s(record) for record in records)

    return read


def count_status(step: str, *statuses: str, other: bool = False, **axes: object) -> Reader:
    """Read how many records have a status of these, or with `other` any other status."""

    def read(evidence: Evidence) -> float:
        return sum((record.status in statuses) is not other for record in evidence.records(step, **axes))

    return read


def count_cases(step: str) -> Reader:
    """Read the share of the planned cases of a step that have a record."""

    def read(evidence: Evidence) -> float:
        from results.storage.reader import load  # noqa: PLC0415 - a bare machine may lack msgspec

        cases = {record.case for record in evidence.records(step)}
        planned = [case for file in load(evidence.folder(step)).files for case in file.run.plan]
        return len(cases & set(planned)) / len(set(planned))

    return read


def worst_error(step: str) -> Reader:
    """Read the largest error against fp64 over the allowed error; a result that is not finite has an infinite error."""

    def read(evidence: Evidence) -> float:
        checks = [record.equality for record in evidence.records(step) if record.equality is not None]
        if not checks:
            raise Missing(f"no result of {step} was checked")
        return max(math.inf if check.error is None else check.error / check.allowed for check in checks)

    return read


def count_unchecked(step: str) -> Reader:
    """Read how many results of successful cases that are no baseline could not be checked in the first replicate."""

    def read(evidence: Evidence) -> float:
        records = [r for r in evidence.records(step) if r.status == "ok" and not r.replicate]
        return sum(r.equality is None and not r.case.is_baseline for r in records)

    return read


def events_over_wall(step: str) -> Reader:
    """Read the largest device time over wall time of all records."""

    def read(evidence: Evidence) -> float:
        shares = []
        for record in evidence.records(step):
            if record.samples is not None:
                wall_s = sum(record.samples.wall_s[turn] for turn in record.samples.turn)
                shares.append(sum(record.samples.step_s) / wall_s)
        if not shares:
            raise Missing(f"{step} has no samples")
        return max(shares)

    return read


def count_warnings(step: str, kind: str) -> Reader:
    """Read how many cases have a warning of a kind, such as ``label``."""

    def read(evidence: Evidence) -> float:
        from results.metrics.table import table  # noqa: PLC0415 - a bare machine may lack pandas
        from results.metrics.warnings import kind as kind_of  # noqa: PLC0415 - likewise
        from results.storage.reader import load  # noqa: PLC0415 - likewise

        evidence.records(step)
        frame = table(load(evidence.folder(step)))
        return sum(kind in {kind_of(line) for line in lines} for lines in frame["warnings"])

    return read


def sum_fact(step: str, field: str, **axes: object) -> Reader:
    """Read the sum of a field of `Facts` over the records that know it."""

    def read(evidence: Evidence) -> float:
        values = [getattr(record.facts, field) for record in evidence.records(step, **axes)]
        known = [value for value in values if value is not None]
        if not known:
            raise Missing(f"no record of {step} knows its {field}")
        return math.fsum(known)

    return read


def arms_ratio(step: str) -> Reader:
    """Read the latency of arm b over that of arm a: the geometric mean over the pairs."""
    return lambda evidence: math.exp(statistics.mean(_log_ratios(evidence, step)))


def arms_spread(step: str) -> Reader:
    """Read the standard deviation of the log ratio of a pair."""
    return lambda evidence: statistics.stdev(_log_ratios(evidence, step))


def _log_ratios(evidence: Evidence, step: str) -> list[float]:
    from results.storage.reader import load  # noqa: PLC0415 - a bare machine may lack msgspec

    evidence.records(step)
    arms: dict[str, dict[int, float]] = {"a": {}, "b": {}}
    for file in load(evidence.folder(step)).files:
        if file.run.arm is not None:
            arms[file.run.arm.name] |= {r.replicate: median_step_s(r) for r in file.records if r.status == "ok"}
    pairs = sorted(arms["a"].keys() & arms["b"].keys())
    if len(pairs) < 2:
        raise Missing(f"{step} has {len(pairs)} pairs, and two are needed")
    return [math.log(arms["b"][pair] / arms["a"][pair]) for pair in pairs]
