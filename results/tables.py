"""Records to a tidy pandas frame, one row a case, and pivots of it for people."""

import math
import operator
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from results import breakeven, stats
from results.breakeven import BreakEven
from results.catalogue import BOUNDS, METRICS
from results.collector import paused
from results.metrics import Measured, is_baseline, measure_file
from results.sanity import warnings
from results.schema import AXES, Case, Record, Static, Summary
from results.store import Records, RunFile
from results.timings import timings

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = (
    "run",
    "cpu",
    "accelerator",
    "torch",
    *AXES,
    "family",
    "block",
    "depth",
    "status",
    "cause",
    "replicates",
    "failed_replicates",
    *METRICS,
    *BOUNDS,
    "interval",
    "equality",
    "state",
    "stop",
    "warnings",
    "notes",
    "nulls",
)
"""The columns of `table`, in order."""

_axes: Final = operator.attrgetter(*AXES)


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

    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for file in records.files:
        rows = _rows(file)
        for name, column in columns.items():
            column += [row[name] for row in rows]
    kinds = dict.fromkeys((*METRICS, *BOUNDS), "float64") | dict.fromkeys(
        ("batch_size", "image_size", "replicates", "failed_replicates"), "int64"
    )
    frame = pd.DataFrame(
        {
            name: np.array(column, dtype=kinds[name]) if name in kinds else column or np.array([], dtype=object)
            for name, column in columns.items()
        }
    )
    frame = frame.astype({"depth": "Int64", "threads": "Int64"})
    frame.attrs["units"] = {name: metric.unit for name, metric in METRICS.items()} | BOUNDS
    return frame


def _rows(file: RunFile) -> list[dict[str, Any]]:
    """Return the rows of the cases of one run."""
    told = timings(file.records)
    measured, statics, cases = measure_file(file, told), file.static_costs(), file.cases()
    evens = breakeven.of_file(file, cases, measured)
    checked = {
        id(record): warnings(record, statics.get((record.case.model, record.case.image_size)), file.run.peaks, timing)
        for record, timing in zip(file.records, told, strict=True)
    }
    environment = file.run.environment
    names = {one.device: one.name for one in environment.accelerators}
    rows = []
    for case, replicates in cases.items():
        static = statics.get((case.model, case.image_size))
        rows.append(
            {
                "run": file.run.id,
                "cpu": environment.cpu,
                "accelerator": names.get(case.device),
                "torch": environment.torch,
                **dict(zip(AXES, _axes(case), strict=True)),
                **_row(list(replicates.values()), static, measured, checked, evens.get(case)),
            }
        )
    return rows


def _row(
    replicates: Sequence[Record],
    static: Static | None,
    metrics: Mapping[int, Measured],
    checked: Mapping[int, tuple[str, ...]],
    even: BreakEven | None,
) -> dict[str, Any]:
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
    values, nulls = _combined(measured)
    row: dict[str, Any] = {
        "family": static.family if static else None,
        "block": static.block if static else None,
        "depth": static.depth if static else None,
        "status": failed[0].status if failed else "ok",
        "cause": _cause(failed, replicates),
        "replicates": len(sound),
        "failed_replicates": len(failed),
        "equality": _equality(sound),
        "state": _state(sound),
        "stop": worst_stop(sound),
        "warnings": tuple(dict.fromkeys(line for record in sound for line in checked[id(record)])),
        "notes": tuple(dict.fromkeys(note for record in replicates for note in record.notes)),
        "interval": None,
        "nulls": nulls,
        **values,
    }
    for name, low, high in (
        ("latency_s", "latency_low_s", "latency_high_s"),
        ("speedup", "speedup_low", "speedup_high"),
    ):
        interval = _interval(name, case, measured)
        if interval is None:
            row[low] = row[high] = None
            nulls[low] = nulls[high] = nulls.get(name, _no_interval(name, case))
        else:
            row[low], row[high] = interval.low, interval.high
            row["interval"] = "replicates" if len(sound) > 1 else "process"
    _add_break_even(row, nulls, even)
    if row["equality"] is None:
        nulls["equality"] = nulls["equality_error"]
    return row


def _of_summary(record: Record, summary: Summary, measured: Measured) -> dict[str, Any]:
    """Return what the row of an imported case holds beside its run and its axes."""
    same = ("family", "block", "depth", "replicates", "failed_replicates", "interval", "equality", "state", "warnings")
    return {
        **{name: getattr(record, name) for name in ("status", "cause", "stop", "notes")},
        **{name: getattr(summary, name) for name in same},
        **measured.metrics,
        **{name: summary.bounds.get(name) for name in BOUNDS},
        "nulls": measured.nulls,
    }


def _add_break_even(row: dict[str, Any], nulls: dict[str, str], even: BreakEven | None) -> None:
    """Write the steps to break-even over what stands for those that no record has."""
    if even is None:
        row["break_even_low"] = row["break_even_high"] = None
        nulls["break_even_low"] = nulls["break_even_high"] = nulls["break_even_steps"]
        return
    few = even.reason or f"fewer than {stats.MIN_TURNS} steady turns"
    found = {
        "break_even_steps": (even.cold and even.cold.value, even.reason),
        "break_even_low": (even.cold and even.cold.low, few),
        "break_even_high": (even.cold and even.cold.high, few),
        "warm_break_even_steps": (even.warm and even.warm.value, even.reason or nulls.get("warm_compile_s")),
    }
    for name, (value, why) in found.items():
        row[name] = None if value == math.inf else value
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
    stops = {record.stop for record in sound}
    if not stops or None in stops:
        return None
    return next((stop for stop in ("time-limit", "budget") if stop in stops), "target")


def _equality(sound: Sequence[Record]) -> str | None:
    verdicts = {record.equality.verdict for record in sound if record.equality is not None}
    return next((verdict for verdict in ("wrong", "eager-twice-differs", "equal") if verdict in verdicts), None)


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


def depth_by_block(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return throughput in images a second by depth (rows) and kind of network (columns), of sound and right cases.

    Rows are split by whatever else differs between the cases, and those of settings with a single model, which has
    nothing beside it, are left out. A column is a family with its block type; models that share a depth in it, such
    as two ResNeXts of 101 layers, get a column each for that depth.
    """
    sound = frame[(frame["status"] == "ok") & frame["equality"].ne("wrong") & frame["depth"].notna()].copy()
    axes = [axis for axis in ("run", *AXES) if axis != "model"]
    sound = sound[sound.groupby(axes)["model"].transform("nunique") > 1]
    conditions = _varying(sound, axes)
    block = sound["block"].fillna("").str.removeprefix("preact_")  # the family says it
    sound["kind"] = (sound["family"] + " " + block).str.strip()
    crowded = sound.groupby(["kind", "depth"])["model"].transform("nunique") > 1
    sound["kind"] = sound["kind"].mask(crowded, sound["kind"] + ": " + sound["model"])
    pivot = sound.set_index([*conditions, "depth", "kind"])["throughput_img_per_s"].unstack("kind")  # noqa: PD010
    return pivot.sort_index()


def speedups(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the speed-up over fp32, eager, nchw by model (rows) and precision, runtime and layout (columns).

    Rows are split by whatever else differs between the cases; only sound cases count, and the baseline, which is 1
    by definition, is left out.
    """
    arms = ["precision", "runtime", "layout"]
    baseline = frame[arms].eq(["fp32", "eager", "nchw"]).all(axis=1)
    sound = frame[(frame["status"] == "ok") & frame["speedup"].notna() & ~baseline]
    conditions = _varying(sound, [axis for axis in ("run", *AXES) if axis not in {"model", *arms}])
    return sound.set_index(["model", *conditions, *arms])["speedup"].unstack(arms).sort_index()  # noqa: PD010


def _varying(frame: "pd.DataFrame", columns: Sequence[str]) -> list[str]:
    return [column for column in columns if len(frame[column].drop_duplicates()) > 1]
