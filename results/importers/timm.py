"""timm's benchmark tables: the CSV files in its folder ``results``, and the output of its ``benchmark.py``.

Columns and their order differ from file to file; those of inference begin with ``infer_``, of training with
``train_``, and a run of both has both in one row. Times are milliseconds a batch, GMACs and activations are counted
by timm with fvcore, and accuracy comes from its ``results-imagenet.csv``.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import Final

from msgspec import structs

from results.errors import InputError
from results.importers.image_sizes import row_images
from results.importers.reading import (
    Content,
    Imported,
    Options,
    SourceRow,
    Tell,
    check_new,
    csv_rows,
    quoted,
    read_content,
    unknown_environment,
)
from results.importers.timm_files import ParsedName, parsed
from results.importers.timm_names import architecture, network
from results.schema.axes import CONDITIONS, SETTINGS, is_silent
from results.schema.case import Case
from results.schema.labels import PROMISES, TASKS
from results.schema.record import Record, Summary
from results.schema.run import RunHeader
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

Accuracy = dict[tuple[str, int | str], tuple[float, str]]
"""Best top-1 as a fraction and the weights that reach it, by architecture and image size."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """Facts that all rows of a file share."""

    name: str
    known: ParsedName
    """Facts from the file's name and the options."""
    options: Options
    sides: dict[str, str]
    """Prefixes of the columns to import, with their tasks."""
    both: bool
    """Whether there are columns of both tasks."""
    accuracy: Accuracy


def read(content: Content, options: Options, tell: Tell) -> list[Imported]:
    """Return the run that one of timm's files holds.

    Raises:
        InputError: The file, a row or an option is wrong, or something is missing that a case needs.
    """
    heads, rows = csv_rows(content)
    known = parsed(content.path.stem, options)
    file = _File(
        name=content.name,
        known=known,
        options=options,
        sides=_sides(content.name, heads, known, options),
        both=len(_prefixes(heads)) > 1,
        accuracy=_accuracy(options),
    )
    for axis in (*SETTINGS, *CONDITIONS):
        if axis not in known.axes and axis not in _OF_ROWS:
            option = axis.replace("_", "-")
            raise InputError(f"{content.name}: {axis}: the file's name does not state it; give --{option}")
    if not options.axes.get("runtime") and known.unknown:
        words = ", ".join(map(quoted, known.unknown))
        raise InputError(f"{content.name}: runtime: the file's name holds {words}, which says nothing; give --runtime")
    _tell_unknown(content.name, heads, tell)
    records, positions = _records(file, rows)
    device, chip = known.axes["device"], known.chip
    accelerators = {device: chip} if chip and device != "cpu" else {}
    run = RunHeader(
        id=content.run_id(),
        started=None,
        suite=FORMAT,
        settings=None,
        environment=unknown_environment(
            cpu=chip if device == "cpu" else None, torch=known.torch, cuda=known.cuda, accelerators=accelerators
        ),
        plan=tuple(record.case for record in records),
        source=content.source(FORMAT),
    )
    return [Imported(run=run, records=tuple(records), positions=tuple(positions))]


def _records(file: _File, rows: Iterable[SourceRow]) -> tuple[list[Record], list[str]]:
    """Return the records of all rows, and the position of each."""
    records: list[Record] = []
    positions: list[str] = []
    seen: dict[Case, str] = {}
    names: dict[Case, str] = {}
    for row in rows:
        for prefix, task in file.sides.items():
            record = _record(file, row, prefix, task)
            if record is None:
                continue
            name = row.cells["model"].strip()
            if names.setdefault(record.case, name) != name:  # other weights of the same network: a second opinion
                case = structs.replace(record.case, model=f"timm:{name}")
                record = structs.replace(record, case=case)
            wrong = check_new(record.case, seen, f"line {row.line}")
            if wrong:
                raise row.error("model", wrong)
            records.append(record)
            positions.append(f"line {row.line}")
    if not records:
        raise InputError(f"{file.name}: holds no row to import")
    return records, positions


def _sides(name: str, heads: tuple[str, ...], known: ParsedName, options: Options) -> dict[str, str]:
    """Return the prefixes of the columns to import, with their tasks."""
    if "model" not in heads:
        raise InputError(f"{name} line 1: no column 'model', so this is none of timm's benchmark tables")
    if "top1" in heads:
        raise InputError(f"{name} line 1: a table of accuracy, not of speed; give it with --accuracy")
    sides = _prefixes(heads)
    if not sides:
        if "task" not in known.axes:
            raise InputError(f"{name}: task: neither its name nor its columns state it; give --task")
        sides = {"": known.axes["task"]}
    given = options.axes.get("task")
    if given is not None:
        sides = {prefix: task for prefix, task in sides.items() if task == given}
        if not sides:
            raise InputError(f"{name} line 1: no columns of {given}; leave out --task")
    for prefix, task in sides.items():
        if not {f"{prefix}samples_per_sec", f"{prefix}step_time"} & set(heads):
            raise InputError(f"{name} line 1: no column '{prefix}samples_per_sec' or '{prefix}step_time' for {task}")
    return sides


def _prefixes(heads: tuple[str, ...]) -> dict[str, str]:
    return {prefix: task for prefix, task in _PREFIXES.items() if any(head.startswith(prefix) for head in heads)}


def _tell_unknown(name: str, heads: tuple[str, ...], tell: Tell) -> None:
    known = {f"{prefix}{column}" for prefix in ("", *_PREFIXES) for column in _COLUMNS}
    strange = [head for head in heads if head not in known and head != "model"]
    if strange:
        more = f" and {len(strange) - 10} more" if len(strange) > 10 else ""
        tell(f"{name}: columns that are not imported: {', '.join(map(quoted, strange[:10]))}{more}")


def _record(file: _File, row: SourceRow, prefix: str, task: str) -> Record | None:
    """Return the record of a row for `task`, None where the row has none or it is not imported."""
    name = row.cells["model"].strip()
    if not name:
        raise row.error("model", "empty")
    named = network(name)
    if named.depth is None and file.options.only_known:
        return None
    failure = row.cells.get(f"{prefix}error", "").strip() or row.cells.get("error", "").strip()
    step_ms = row.number(f"{prefix}step_time", 1000 * LEAST_S, 1000 * MOST_S)
    rate = row.number(f"{prefix}samples_per_sec", 1 / MOST_S, 1 / LEAST_S)
    if step_ms is None and rate is None and not failure:
        if file.both and not row.cells.get(f"{prefix}batch_size", "").strip():
            return None  # one task of a run of both was not measured
        raise row.error(f"{prefix}step_time", "empty, and samples_per_sec too")
    batch = _needed(row, f"{prefix}batch_size", file.options, "batch_size")
    images = row_images(row, f"{prefix}img_size") or {
        "image_size": _stated(row, f"{prefix}img_size", file.options, "image_size")
    }
    own = {"model": named.model, "task": task, "batch_size": batch}
    case = Case(**file.known.axes | own | images)
    summary = Summary(metrics={}, family=named.family, block=named.block, depth=named.depth)
    record = Record(case=case, replicate=0, status="ok", started=None, duration_s=None, summary=summary)
    if step_ms is None and rate is None:
        return structs.replace(
            record,
            status="out-of-memory" if "out of memory" in failure.lower() else "error",
            cause=printable(" ".join(failure.split()))[:1000],
            summary=structs.replace(summary, replicates=0, failed_replicates=1),
        )
    metrics, notes = _times(row, prefix, case, step_ms, rate)
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


def _times(
    row: SourceRow, prefix: str, case: Case, step_ms: float | None, rate: float | None
) -> tuple[dict[str, float], list[str]]:
    """Return the measured values, and notes on them."""
    notes = []
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
    if promise.compute == "float32" and not promise.tf32 and case.device != "cpu":
        notes.append(_TF32)
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


def _needed(row: SourceRow, column: str, options: Options, axis: str) -> int:
    value = row.whole(column)
    return int(_stated(row, column, options, axis)) if value is None else value


def _stated(row: SourceRow, column: str, options: Options, axis: str) -> int | str:
    if axis not in options.axes:
        raise row.error(column, f"missing; give --{axis.replace('_', '-')}")
    return options.axes[axis]


def _accuracy(options: Options) -> Accuracy:
    if options.accuracy is None:
        return {}
    content = read_content(options.accuracy)
    heads, rows = csv_rows(content)
    missing = [column for column in ("model", "img_size", "top1") if column not in heads]
    if missing:
        raise InputError(
            f"{content.name} line 1: no column {missing[0]!r}; --accuracy takes timm's results-imagenet.csv"
        )
    best: Accuracy = {}
    for row in rows:
        size, top1, name = row.whole("img_size"), row.number("top1", 0, 100), row.cells["model"].strip()
        if size is None or top1 is None:
            raise row.error("img_size" if size is None else "top1", "empty")
        key = (architecture(name), size)
        if key not in best or top1 / 100 > best[key][0]:
            best[key] = (top1 / 100, quoted(name))
    return best
