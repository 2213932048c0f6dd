"""Bencher Metric Format: JSON for ``bencher run --adapter json`` (https://bencher.dev/docs/reference/bencher-metric-format)."""

from results.analysis.study import Study
from results.exporters.benchmarks import BenchmarkValue, benchmarks, check_measured
from results.exporters.files import SINGLE, Files
from results.metrics.rows import json_text


def to_bencher(study: Study) -> Files:
    """Return the measured values with a better direction for each case, by measure.

    A measure is the name of the metric in kebab case, its unit included (``latency-s``, ``throughput-img-per-s``):
    Bencher's own ``latency`` is in nanoseconds. Thresholds in Bencher define the better direction.

    Raises:
        InputError: No case has a result.
    """
    exported = benchmarks(study)
    check_measured(exported)
    content = {
        benchmark.name: {value.metric.name.replace("_", "-"): _metric(value) for value in benchmark.measured}
        for benchmark in exported.benchmarks
        if benchmark.measured
    }
    return Files(parts={SINGLE: json_text(content)}, left_out=exported.left_out)


def _metric(value: BenchmarkValue) -> dict[str, float]:
    ends = {"lower_value": value.low, "upper_value": value.high}
    return {"value": value.value, **{name: end for name, end in ends.items() if end is not None}}
