"""Runs over time as text, for people and for programs."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from reports.style.words import plural
from reports.text.comparison import share_text, varying_axes
from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.history import LevelChange, Series, environment_text, frame
from results.metrics.rows import json_text, plain
from results.statistics.changepoints import MIN_RUNS
from results.statistics.difference import FALSE_ALARMS
from results.text import csv_text, digits, half_width, span_text

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
"""The most omitted runs that are listed with a line each."""
_SERIES: Final = ("runs", "failed", "noisy", "first ms", "last ms", "last / first", "changes")


def history_text(series: Sequence[Series], fmt: str, margin: float) -> str:
    """Return runs over time as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    Text for people lists the changes of level, the largest first, and then a line for each series. ``json`` is an
    object with all series, their points and changes; ``csv`` holds the rows of `results.analysis.history.frame`.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text({"margin": margin, "series": [msgspec.to_builtins(line) for line in series]})
    if fmt == "csv":
        points = frame(series)
        return csv_text(list(points.columns), [list(row.values()) for row in plain(points)])
    heads, cells = _names(series)
    text = lines_text(_above(series, margin), fmt)
    changes = [(line, change) for line in series for change in line.changes]
    if changes:
        changes.sort(key=lambda pair: -max(pair[1].ratio, 1 / pair[1].ratio))
        rows = [[*cells(line), *_change(change)] for line, change in changes]
        table = grid_text([*heads, *_CHANGE], rows, fmt, numbers_from=len(heads) + 2, numbers_to=-1)
        text += table + lines_text([""], fmt)
    rows = [[*cells(line), *_summary(line)] for line in series]
    return text + (grid_text([*heads, *_SERIES], rows, fmt, numbers_from=len(heads), numbers_to=-1) if rows else "")


def _names(series: Sequence[Series]) -> tuple[list[str], Callable[[Series], list[str]]]:
    """Return the heads of the columns that identify a series, and the function that returns its cells."""
    axes = varying_axes([line.case for line in series])
    several = len({line.machine for line in series}) > 1

    def cells(line: Series) -> list[str]:
        return [*([line.machine] if several else []), *(str(getattr(line.case, axis)) for axis in axes)]

    return [*(["machine"] if several else []), *axes], cells


def _above(series: Sequence[Series], margin: float) -> list[str]:
    count = sum(len(line.changes) for line in series)
    short = sum(line.reason is not None for line in series)
    machines = list(dict.fromkeys(line.machine for line in series))
    summary = f"{_changes(count)} of level by more than {share_text(margin)} in {len(series)} series"
    lines = [f"{summary}; advisory, as only `resnet-bench compare` and `ab` gate"]
    if len(machines) == 1:
        lines += machines
    if short:
        sides = f"{MIN_RUNS} runs before it and {MIN_RUNS} from it on"
        lines.append(f"{short} of {len(series)} series too short to tell: a change needs {sides}")
    if count:
        chance = f"{share_text(FALSE_ALARMS)} of series of independent runs"
        lines.append(f"about {chance} show a change where there is none, and more of those that drift")
    left_out = list(dict.fromkeys(reason for line in series for reason in line.left_out))
    lines += left_out[:_NAMED]
    more = len(left_out) - _NAMED
    return [*lines, f"{plural(more, 'more run')} left out"] if more > 0 else lines


def _change(change: LevelChange) -> list[str]:
    return [
        change.started[:10],
        change.run,
        digits(1e3 * change.before_s, None),
        digits(1e3 * change.after_s, None),
        digits(change.ratio, half_width(change.ratio, change.low, change.high)),
        span_text(change.ratio, change.low, change.high, 3),
        f"{change.noisy} of {change.runs}",
        environment_text(change),
    ]


def _summary(line: Series) -> list[str]:
    times = [time for point in line.points if (time := point.latency_s) is not None]
    ends = [1e3 * times[0], 1e3 * times[-1], times[-1] / times[0]] if times else []
    causes = list(dict.fromkeys(f"{point.status}: {point.cause}" for point in line.points if point.cause is not None))
    return [
        str(len(line.points)),
        str(len(line.points) - len(times)),
        str(sum(bool(point.noisy) for point in line.points)),
        *([digits(end, None) for end in ends] or ["-"] * 3),
        "; ".join([line.reason or _changes(len(line.changes)), *causes[:1]]),
    ]


def _changes(count: int) -> str:
    return plural(count, "change") if count else "no change"
