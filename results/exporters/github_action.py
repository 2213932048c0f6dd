"""JSON for github-action-benchmark: its tools ``customBiggerIsBetter`` and ``customSmallerIsBetter``.

https://github.com/benchmark-action/github-action-benchmark
"""

import json
from typing import Final

from results.analysis.study import Study
from results.exporters.benchmarks import Benchmark, BenchmarkValue, benchmarks, check_measured
from results.exporters.files import Files
from results.text import half_width, is_unknown

PARTS: Final = {"bigger": "higher", "smaller": "lower"}
"""The two files, by the direction of the metrics that each holds."""
SPANS: Final = {"replicates": "across processes", "process": "within one process"}


def to_github_action_benchmark(study: Study) -> Files:
    """Return the measured values in two files, as the action takes a single better direction a file.

    An entry is a metric of a case, with its unit (none for ratios and counts), the larger half of its 95 % interval as
    ``range``, and its machine and software in ``extra``.

    Raises:
        InputError: No case has a result.
    """
    exported = benchmarks(study)
    check_measured(exported)
    entries: dict[str, list[dict[str, str | float]]] = {
        part: [
            _entry(benchmark, value)
            for benchmark in exported.benchmarks
            for value in benchmark.measured
            if value.metric.better == better
        ]
        for part, better in PARTS.items()
    }
    # The action takes an empty file for an error.
    parts = {
        part: json.dumps(content, indent=1, allow_nan=False) + "\n" for part, content in entries.items() if content
    }
    return Files(parts=dict(parts), left_out=exported.left_out)


def _entry(benchmark: Benchmark, value: BenchmarkValue) -> dict[str, str | float]:
    about = [benchmark.machine, f"torch {benchmark.run.environment.torch or 'unknown'}", f"run {benchmark.run.id}"]
    entry: dict[str, str | float] = {
        "name": f"{benchmark.name}: {value.metric.label}",
        "unit": "" if value.metric.unit == "1" else value.metric.unit,
        "value": value.value,
    }
    if value.low is not None and value.high is not None:
        if not is_unknown(half_width(value.value, value.low, value.high)):
            entry["range"] = f"± {max(value.high - value.value, value.value - value.low)!r}"
        about.append(
            f"95 % interval {value.low!r} to {value.high!r}, {SPANS.get(benchmark.interval or '', 'of its source')}"
        )
    return {**entry, "extra": "\n".join(about)}
