"""JSON that pytest-benchmark saves (``--benchmark-json``, ``--benchmark-save``), of any project.

A benchmark states little about its network, so each axis is read by its name from ``extra_info``, then from ``params``,
and comes from options where it is in neither. The rounds of a benchmark become the steps of a process.
"""

import dataclasses
from typing import Any, Final

from msgspec import structs

from results.errors import InputError
from results.importers.image_sizes import foreign_size
from results.importers.reading import (
    Content,
    Imported,
    Options,
    Tell,
    check_new,
    device_and_chip,
    quoted,
    unknown_environment,
)
from results.importers.timm_names import TIMM, Network
from results.schema.axes import AXES, COUNTS, SIZES
from results.schema.case import OPTIONAL, UNSTATED, Case
from results.schema.metrics import METRICS
from results.schema.record import Record, Samples, Summary
from results.schema.run import RunHeader
from results.schema.types import LEAST_S, MOST_S
from results.schema.validation import InvalidError, document, validated
from results.text import printable

FORMAT: Final = "pytest-benchmark"

_MAX_BYTES: Final = 64 * 2**20
"""JSON takes many times its size in memory, and a line of a run file is no longer than this."""
_OURS: Final = {known.model: known for known in TIMM.values()}
_ROUNDS: Final = "its steps are pytest-benchmark's rounds, all taken as steady"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Stats:
    median: float
    """Seconds an iteration, as `data`."""
    data: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Benchmark:
    name: str
    stats: _Stats
    extra_info: dict[str, Any] | None = None
    params: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The fields that are read; other fields are ignored."""

    benchmarks: tuple[_Benchmark, ...]
    machine_info: dict[str, Any] | None = None
    datetime: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A benchmark as a record, and what it states about its machine."""

    position: str
    run: str
    record: Record
    chip: str | None
    torch: str | None
    started: str | None
    """Date of the run, where an export of ours states it."""


def read(content: Content, options: Options, tell: Tell) -> list[Imported]:  # noqa: ARG001 - an importer's signature
    """Return the runs of a file: a single run, or the named runs of our own export.

    Raises:
        InputError: The file is no such JSON, or lacks a value that a case needs.
    """
    file = _parsed(content)
    runs: dict[str, list[_Read]] = {}
    for index, benchmark in enumerate(file.benchmarks):
        benchmark_read = _read(content, f"benchmarks[{index}]", benchmark, options)
        runs.setdefault(benchmark_read.run, []).append(benchmark_read)
    if not runs:
        raise InputError(f"{content.name}: benchmarks: holds none to import")
    return [_imported(content, file, name, own) for name, own in runs.items()]


def _parsed(content: Content) -> _File:
    if len(content.data) > _MAX_BYTES:
        raise InputError(f"{content.name}: larger than {_MAX_BYTES // 2**20} MiB; save it without the rounds")
    try:
        return validated(document(content.text()), _File)
    except InvalidError as error:
        raise InputError(f"{content.name}: {error}; this is no JSON of pytest-benchmark") from None


def _read(content: Content, position: str, benchmark: _Benchmark, options: Options) -> _Read:
    extra = benchmark.extra_info or {}
    where = f"{content.name} {position}"
    axes = {axis: _axis(where, axis, benchmark, options) for axis in AXES}
    ours = extra if _is_ours(extra) else {}
    chip = ours.get("machine") if isinstance(ours.get("machine"), str) else None
    if options.device is not None:
        axes["device"], chip = device_and_chip(options.device, axes["device"])
    for axis, value in axes.items():
        if value is None and axis not in OPTIONAL:
            option = axis.replace("_", "-")
            raise InputError(f"{where}: {axis}: in neither extra_info nor params; give --{option}")
    run, torch = ours.get("run"), extra.get("torch")
    return _Read(
        position=position,
        run=run if isinstance(run, str) else content.run_id(),
        record=_record(where, Case(**axes), benchmark),
        chip=chip,
        torch=options.torch or (torch if isinstance(torch, str) else None),
        started=_word(ours, "started"),
    )


def _axis(where: str, axis: str, benchmark: _Benchmark, options: Options) -> Any:
    """Return the value of an axis, None where neither the benchmark nor an option states it."""
    for name in ("extra_info", "params"):
        values = getattr(benchmark, name) or {}
        value = values.get(axis)
        if value is None and axis == "in_channels" and "image_size" in values:
            _, value = _size(f"{where}.{name}.image_size", values["image_size"])
        if value is not None and axis in SIZES:
            return _size(f"{where}.{name}.{axis}", value)[0]
        if value is not None:
            kind = int if axis in COUNTS else str
            if type(value) is not kind:
                word = "a whole number" if kind is int else "text"
                raise InputError(f"{where}.{name}.{axis}: {quoted(str(value))} is not {word}")
            return value
    if axis == "model":
        return printable(benchmark.name)[:128]
    return options.axes.get(axis, UNSTATED.get(axis))


def _size(where: str, value: object) -> tuple[int | str, int | None]:
    try:
        return foreign_size(value)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _record(where: str, case: Case, benchmark: _Benchmark) -> Record:
    record = Record(case=case, replicate=0, status="ok", started=None, duration_s=None)
    extra, data = benchmark.extra_info or {}, benchmark.stats.data
    if _is_ours(extra):
        return structs.replace(record, summary=_exported(where, case, extra))
    if not data:
        latency = benchmark.stats.median
        if not _is_time(latency):
            raise InputError(f"{where}.stats.median: {latency} is no time of a step in seconds")
        return structs.replace(record, summary=_summary(case, {"latency_s": latency}))
    samples = Samples(step_s=data, wall_s=data, turn=tuple(range(len(data))), warmup=0, steady=True)
    return structs.replace(record, samples=samples, notes=(_ROUNDS,))


def _exported(where: str, case: Case, extra: dict[str, Any]) -> Summary:
    """Return what an export of ours states: its rounds are those of several processes, and belong to no single one."""
    metrics, ends = extra["metrics"], extra.get("bounds", {})
    if not _is_time(metrics["latency_s"]):
        raise InputError(
            f"{where}.extra_info.metrics.latency_s: {quoted(str(metrics['latency_s']))} is no time of a step"
        )
    if not isinstance(ends, dict) or not all(isinstance(pair, list) and len(pair) == 2 for pair in ends.values()):
        raise InputError(f"{where}.extra_info.bounds: no object of pairs, as an export of resnet-bench has")
    bounds = {
        column: end
        for name, metric in METRICS.items()
        for column, end in zip(metric.bounds or (), ends.get(name, ()), strict=False)
    }
    return structs.replace(_summary(case, metrics), bounds=bounds, interval=extra.get("interval"))


def _is_ours(extra: dict[str, Any]) -> bool:
    """Return whether a benchmark comes from our own export, whose ``extra_info`` holds more than axes."""
    return isinstance(extra.get("metrics"), dict) and "latency_s" in extra["metrics"]


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and LEAST_S <= value <= MOST_S


def _summary(case: Case, metrics: dict[str, float]) -> Summary:
    named = _OURS.get(case.model, Network(model=case.model, family=None))
    rate = {"throughput_img_per_s": case.batch_size / metrics["latency_s"]}
    return Summary(metrics=rate | metrics, family=named.family, block=named.block, depth=named.depth)


def _imported(content: Content, file: _File, name: str, benchmarks: list[_Read]) -> Imported:
    seen: dict[Case, str] = {}
    for benchmark in benchmarks:
        wrong = check_new(benchmark.record.case, seen, benchmark.position)
        if wrong:
            raise InputError(f"{content.name} {benchmark.position}: {wrong}")
    chips = {benchmark.record.case.device: benchmark.chip for benchmark in benchmarks if benchmark.chip}
    info = file.machine_info or {}
    stated = info.get("cpu")
    cpu: dict[str, Any] = stated if isinstance(stated, dict) else {}
    cores = cpu.get("count")
    run = RunHeader(
        id=name,
        started=next((benchmark.started for benchmark in benchmarks if benchmark.started), file.datetime),
        suite=FORMAT,
        settings=None,
        environment=unknown_environment(
            cpu=chips.get("cpu") or _word(cpu, "brand_raw") or _word(cpu, "brand"),
            logical_cores=cores if type(cores) is int and cores > 0 else None,
            os=_word(info, "system"),
            kernel=_word(info, "release"),
            python=_word(info, "python_version"),
            torch=next((benchmark.torch for benchmark in benchmarks if benchmark.torch), None),
            accelerators={device: chip for device, chip in chips.items() if device != "cpu"},
        ),
        plan=tuple(seen),
        source=content.source(FORMAT),
    )
    return Imported(
        run=run,
        records=tuple(benchmark.record for benchmark in benchmarks),
        positions=tuple(benchmark.position for benchmark in benchmarks),
    )


def _word(info: dict[str, Any], name: str) -> str | None:
    value = info.get(name)
    return value if isinstance(value, str) and value else None
