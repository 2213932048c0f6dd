"""timm's benchmark tables: the CSV files in its folder ``results``, and CSV or JSON of its ``benchmark.py``.

Columns and their order differ from file to file; those of inference begin with ``infer_``, of training with
``train_``, and a run of both has both in one row. Times are milliseconds a batch, GMACs and activations are counted
by timm with fvcore, and accuracy comes from its ``results-imagenet.csv``.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import structs

from results.errors import InputError
from results.importers.reading import (
    Content,
    Imported,
    Options,
    Tell,
    missing,
    unknown_environment,
)
from results.importers.rows import SourceRow, csv_rows, json_rows, quoted, row_images
from results.importers.timm_accuracy import Accuracy, accuracy_of
from results.importers.timm_files import ParsedName, parsed
from results.importers.timm_names import architecture, network
from results.importers.timm_rows import TIMES, UNEXPLAINED, Attempt, ReadRows, attempt_of, without_words
from results.schema.axes import CONDITIONS, SETTINGS, is_silent
from results.schema.case import Case
from results.schema.labels import PROMISES, TASKS
from results.schema.lines.record import Record, Summary
from results.schema.lines.run import RunHeader
from results.schema.types import LEAST_S, MOST_S
from results.text import printable

FORMAT: Final = "timm"
AGREEMENT: Final = 0.05
"""Allowed disagreement of throughput and step time: at most 3 % in timm's own files, in training."""

_PREFIXES: Final = {"infer_": "inference", "train_": "training"}
_COUNTS: Final = {"param_count": ("parameters", 1e6), "gmacs": ("fvcore_macs", 1e9), "macts": ("activations", 1e6)}
"""Metrics by column, with the unit of the column."""
_PHASES: Final = {"fwd_time": "forward_s", "bwd_time": "backward_s", "opt_time": "optimizer_s"}
_OF_ROWS: Final = ("task", "batch_size", "image_size")
"""Axes whose values the rows and columns state."""
_COLUMNS: Final = ("samples_per_sec", "step_time", "batch_size", "img_size", "error", *_COUNTS, *_PHASES)
_ROUNDED: Final = "timm rounds its counts: parameters and activations to 10,000, MACs to 10 million"
_COUNTED: Final = "timm's GMACs are those of fvcore, which counts batch norm and pooling too"
_TF32: Final = "timm leaves TF32 on in fp32, at least for convolutions"
_UNSCALED: Final = "timm trains amp-fp16 without a gradient scaler"
_TIMED: Final = "timm times a step by the wall clock, and waits for the device after each"
_AUTOTUNED: Final = "timm switches cuDNN's autotuner on, as eager:autotune does"
_NO_GRAD: Final = "timm runs inference under no_grad, not inference_mode"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """Facts that all rows of a file share."""

    known: ParsedName
    """Facts from the file's name and the options."""
    options: Options
    sides: dict[str, str | None]
    """Prefixes of the columns to import, with their tasks."""
    both: bool
    """Whether there are columns of both tasks."""
    accuracy: Accuracy


def read(content: Content, options: Options, tell: Tell) -> list[Imported]:
    """Return the run that one of timm's files holds.

    Raises:
        InputError: The file, a row or an option is wrong, or something is missing that a case needs.
    """
    heads, rows = _table(content)
    known = parsed(content.path.stem, options)
    sides = _sides(content.name, heads, known, options)
    _check_stated(content.name, heads, sides, known, options)
    file = _File(
        known=known,
        options=options,
        sides=sides,
        both=len(_prefixes(heads)) > 1,
        accuracy={} if options.accuracy is None else accuracy_of(options.accuracy, tell),
    )
    _tell_unknown(content.name, heads, tell)
    rows_read = _read_rows(file, rows)
    rows_read.tell(content.name, tell)
    records = rows_read.records
    if not records:
        raise InputError(f"{content.name}: holds no row to import")
    device, chip = known.axes["device"], known.chip
    accelerators = {} if device == "cpu" else {device: chip}
    run = RunHeader(
        id=content.run_id(),
        started=None,
        suite=FORMAT,
        settings=None,
        environment=unknown_environment(
            cpu=chip if device == "cpu" else None, torch=known.torch, cuda=known.cuda, accelerators=accelerators
        ),
        plan=tuple(records),
        source=content.source(FORMAT),
    )
    return [Imported(run=run, records=tuple(records.values()), positions=tuple(rows_read.positions.values()))]


def _table(content: Content) -> tuple[tuple[str, ...], Iterator[SourceRow]]:
    """Return the columns and rows of CSV, or of the JSON that ``benchmark.py`` prints behind a line ``--result``."""
    text = content.text().rpartition("--result\n")[2].lstrip()
    return json_rows(content, text) if text[:1] in {"[", "{"} else csv_rows(content)


def _read_rows(file: _File, rows: Iterable[SourceRow]) -> ReadRows:
    read = ReadRows()
    names: dict[Case, str] = {}
    for row in map(without_words, rows):
        name = row.cells["model"].strip()
        if not name:
            raise row.error("model", "empty")
        if network(name).depth is None and file.options.only_known:
            continue
        attempts = [(prefix, task, attempt_of(row, prefix)) for prefix, task in file.sides.items()]
        timed = any(attempt.cause is None for _, _, attempt in attempts)
        for prefix, task, attempt in attempts:
            record = _record(file, row, prefix, task, attempt)
            if record is None:
                # A run of both tasks leaves the columns of a task empty that was not measured.
                if not (timed and attempt.cause == UNEXPLAINED):
                    read.without_case.append(f"{row.position} ({printable(name)})")
                continue
            if names.setdefault(record.case, name) != name:  # other weights of the same network: a second opinion
                case = structs.replace(record.case, model=f"timm:{name}")
                record = structs.replace(record, case=case)
            read.add(record, row.position)
    return read


def _sides(name: str, heads: tuple[str, ...], known: ParsedName, options: Options) -> dict[str, str | None]:
    """Return the prefixes of the columns to import, with their tasks; None where nothing states the task."""
    if "model" not in heads:
        raise InputError(f"{name} line 1: no column 'model', so this is none of timm's benchmark tables")
    if "top1" in heads:
        raise InputError(f"{name} line 1: a table of accuracy, not of speed; --accuracy takes results-imagenet.csv")
    sides: dict[str, str | None] = {**_prefixes(heads)} or {"": known.axes.get("task")}
    given = options.axes.get("task")
    if given is not None:
        sides = {prefix: task for prefix, task in sides.items() if task == given}
        if not sides:
            raise InputError(f"{name} line 1: no columns of {given}; leave out --task")
    for prefix, task in sides.items():
        if not {f"{prefix}{column}" for column in TIMES} & set(heads):
            what = f" for {task}" if task else ""
            raise InputError(f"{name} line 1: no column '{prefix}samples_per_sec' or '{prefix}step_time'{what}")
    return sides


def _check_stated(
    name: str, heads: tuple[str, ...], sides: Mapping[str, str | None], known: ParsedName, options: Options
) -> None:
    """Raise `InputError`, with all options to give, where nothing states the value of an axis."""
    lacking = {axis for axis in (*SETTINGS, *CONDITIONS) if axis not in known.axes and axis not in _OF_ROWS}
    if None in sides.values():
        lacking.add("task")
    for axis, column in (("batch_size", "batch_size"), ("image_size", "img_size")):
        if axis not in options.axes and any(f"{prefix}{column}" not in heads for prefix in sides):
            lacking.add(axis)
    words = ""
    if known.unknown and "runtime" not in options.axes:
        lacking.add("runtime")
        words = f", where {', '.join(map(quoted, known.unknown))} says nothing,"
    if lacking:
        raise missing(name, lacking, f"the file's name{words} nor its columns")


def _prefixes(heads: tuple[str, ...]) -> dict[str, str]:
    return {prefix: task for prefix, task in _PREFIXES.items() if any(head.startswith(prefix) for head in heads)}


def _tell_unknown(name: str, heads: tuple[str, ...], tell: Tell) -> None:
    known = {f"{prefix}{column}" for prefix in ("", *_PREFIXES) for column in _COLUMNS}
    strange = [head for head in heads if head not in known and head != "model"]
    if strange:
        more = f" and {len(strange) - 10} more" if len(strange) > 10 else ""
        tell(f"{name}: columns that are not imported: {', '.join(map(quoted, strange[:10]))}{more}")


def _record(file: _File, row: SourceRow, prefix: str, task: str | None, attempt: Attempt) -> Record | None:
    """Return the record of an attempt, None where it failed and the row does not state its case."""
    name = row.cells["model"].strip()
    batch = _size(row, f"{prefix}batch_size", file.options, "batch_size", attempt)
    images = _images(row, f"{prefix}img_size", file.options, attempt)
    if batch is None or images is None:
        return None
    named = network(name)
    own = {"model": named.model, "task": task, "batch_size": batch}
    case = Case(**file.known.axes | own | images)
    summary = Summary(metrics={}, family=named.family, block=named.block, depth=named.depth)
    record = Record(case=case, replicate=0, status=attempt.status, started=None, duration_s=None, summary=summary)
    if attempt.cause is not None:
        failed = structs.replace(summary, replicates=0, failed_replicates=1)
        return structs.replace(record, cause=attempt.cause, summary=failed)
    metrics, notes = _times(row, prefix, case, attempt)
    share = metrics["throughput_img_per_s"] * metrics["latency_s"] / batch
    clocks = (f"clocks: throughput times step time is {share:.2g} times the batch",)
    counts = _counts(row, prefix)
    if counts:
        notes.append(_ROUNDED)
    nulls = dict.fromkeys(("macs", "flops", "training_flops"), _COUNTED) if "fvcore_macs" in counts else {}
    accuracy = _top1(file, name, case, nulls, notes)
    return structs.replace(
        record,
        summary=structs.replace(
            summary, metrics=metrics | counts | accuracy, warnings=clocks if abs(share - 1) > AGREEMENT else ()
        ),
        nulls=nulls,
        notes=tuple(notes),
    )


def _times(row: SourceRow, prefix: str, case: Case, attempt: Attempt) -> tuple[dict[str, float], list[str]]:
    """Return the measured values, and notes on them."""
    step_ms, rate, notes = attempt.step_ms, attempt.rate, []
    if step_ms is None or rate is None:
        notes.append("timm gives only one of step time and throughput: the other follows from the batch")
    latency = step_ms / 1000 if step_ms is not None else case.batch_size / (rate or math.inf)
    if not LEAST_S <= latency <= MOST_S:
        raise row.error(f"{prefix}samples_per_sec", f"gives a step of {latency:g} s")
    metrics = {"latency_s": latency, "throughput_img_per_s": case.batch_size / latency if rate is None else rate}
    for column, metric in _PHASES.items():
        value = row.number(f"{prefix}{column}", 0, 1000 * MOST_S)
        if value is not None:
            metrics[metric] = value / 1000
    promise = PROMISES[case.precision]
    if case.device != "cpu":
        notes += (_TIMED, _AUTOTUNED)
        if promise.compute == "float32" and not promise.tf32:
            notes.append(_TF32)
    if not TASKS[case.task].trains:
        notes.append(_NO_GRAD)
    if promise.grad_scaler and TASKS[case.task].trains:
        notes.append(_UNSCALED)
    return metrics, notes


def _counts(row: SourceRow, prefix: str) -> dict[str, float]:
    """Return the static cost as timm counts it."""
    counts = {}
    for column, (metric, unit) in _COUNTS.items():
        value = row.number(f"{prefix}{column}" if f"{prefix}{column}" in row.cells else column, 0, 1e9)
        if value:  # a count that is rounded to 0 is unknown
            counts[metric] = float(round(value * unit))
    return counts


def _top1(file: _File, name: str, case: Case, nulls: dict[str, str], notes: list[str]) -> dict[str, float]:
    """Return the accuracy if it is known; add the reason to `nulls` if not, or the weights' name to `notes`."""
    if file.options.accuracy is None:
        return {}
    best = file.accuracy.get((architecture(name), case.image_size))
    if best is None or not is_silent("in_channels", case.in_channels):
        nulls["imagenet_top1"] = "timm has no weights of this architecture at this image size"
        return {}
    notes.append(f"ImageNet top-1 is that of timm's best weights at this image size, {best[1]}")
    return {"imagenet_top1": best[0]}


def _size(row: SourceRow, column: str, options: Options, axis: str, attempt: Attempt) -> int | None:
    """Return a size of the case, None where a row of a failure does not state it."""
    value = row.whole(column) if _states(row, column, attempt) else None
    stated = _or_option(row, column, options, axis, attempt) if value is None else value
    return None if stated is None else int(stated)


def _images(row: SourceRow, column: str, options: Options, attempt: Attempt) -> dict[str, int | str] | None:
    """Return the axes of the images, None where a row of a failure does not state them."""
    images = row_images(row, column) if _states(row, column, attempt) else {}
    if images:
        return images
    size = _or_option(row, column, options, "image_size", attempt)
    return None if size is None else {"image_size": size}


def _states(row: SourceRow, column: str, attempt: Attempt) -> bool:
    """Return whether a cell states a size: a failure may leave it empty or at 0."""
    cell = row.cells.get(column, "").strip()
    return bool(cell.strip("0.") if attempt.cause is not None else cell)


def _or_option(row: SourceRow, column: str, options: Options, axis: str, attempt: Attempt) -> int | str | None:
    if axis not in options.axes and attempt.cause is None:
        raise row.error(column, f"missing; give --{axis.replace('_', '-')}")
    return options.axes.get(axis)
