"""OpenMetrics text, for Prometheus and what reads the same (https://prometheus.io/docs/specs/om/open_metrics_spec/)."""

from collections.abc import Iterator, Sequence

from results.analysis.study import Study
from results.exporters.benchmarks import Benchmark, BenchmarkValue, benchmarks
from results.exporters.files import SINGLE, Files
from results.schema.metric import Metric
from results.schema.metrics import METRICS
from results.schema.units import UNITS


def to_openmetrics(study: Study) -> Files:
    """Return a gauge for each metric, ``resnet_bench_latency_seconds``, and for each end of its 95 % interval.

    Every sample has the run, the machine, the version of torch and the axes of its case as labels. Unknown values and
    labels are left out.

    Raises:
        InputError: No case has a result.
    """
    exported = benchmarks(study)
    labelled = [(_labels(benchmark), benchmark.values) for benchmark in exported.benchmarks]
    lines = [line for metric in METRICS.values() for line in _families(metric, labelled)]
    return Files(parts={SINGLE: "".join(f"{line}\n" for line in [*lines, "# EOF"])}, left_out=exported.left_out)


def names(metric: Metric) -> tuple[str, str]:
    """Return the name of the gauge of `metric` without its unit, and the unit in words (empty for a count)."""
    whole, unit = f"resnet_bench_{metric.name}", UNITS[metric.unit]
    if unit.words:
        return whole.removesuffix(f"_{unit.suffix}"), unit.words
    return whole, "" if metric.whole or metric.name.endswith("_steps") else "ratio"


def _families(metric: Metric, labelled: Sequence[tuple[str, dict[str, BenchmarkValue]]]) -> Iterator[str]:
    stem, unit = names(metric)
    values = [(labels, known[metric.name]) for labels, known in labelled if metric.name in known]
    for end, about, samples in (
        ("", "", [(labels, value.value) for labels, value in values]),
        ("_low", "lower end of the 95 % interval: ", [(labels, value.low) for labels, value in values]),
        ("_high", "upper end of the 95 % interval: ", [(labels, value.high) for labels, value in values]),
    ):
        lines = [f"{labels} {sample!r}" for labels, sample in samples if sample is not None]
        if lines:
            name = "_".join(filter(None, (stem + end, unit)))
            yield f"# HELP {name} {_escaped(about + metric.description)}"
            yield f"# TYPE {name} gauge"
            if unit:
                yield f"# UNIT {name} {unit}"
            yield from (f"{name}{sample}" for sample in lines)


def _labels(benchmark: Benchmark) -> str:
    run = benchmark.run
    labels = {"run": run.id, "machine": benchmark.machine, "torch": run.environment.torch, **benchmark.axes}
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items() if value) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
