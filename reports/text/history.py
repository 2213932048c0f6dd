"""Runs over time as text, for people and for programs."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from reports.text.table import check_format, grid_text, lines_text
from results.analysis.history import Change, Series, environment_text, frame
from results.metrics.rows import json_text, plain
from results.schema.axes import AXES
from results.statistics.changepoints import MIN_RUNS
from results.statistics.difference import FALSE_ALARMS
from results.text import csv_text, digits, half_width

_CHANGE: Final = (
    "since",
    "run",
    "before ms",
    "after ms",
    "after / before",
    "95 % interval",
    "noisy",
    "what else changed",
)
_NAMED: Final = 5
"""Runs left out that are told one by one."""
_SERIES: Final = ("runs", "failed", "noisy", "first ms", "last ms", "last / first", "changes")
_Named = list[tuple[str, Callable[[Series], str]]]


def history_text(series: Sequence[Series], fmt: str, margin: float) -> str:
    """Return runs over time as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    For people: the changes of level, the biggest first, and then a line for each series. ``json`` is one object with
    every series, its points and its changes; ``csv`` holds the rows of `results.analysis.history.frame`.

    Raises:
        InputError: There is no such format.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text({"margin": margin, "series": [msgspec.to_builtins(one) for one in series]})
    if fmt == "csv":
        found = frame(series)
        return csv_text(list(found.columns), [list(row.values()) for row in plain(found)])
    named = _names(series)
    text = lines_text(_above(series, margin), fmt)
    changes = [(one, change) for one in series for change in one.changes]
    if changes:
        heads = [name for name, _ in named]
        heads += [
            "since",
            "run",
            "before ms",
            "after ms",
            "after / before",
            "95 % interval",
            "noisy",
            "what else changed",
        ]
        changes.sort(key=lambda found: -max(found[1].ratio, 1 / found[1].ratio))
        rows = [[*(of(one) for _, of in named), *_change(change)] for one, change in changes]
        text += grid_text(heads, rows, fmt, numbers_from=len(named) + 2, numbers_to=-1) + lines_text([""], fmt)
    heads = [name for name, _ in named] + list(_SERIES)
    rows = [[*(of(one) for _, of in named), *_summary(one)] for one in series]
    return text + (grid_text(heads, rows, fmt, numbers_from=len(named), numbers_to=-1) if rows else "")


def _names(series: Sequence[Series]) -> _Named:
    """Return what tells the series apart: a head and how to get its cell."""
    axes = [axis for axis in AXES if axis == "model" or len({getattr(one.case, axis) for one in series}) > 1]
    named: _Named = [("machine", lambda one: one.machine)] if len({one.machine for one in series}) > 1 else []
    for axis in axes:
        named.append((axis, lambda one, axis=axis: str(getattr(one.case, axis))))  # type: ignore[misc]
    return named


def _above(series: Sequence[Series], margin: float) -> list[str]:
    count = sum(len(one.changes) for one in series)
    short = sum(one.reason is not None for one in series)
    machines = list(dict.fromkeys(one.machine for one in series))
    found = f"{_plural(count, 'change')} of level by more than {100 * margin:g} % in {len(series)} series"
    told = [f"{found}; advisory, as only `resnet-bench compare` and `ab` gate"]
    if len(machines) == 1:
        told += machines
    if short:
        sides = f"{MIN_RUNS} runs before it and {MIN_RUNS} from it on"
        told.append(f"{short} of {len(series)} series too short to tell: a change needs {sides}")
    if count:
        chance = f"{100 * FALSE_ALARMS:g} % of series of independent runs"
        told.append(f"about {chance} show a change where there is none, and more of those that drift")
    left_out = list(dict.fromkeys(line for one in series for line in one.left_out))
    told += left_out[:_NAMED]
    more = len(left_out) - _NAMED
    return [*told, f"{_plural(more, 'more run')} left out"] if more > 0 else told


def _change(change: Change) -> list[str]:
    return [
        change.started[:10],
        change.run,
        digits(1e3 * change.before_s, None),
        digits(1e3 * change.after_s, None),
        digits(change.ratio, half_width(change.ratio, change.low, change.high)),
        f"{change.low:.3f} to {change.high:.3f}",
        f"{change.noisy} of {change.runs}",
        environment_text(change),
    ]


def _summary(one: Series) -> list[str]:
    times = [time for point in one.points if (time := point.latency_s) is not None]
    ends = [1e3 * times[0], 1e3 * times[-1], times[-1] / times[0]] if times else []
    causes = list(dict.fromkeys(f"{point.status}: {point.cause}" for point in one.points if point.cause is not None))
    told = [one.reason or _plural(len(one.changes), "change"), *causes[:1]]
    return [
        str(len(one.points)),
        str(len(one.points) - len(times)),
        str(sum(bool(point.noisy) for point in one.points)),
        *([digits(end, None) for end in ends] or ["-"] * 3),
        "; ".join(told),
    ]


def _plural(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'s' if count > 1 else ''}"
