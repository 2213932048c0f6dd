"""JSON that pytest-benchmark saves (``--benchmark-json``, ``--benchmark-save``), of any project.

A benchmark states little about its network, so each axis is read from ``extra_info``, then from ``params``, and comes
from options where it is in neither. The rounds of a benchmark become the steps of a process.
"""

import collections
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import structs

from results.errors import InputError
from results.importers.benchmark_axes import UnmeasurableError, said_chip, settled_precision, stated_axes
from results.importers.reading import (
    Content,
    Imported,
    Options,
    Tell,
    check_new,
    missing,
    positions_text,
    settled_device,
    short_name,
    unknown_environment,
)
from results.importers.rows import quoted
from results.importers.timm_names import TIMM, Network
from results.schema.axes import AXES
from results.schema.case import OPTIONAL, UNSTATED, Case
from results.schema.lines.record import Record, Samples, Summary
from results.schema.lines.run import RunHeader, Source
from results.schema.metrics import METRICS
from results.schema.types import LEAST_S, MOST_S
from results.schema.validation import InvalidError, document, validated

FORMAT: Final = "pytest-benchmark"

_MAX_BYTES: Final = 64 * 2**20
"""JSON takes many times its size in memory, and a line of a run file is no longer than this."""
_OURS: Final = {known.model: known for known in TIMM.values()}
_UNVERSIONED: Final = {"unversioned", "unknown", ""}
"""What pytest-benchmark writes where there is no commit."""
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
    fullname: str | None = None
    """The name behind the test's module."""
    extra_info: dict[str, Any] | None = None
    params: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The fields that are read; other fields are ignored."""

    benchmarks: tuple[_Benchmark, ...]
    machine_info: dict[str, Any] | None = None
    commit_info: dict[str, Any] | None = None
    datetime: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """A benchmark and what it states."""

    position: str
    benchmark: _Benchmark
    run: str
    axes: dict[str, Any]
    chip: str | None = None
    """Name of its device."""

    @property
    def ours(self) -> dict[str, Any]:
        """What an export of ours states besides."""
        extra = self.benchmark.extra_info or {}
        return extra if _is_ours(extra) else {}


def read(content: Content, options: Options, tell: Tell) -> list[Imported]:
    """Return the runs of a file: a single run, or the named runs of our own export.

    Raises:
        InputError: The file is no such JSON, or lacks a value that a case needs.
    """
    file = _parsed(content)
    stated = _on_devices(content.name, _all_stated(content, file, tell), file, options)
    stated = [_with_options(each, options) for each in stated]
    lacking = {axis for each in stated for axis in AXES if axis not in {*OPTIONAL, *each.axes}} - {"model"}
    if lacking:
        raise missing(content.name, lacking, "extra_info nor params")
    for axis, value in options.axes.items():
        unused = [each.position for each in stated if each.axes[axis] != value]
        if unused:
            option = f"--{axis.replace('_', '-')} {value}"
            tell(f"{content.name}: {option} is not used where the file states another value: {positions_text(unused)}")
    unnamed = {each.axes["device"] for each in stated if each.axes["device"] != "cpu" and not each.chip}
    if unnamed:
        tell(f"{content.name}: {', '.join(sorted(unnamed))}: an accelerator without a name; give --device NAME")
    runs: dict[str, list[tuple[_Stated, Record]]] = {}
    for each, case in zip(stated, _cases(content.name, stated, tell), strict=True):
        record = _record(f"{content.name} {each.position}", case, each.benchmark)
        runs.setdefault(each.run, []).append((each, record))
    return [_imported(content, file, options, name, own) for name, own in runs.items()]


def _parsed(content: Content) -> _File:
    if len(content.data) > _MAX_BYTES:
        raise InputError(f"{content.name}: larger than {_MAX_BYTES // 2**20} MiB; save it without the rounds")
    try:
        return validated(document(content.text()), _File)
    except InvalidError as error:
        raise InputError(f"{content.name}: {error}; this is no JSON of pytest-benchmark") from None


def _all_stated(content: Content, file: _File, tell: Tell) -> list[_Stated]:
    """Return all benchmarks that are cases, without the values that options give."""
    stated: list[_Stated] = []
    unnamed: list[str] = []
    left_out: list[str] = []
    for index, benchmark in enumerate(file.benchmarks):
        position = f"benchmarks[{index}]"
        sources = {"extra_info": benchmark.extra_info, "params": benchmark.params}
        try:
            axes = stated_axes(f"{content.name} {position}", sources, _noting(unnamed, content.name))
        except UnmeasurableError as error:
            left_out.append(str(error).removeprefix(f"{content.name} "))
            continue
        each = _Stated(position=position, benchmark=benchmark, run=content.run_id(), axes=axes)
        chip, run = each.ours.get("machine"), each.ours.get("run")
        named = dataclasses.replace(each, chip=chip if isinstance(chip, str) else None)
        stated.append(dataclasses.replace(named, run=run) if isinstance(run, str) else named)
    if not stated:
        raise InputError(
            f"{content.name}: benchmarks: holds none to import{''.join(f'; {why}' for why in left_out[:1])}"
        )
    if left_out:
        tell(f"{content.name}: {len(left_out)} of {len(file.benchmarks)} left out: {positions_text(left_out)}")
    if unnamed:
        tell(f"{content.name}: no name of a network, so the test's name counts: {positions_text(unnamed)}")
    return stated


def _noting(lines: list[str], name: str) -> Callable[[str, str], None]:
    return lambda path, value: lines.append(f"{path.removeprefix(f'{name} ')} is {value}")


def _on_devices(name: str, stated: Sequence[_Stated], file: _File, options: Options) -> list[_Stated]:
    """Return the benchmarks with their devices, of which ``--device`` may name those of a single kind."""
    kinds = {device == "cpu" for each in stated if (device := each.axes.get("device")) is not None}
    named = []
    for each in stated:
        device, chip = each.axes.get("device"), each.chip
        if options.device is not None:
            device, given = settled_device(f"{name} {each.position}", options.device, device, mixed=len(kinds) > 1)
            chip = given or chip
        if chip is None and device is not None and device != "cpu":
            chip = said_chip(device, (each.benchmark.extra_info or {}, file.machine_info or {}))
        named.append(dataclasses.replace(each, axes=each.axes | ({"device": device} if device else {}), chip=chip))
    return named


def _with_options(stated: _Stated, options: Options) -> _Stated:
    axes = {**UNSTATED, **options.axes, **stated.axes}
    if "precision" in axes and "device" in axes:
        axes["precision"] = settled_precision(axes["precision"], axes["device"])
    return dataclasses.replace(stated, axes=axes)


def _cases(name: str, stated: Sequence[_Stated], tell: Tell) -> list[Case]:
    """Return the case of each benchmark; those that would share a case have the full name of their test as model."""
    cases = [Case(**{"model": short_name(each.benchmark.name)} | each.axes) for each in stated]
    counts = collections.Counter((each.run, case) for each, case in zip(stated, cases, strict=True))
    shared = []
    for index, each in enumerate(stated):
        if counts[each.run, cases[index]] > 1 and each.benchmark.fullname:
            cases[index] = structs.replace(cases[index], model=short_name(each.benchmark.fullname))
            shared.append(each.position)
    if shared:
        tell(f"{name}: equal but for the full name of the test, which counts as model: {positions_text(shared)}")
    return cases


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


def _imported(
    content: Content, file: _File, options: Options, name: str, own: Sequence[tuple[_Stated, Record]]
) -> Imported:
    seen: dict[Case, str] = {}
    for each, record in own:
        wrong = check_new(record.case, seen, each.position)
        if wrong:
            raise InputError(f"{content.name} {each.position}: {wrong}")
    chips = {record.case.device: each.chip for each, record in own if record.case.device != "cpu" or each.chip}
    info = file.machine_info or {}
    stated = info.get("cpu")
    cpu: dict[str, Any] = stated if isinstance(stated, dict) else {}
    cores = cpu.get("count")
    torches = (_word(each.benchmark.extra_info or {}, "torch") for each, _ in own)
    starts = (_word(each.ours, "started") for each, _ in own)
    run = RunHeader(
        id=name,
        started=next(filter(None, starts), file.datetime),
        suite=FORMAT,
        settings=None,
        environment=unknown_environment(
            cpu=chips.get("cpu") or _word(cpu, "brand_raw") or _word(cpu, "brand"),
            logical_cores=cores if type(cores) is int and cores > 0 else None,
            os=_word(info, "system"),
            kernel=_word(info, "release"),
            python=_word(info, "python_version"),
            torch=options.torch or next(filter(None, torches), _word(info, "torch_version")),
            accelerators={device: chip for device, chip in chips.items() if device != "cpu"},
        ),
        plan=tuple(seen),
        source=_source(content, file.commit_info or {}),
    )
    return Imported(
        run=run,
        records=tuple(record for _, record in own),
        positions=tuple(each.position for each, _ in own),
    )


def _source(content: Content, commit_info: dict[str, Any]) -> Source:
    """Return the source with the commit of the benchmarks' code; git's id of nothing is all zeros."""
    source = content.source(FORMAT)
    commit = _word(commit_info, "id")
    if commit is None or commit in _UNVERSIONED or not commit.strip("0"):
        return source
    branch, dirty = _word(commit_info, "branch"), commit_info.get("dirty")
    return structs.replace(
        source,
        commit=short_name(commit),
        branch=branch and short_name(branch),
        dirty=dirty if isinstance(dirty, bool) else None,
    )


def _word(info: dict[str, Any], name: str) -> str | None:
    value = info.get(name)
    return value if isinstance(value, str) and value else None
