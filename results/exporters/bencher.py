"""Bencher Metric Format: JSON for ``bencher run --adapter json`` (https://bencher.dev/docs/reference/bencher-metric-format)."""

from results.exporters.benchmarks import Value, benchmarks, check_measured
from results.exporters.files import SINGLE, Files
from results.metrics.rows import json_text
from results.storage.reader import Records


def to_bencher(records: Records) -> Files:
    """Return for each case what was measured and may become better or worse, by measure.

    A measure is the name of the metric in kebab case, its unit included (``latency-s``, ``throughput-img-per-s``):
    Bencher's own ``latency`` is in nanoseconds. Which direction is good is said by the thresholds set for it there.

    Raises:
        InputError: No case has a result.
    """
    found = benchmarks(records)
    check_measured(found)
    content = {
        one.name: {value.metric.name.replace("_", "-"): _metric(value) for value in one.measured}
        for one in found.kept
        if one.measured
    }
    return Files(parts={SINGLE: json_text(content)}, left_out=found.left_out)


def _metric(value: Value) -> dict[str, float]:
    ends = {"lower_value": value.low, "upper_value": value.high}
    return {"value": value.value, **{name: end for name, end in ends.items() if end is not None}}
