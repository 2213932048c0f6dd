"""Records to a tidy pandas frame, one row a case."""

import math
import operator
import statistics
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from results import breakeven, stats
from results.breakeven import BreakEven
from results.catalogue import BOUNDS, METRICS
from results.collector import paused
from results.metrics import Measured, is_baseline, measure_file
from results.sanity import warnings
from results.schema import AXES, Case, Record, Static, Summary
from results.segments import Floats
from results.store import Records, RunFile
from results.timings import timings

if TYPE_CHECKING:
    import pandas as pd

_MACHINE: Final = ("run", "cpu", "accelerator", "torch")
_KIND: Final = ("family", "block", "depth")
_OUTCOME: Final = ("status", "cause", "replicates", "failed_replicates")
_NUMBERS: Final = (*METRICS, *BOUNDS)
_TOLD: Final = ("interval", "equality", "state", "stop", "warnings", "notes", "nulls")
_TEXTS: Final = (*_MACHINE, *AXES, *_KIND, *_OUTCOME, *_TOLD)
"""All but the numbers, in order."""
_TYPES: Final = dict.fromkeys(("batch_size", "image_size", "replicates", "failed_replicates"), "int64") | dict.fromkeys(
    ("depth", "threads"), "Int64"
)
"""Types of those of `_TEXTS` that are numbers after all."""

COLUMNS: Final = (*_MACHINE, *AXES, *_KIND, *_OUTCOME, *_NUMBERS, *_TOLD)
"""The columns of `table`, in order."""

_INTERVALS: Final = (("latency_s", "latency_low_s", "latency_high_s"), ("speedup", "speedup_low", "speedup_high"))
_NO_BOUNDS: Final[dict[str, float | None]] = dict.fromkeys(BOUNDS)
_VERDICTS: Final = ("wrong", "eager-twice-differs", "equal")
_STOPS: Final = ("time-limit", "budget", "target")
"""The worst first."""
_axes: Final = operator.attrgetter(*AXES)
_kind: Final = operator.attrgetter(*_KIND)
_numbers: Final = operator.itemgetter(*_NUMBERS)

_Row = tuple[tuple[Any, ...], dict[str, float | int | None]]
"""What stands under `_TEXTS` from the kind on, and the numbers."""


@paused()
def table(records: Records) -> "pd.DataFrame":
    """Return a frame with one row for each case of each run, failed cases included, in the order of the plan.

    Metrics are float64 columns in the units of ``frame.attrs["units"]`` (by column), NaN where a value could not
    be had; the column ``nulls`` holds a dict of the reasons. Replicates are brought together as `METRICS` says.
    The number of ``threads`` is null where an imported source does not tell it.
    ``interval`` says what the bounds of latency and speed-up span: ``replicates`` (two or more processes), or
    ``process`` (the turns of a single one, which does not tell how another would do). Where any replicate
    failed, ``status`` and ``cause`` are those of the first that did, and ``replicates`` counts only the others,
    from which the metrics come: a case that fails now and then never looks sound. A replicate that was measured
    again after a break counts once, as it was last.

    ``equality`` is the worst verdict of the replicates that were checked (a run checks the first);
    ``state`` is the worst of ``steady``, ``slowing`` and ``never steady``; ``stop`` is ``target`` only where all
    replicates became precise enough. Steps to break-even that are infinite are NaN with a reason that begins with
    ``never``.
    """
    import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

    texts: list[tuple[Any, ...]] = []
    numbers = [np.empty((0, len(_NUMBERS)))]
    for file in records.files:
        rows, found = _rows(file)
        texts += rows
        numbers.append(found)
    values = dict(zip(_NUMBERS, np.concatenate(numbers).T, strict=True))
    # Text is of type object: pandas' own holds, with pyarrow beside it, no lone surrogates.
    values |= {
        name: pd.Series(column, dtype=_TYPES.get(name, "object"))
        for name, column in zip(_TEXTS, zip(*texts, strict=True) if texts else [()] * len(_TEXTS), strict=True)
    }
    frame = pd.DataFrame({name: values[name] for name in COLUMNS})
    frame.attrs["units"] = {name: metric.unit for name, metric in METRICS.items()} | BOUNDS
    return frame


def _rows(file: RunFile) -> tuple[list[tuple[Any, ...]], Floats]:
    """Return what stands under `_TEXTS`, and the numbers, for the cases of one run."""
    told = timings(file.records)
    measured, statics, cases = measure_file(file, told), file.static_costs(), file.cases()
    evens = breakeven.of_file(file, cases, measured)
    peaks = file.run.peaks
    checked = {
        id(record): warnings(record, statics.get((record.case.model, record.case.image_size)), peaks, timing)
        for record, timing in zip(file.records, told, strict=True)
    }
    environment = file.run.environment
    names = {one.device: one.name for one in environment.accelerators}
    texts, numbers = [], []
    for case, replicates in cases.items():
        static = statics.get((case.model, case.image_size))
        text, values = _row(list(replicates.values()), static, measured, checked, evens.get(case))
        machine = (file.run.id, environment.cpu, names.get(case.device), environment.torch)
        texts.append((*machine, *_axes(case), *text))
        numbers.append(_numbers(values))
    return texts, np.array(numbers, dtype=np.float64).reshape(-1, len(_NUMBERS))


def _row(
    replicates: Sequence[Record],
    static: Static | None,
    metrics: Mapping[int, Measured],
    checked: Mapping[int, tuple[str, ...]],
    even: BreakEven | None,
) -> _Row:
    """Return what the row of one case holds beside its run and its axes.

    Args:
        replicates: its records, each replicate once.
        static: the cost of its model.
        metrics: those of the records, by their identity.
        checked: their warnings, by their identity.
        even: its break-even, None where it has none.
    """
    first = replicates[0]
    case = first.case
    if first.summary is not None:
        return _of_summary(first, first.summary, metrics[id(first)])
    failed = [record for record in replicates if record.status != "ok"]
    sound = [record for record in replicates if record.status == "ok"] if failed else replicates
    measured = [metrics[id(record)] for record in sound or failed[:1]]
    combined, nulls = _combined(measured)
    values = combined | _NO_BOUNDS
    spans = None
    for name, low, high in _INTERVALS:
        interval = _interval(name, case, measured)
        if interval is None:
            nulls[low] = nulls[high] = nulls.get(name) or _no_interval(name, case)
        else:
            values[low], values[high] = interval.low, interval.high
            spans = "replicates" if len(sound) > 1 else "process"
    _add_break_even(values, nulls, even)
    equality = _equality(sound)
    if equality is None:
        nulls["equality"] = nulls["equality_error"]
    text = (
        *(_kind(static) if static else (None, None, None)),
        failed[0].status if failed else "ok",
        _cause(failed, replicates),
        len(sound),
        len(failed),
        spans,
        equality,
        _state(sound),
        worst_stop(sound),
        tuple(dict.fromkeys(chain.from_iterable([checked[id(record)] for record in sound]))),
        tuple(dict.fromkeys(chain.from_iterable([record.notes for record in replicates]))),
        nulls,
    )
    return text, values


def _of_summary(record: Record, summary: Summary, measured: Measured) -> _Row:
    """Return what the row of an imported case holds beside its run and its axes."""
    text = (
        *_kind(summary),
        record.status,
        record.cause,
        summary.replicates,
        summary.failed_replicates,
        summary.interval,
        summary.equality,
        summary.state,
        record.stop,
        summary.warnings,
        record.notes,
        measured.nulls,
    )
    return text, measured.metrics | _NO_BOUNDS | summary.bounds


def _add_break_even(values: dict[str, float | int | None], nulls: dict[str, str], even: BreakEven | None) -> None:
    """Write the steps to break-even over what stands for those that no record has."""
    if even is None:
        nulls["break_even_low"] = nulls["break_even_high"] = nulls["break_even_steps"]
        return
    few = even.reason or f"fewer than {stats.MIN_TURNS} steady turns"
    found: dict[str, tuple[float | None, str | None]] = {
        "break_even_steps": (None if even.cold is None else even.cold.value, even.reason),
        "break_even_low": (None if even.cold is None else even.cold.low, few),
        "break_even_high": (None if even.cold is None else even.cold.high, few),
        "warm_break_even_steps": (
            None if even.warm is None else even.warm.value,
            even.reason or nulls.get("warm_compile_s"),
        ),
    }
    for name, (value, why) in found.items():
        values[name] = None if value == math.inf else value
        nulls.pop(name, None)
        if value == math.inf:
            never = "the interval of the ratio to eager reaches 1" if name in BOUNDS else "it is not faster than eager"
            nulls[name] = f"never: {never}"
        elif value is None:
            nulls[name] = why or "not known"


def _cause(failed: Sequence[Record], replicates: Sequence[Record]) -> str | None:
    if not failed:
        return None
    cause = failed[0].cause or "no cause given"
    if len(replicates) == 1:
        return cause
    return f"{len(failed)} of {len(replicates)} replicates failed, the first with: {cause}"


def worst_stop(sound: Sequence[Record]) -> str | None:
    """Return why sampling ended: ``target`` only if every replicate became precise enough."""
    stops = [record.stop for record in sound]
    if not stops or None in stops:
        return None
    return next(stop for stop in _STOPS if stop in stops)


def _equality(sound: Sequence[Record]) -> str | None:
    verdicts = [record.equality.verdict for record in sound if record.equality is not None]
    return next(verdict for verdict in _VERDICTS if verdict in verdicts) if verdicts else None


def _state(sound: Sequence[Record]) -> str | None:
    series = [record.samples for record in sound if record.samples is not None]
    if not series:
        return None
    if all(one.steady for one in series):
        return "steady"
    return "slowing" if all(one.steady or one.slowing for one in series) else "never steady"


def _combined(measured: Sequence[Measured]) -> tuple[dict[str, float | int | None], dict[str, str]]:
    """Return one value of each metric from all replicates, and the reasons of those that are None."""
    if len(measured) == 1:
        known = measured[0].nulls
        return measured[0].metrics, {name: known[name] for name in METRICS if name in known}
    values: dict[str, float | int | None] = {}
    nulls: dict[str, str] = {}
    for name in METRICS:
        values[name], reason = _combine(name, measured)
        if reason is not None:
            nulls[name] = reason
    return values, nulls


def _combine(name: str, measured: Sequence[Measured]) -> tuple[float | None, str | None]:
    """Return one value of the metric from all replicates, or None and the reason."""
    found = [one.metrics[name] for one in measured]
    values = [value for value in found if value is not None]
    combine = METRICS[name].combine
    if not values or (combine != "known" and len(values) < len(found)):
        return None, next(one.nulls[name] for one in measured if one.metrics[name] is None)
    match combine:
        case "geometric":
            return stats.geometric_mean(values), None
        case "median":
            return statistics.median(values), None
        case "max" | "known":
            return max(values), None
        case "same" | "run":
            return values[0], None


def _interval(name: str, case: Case, measured: Sequence[Measured]) -> stats.Interval | None:
    if name == "speedup" and is_baseline(case):
        return None
    if len(measured) == 1:
        return measured[0].intervals.get(name)
    values = [value for one in measured if (value := one.metrics[name]) is not None]
    return stats.across(values) if len(values) == len(measured) else None


def _no_interval(name: str, case: Case) -> str:
    if name == "speedup" and is_baseline(case):
        return "it is the baseline"
    return f"fewer than {stats.MIN_TURNS} steady turns"
