"""Comparisons as text, for people and for programs: `results.compare` of runs, and A/B comparisons."""

import collections
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.ab import Paired
from results.analysis.compare import Compared, Comparison
from results.analysis.differences import Change
from results.metrics.rows import json_text, plain
from results.schema.axes import AXES
from results.schema.case import Case
from results.text import UNKNOWN, csv_text, digits, half_width, span_text


def comparison_text(comparison: Comparison, fmt: str) -> str:
    """Return the comparison as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` is an object with the outcome and its reasons; ``csv`` holds the rows of `Comparison.frame`, without the
    outcome, which is the exit code.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text(_document(comparison))
    if fmt == "csv":
        frame = comparison.frame()
        return csv_text(list(frame.columns), [list(row.values()) for row in plain(frame)])
    heads, cells = compared_columns(comparison.cases)
    rows = [cells(compared) for compared in comparison.cases]
    grid = grid_text(heads, rows, fmt, numbers_from=len(heads) - 6, numbers_to=-2)
    return lines_text(_above(comparison), fmt) + grid


def compared_columns(cases: Sequence[Compared]) -> tuple[list[str], Callable[[Compared], list[str]]]:
    """Return the heads of a table of cases, and the function that returns the cells of a case.

    The last six heads are both latencies in ms, their ratio with its interval, the verdict and its reason.
    """
    axes = varying_axes([compared.case for compared in cases])
    several = any(compared.machine for compared in cases)

    def cells(compared: Compared) -> list[str]:
        machine = [compared.machine or "-"] if several else []
        return [*machine, *(str(getattr(compared.case, axis)) for axis in axes), *_judged(compared)]

    heads = ["machine"] if several else []
    return [*heads, *axes, "base ms", "new ms", "new / base", "95 % interval", "verdict", "why"], cells


def varying_axes(cases: Sequence[Case]) -> list[str]:
    """Return the axes that identify these cases: the model, and the axes on which they differ."""
    values = {name: {getattr(case, name) for case in cases} for name in AXES}
    return [name for name, axis in AXES.items() if axis.role == "model" or len(values[name]) > 1]


def arms_text(paired: Paired, fmt: str) -> str:
    """Return an A/B comparison as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` is an object with the outcome and its reasons; ``csv`` holds the ratio of each pair, without the outcome,
    which is the exit code.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text({"outcome": paired.outcome, **msgspec.to_builtins(paired)})
    if fmt == "csv":
        return csv_text(["pair", "ratio"], [[index, ratio] for index, ratio in enumerate(paired.ratios)])
    arms = (("a", paired.a, paired.a_latency_s), ("b", paired.b, paired.b_latency_s))
    rows = [[name, case.key, *_speed(case, latency_s)] for name, case, latency_s in arms]
    return lines_text(_above_ab(paired), fmt) + grid_text(["arm", "case", "ms", "img/s"], rows, fmt, numbers_from=2)


def share_text(fraction: float) -> str:
    """Return a margin or a share for people: ``2 %``."""
    return f"{100 * fraction:g} %"


def ms_text(seconds: float | None) -> str:
    """Return a time in ms with three digits, ``-`` for None."""
    return "-" if seconds is None else digits(1e3 * seconds, None)


def _above(comparison: Comparison) -> list[str]:
    counts = collections.Counter(compared.verdict for compared in comparison.cases)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no case"
    return [
        f"{comparison.outcome}: {verdicts}, at a margin of {share_text(comparison.margin)}",
        *comparison.reasons,
        *(_changed(change) for change in (*comparison.counts, *comparison.environment)),
    ]


def _changed(change: Change) -> str:
    return f"{change.what}: {change.base} became {change.new}"


def _judged(compared: Compared) -> list[str]:
    ratio, span = "-", "-"
    if compared.ratio is not None:
        ratio = digits(compared.ratio, None)
        if compared.low is not None and compared.high is not None:
            ratio = digits(compared.ratio, half_width(compared.ratio, compared.low, compared.high))
            span = span_text(compared.ratio, compared.low, compared.high, 3)
    times = [ms_text(compared.base_latency_s), ms_text(compared.new_latency_s)]
    return [*times, ratio, span, compared.verdict, compared.reason or ""]


def _document(comparison: Comparison) -> dict[str, Any]:
    content = msgspec.to_builtins(comparison)
    return {"outcome": comparison.outcome, **content, "cases": plain(comparison.frame())}


def _within(span: str) -> str:
    return (
        f"interval {UNKNOWN}: wider than the ratio itself; more time or a quieter machine" if span == UNKNOWN else span
    )


def _speed(case: Case, latency_s: float | None) -> list[str]:
    return ["-", "-"] if latency_s is None else [ms_text(latency_s), digits(case.batch_size / latency_s, None)]


def _above_ab(paired: Paired) -> list[str]:
    return [
        f"{paired.outcome}: {_verdict(paired)}",
        *(f"but {reason}" for reason in paired.reasons),
        *(f"{change.what}: {change.base} in a, {change.new} in b" for change in (*paired.counts, *paired.environment)),
        *paired.notices,
    ]


def _verdict(paired: Paired) -> str:
    judged, margin = paired.judged, f"at a margin of {share_text(paired.margin)}"
    if judged.ratio is None or judged.low is None or judged.high is None or judged.spread is None:
        return f"inconclusive, {judged.reason}"
    span = span_text(judged.ratio, judged.low, judged.high, 4)
    ratio = digits(judged.ratio, half_width(judged.ratio, judged.low, judged.high))
    verdict = {"same": "the same", "inconclusive": "inconclusive"}.get(judged.verdict, f"b is {judged.verdict}")
    return (
        f"{verdict} {margin}: b takes {ratio} times as long as a ({_within(span)}, {judged.pairs} pairs); "
        f"the pairs spread by {100 * judged.spread:.2f} %"
    )
