"""A comparison as text, for people and for programs."""

import dataclasses
from typing import Any

from reports.text.table import check_format, grid_text, lines_text
from results.analysis.compare import Compared, Comparison
from results.metrics.rows import json_text, plain
from results.schema.axes import AXES
from results.text import csv_text, digits, half_width


def comparison_text(comparison: Comparison, fmt: str) -> str:
    """Return the comparison as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` is one object with the outcome and everything behind it; ``csv`` holds the rows of
    `Comparison.frame`, and leaves the outcome to the exit code.

    Raises:
        InputError: There is no such format.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text(_document(comparison))
    if fmt == "csv":
        frame = comparison.frame()
        return csv_text(list(frame.columns), [list(row.values()) for row in plain(frame)])
    cases = comparison.cases
    axes = [axis for axis in AXES if axis == "model" or len({getattr(one.case, axis) for one in cases}) > 1]
    if any(one.machine for one in cases):
        heads, names = ["machine", *axes], [[one.machine or "-"] for one in cases]
    else:
        heads, names = axes, [[] for _ in cases]
    heads = [*heads, "base ms", "new ms", "new / base", "95 % interval", "verdict", "why"]
    rows = [
        [*name, *(str(getattr(one.case, axis)) for axis in axes), *cells(one)]
        for name, one in zip(names, cases, strict=True)
    ]
    grid = grid_text(heads, rows, fmt, numbers_from=len(heads) - 6, numbers_to=-2)
    return lines_text(_above(comparison), fmt) + grid


def _above(comparison: Comparison) -> list[str]:
    counted: dict[str, int] = {}
    for one in comparison.cases:
        counted[one.verdict] = counted.get(one.verdict, 0) + 1
    told = ", ".join(f"{count} {word}" for word, count in counted.items()) or "no case"
    changes = [*comparison.counts, *comparison.environment]
    return [
        f"{comparison.outcome}: {told}, at a margin of {100 * comparison.margin:g} %",
        *comparison.reasons,
        *(f"{change.what}: {change.base} became {change.new}" for change in changes),
    ]


def cells(one: Compared) -> list[str]:
    """Return both latencies in ms, their ratio with its interval, the verdict and why, for people."""
    ratio = "-" if one.ratio is None else digits(one.ratio, None)
    span = "-"
    if one.ratio is not None and one.low is not None and one.high is not None:
        ratio = digits(one.ratio, half_width(one.ratio, one.low, one.high))
        span = f"{one.low:.3f} to {one.high:.3f}"
    return [_ms(one.base_latency_s), _ms(one.new_latency_s), ratio, span, one.verdict, one.reason or ""]


def _ms(value: float | None) -> str:
    return "-" if value is None else digits(1e3 * value, None)


def _document(comparison: Comparison) -> dict[str, Any]:
    content = dataclasses.asdict(comparison)
    return {"outcome": comparison.outcome, **content, "cases": plain(comparison.frame())}
