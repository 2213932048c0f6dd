"""JSON as pytest-benchmark saves it, for ``pytest-benchmark compare`` and ``pytest --benchmark-compare``."""

import bisect
import statistics
from collections.abc import Sequence
from typing import Any, Final

from msgspec import structs

from results.analysis.study import Study
from results.exporters.benchmarks import Benchmark, benchmarks
from results.exporters.files import SINGLE, Files
from results.metrics.rows import json_text
from results.schema.lines.run import Environment
from results.schema.types import LEAST_S

VERSION: Final = "5.3.1"
"""The pytest-benchmark whose format this is."""


def to_pytest_benchmark(study: Study) -> Files:
    """Return each case as a benchmark, in seconds a step, whose rounds are the steady steps of all its processes.

    A case that was imported without samples is one round of its latency. The axes are in ``params`` and, with the
    run and every known metric, in ``extra_info``. What the runs disagree on is null in ``machine_info``.

    Raises:
        InputError: No case has a result.
    """
    exported = benchmarks(study)
    timed = [(benchmark, data) for benchmark in exported.benchmarks if (data := _data(benchmark))]
    untimed = len(exported.benchmarks) - len(timed)
    runs = [file.run for file in study.records.files]
    commits = {run.environment.tool_commit if run.source is None else run.source.commit for run in runs}
    content = {
        "machine_info": _machine_info([run.environment for run in runs]),
        "commit_info": {"id": commits.pop() if len(commits) == 1 else None, "project": "resnet-bench"},
        "benchmarks": [_entry(benchmark, data) for benchmark, data in timed],
        "datetime": min((run.started for run in runs if run.started), default=None),
        "version": VERSION,
    }
    reasons = (f"{untimed} cases left out: their latency is not known",) if untimed else ()
    return Files(parts={SINGLE: json_text(content)}, left_out=exported.left_out + reasons)


def _data(benchmark: Benchmark) -> list[float]:
    series = [record.samples for record in benchmark.records if record.samples]
    steps = [step for samples in series for step in samples.step_s[samples.warmup :]]
    latency = benchmark.values.get("latency_s")
    return steps or ([latency.value] if latency and latency.value >= LEAST_S else [])


def _machine_info(environments: Sequence[Environment]) -> dict[str, Any]:
    infos = [
        {
            "node": None,  # a run holds no host names
            "system": machine.os,
            "release": machine.kernel,
            "python_version": machine.python,
            "torch_version": machine.torch,
            "cpu": {"brand_raw": machine.cpu, "count": machine.logical_cores},
            "accelerators": [card.name for card in machine.accelerators],
        }
        for machine in environments
    ]
    return {name: value if all(info[name] == value for info in infos) else None for name, value in infos[0].items()}


def _entry(benchmark: Benchmark, data: list[float]) -> dict[str, Any]:
    run = benchmark.run
    return {
        "group": None,
        "name": benchmark.name,
        "fullname": benchmark.name,
        "params": structs.asdict(benchmark.case),
        "param": benchmark.case.key,
        "extra_info": {
            **structs.asdict(benchmark.case),
            "status": "ok",
            "run": run.id,
            "started": run.started,
            "machine": benchmark.machine,
            "torch": run.environment.torch,
            "source": run.source and structs.asdict(run.source),
            "samples": any(record.samples for record in benchmark.records),
            "interval": benchmark.interval,
            "metrics": {name: value.value for name, value in benchmark.values.items()},
            "bounds": {
                name: [value.low, value.high] for name, value in benchmark.values.items() if value.low is not None
            },
        },
        "options": {},
        "stats": summarised(data) | {"data": data, "iterations": 1},
    }


def summarised(data: Sequence[float]) -> dict[str, float | int | str]:
    """Return the statistics of `data` as pytest-benchmark's ``Stats`` defines them: seconds, and counts of rounds."""
    ordered = sorted(data)
    rounds, total, mean = len(data), sum(data), statistics.mean(data)
    stddev = statistics.stdev(data) if rounds > 1 else 0
    q1, q3 = _quartiles(ordered)
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    beyond_stddev = sum(not mean - stddev <= time_s <= mean + stddev for time_s in data)
    beyond_iqr = sum(not low <= time_s <= high for time_s in data)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": stddev,
        "rounds": rounds,
        "median": statistics.median(data),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_iqr,
        "stddev_outliers": beyond_stddev,
        "outliers": f"{beyond_stddev};{beyond_iqr}",
        "ld15iqr": ordered[bisect.bisect_left(ordered, low)],
        "hd15iqr": ordered[bisect.bisect_right(ordered, high) - 1],
        "ops": rounds / total,
        "total": total,
    }


def _quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the first and third quartile: medians of the halves, or for an odd count between those two that may be.

    https://en.wikipedia.org/wiki/Quartile#Computing_methods, methods 2 and 3.
    """
    rounds = len(ordered)
    if rounds == 1:
        return ordered[0], ordered[0]
    if rounds % 2 == 0:
        return statistics.median(ordered[: rounds // 2]), statistics.median(ordered[rounds // 2 :])
    n = rounds // 4
    if rounds % 4 == 1:
        return 0.25 * ordered[n - 1] + 0.75 * ordered[n], 0.75 * ordered[3 * n] + 0.25 * ordered[3 * n + 1]
    return 0.75 * ordered[n] + 0.25 * ordered[n + 1], 0.25 * ordered[3 * n + 1] + 0.75 * ordered[3 * n + 2]
