"""An A/B comparison as text, for people and for programs."""

from typing import Any

import msgspec

from reports.text.table import check_format, grid_text, lines_text
from results.analysis.ab import Paired
from results.metrics.rows import json_text
from results.text import csv_text, digits, half_width


def arms_text(paired: Paired, fmt: str) -> str:
    """Return the comparison as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` is one object with the outcome and everything behind it; ``csv`` holds the ratio of each pair, and leaves
    the outcome to the exit code.

    Raises:
        InputError: There is no such format.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text({"outcome": paired.outcome, **msgspec.to_builtins(paired)})
    if fmt == "csv":
        return csv_text(["pair", "ratio"], [[index, ratio] for index, ratio in enumerate(paired.ratios)])
    heads = ["arm", "case", "ms", "img/s"]
    rows = [_row("a", paired.a.key, paired.a.batch_size, paired.a_latency_s)]
    rows += [_row("b", paired.b.key, paired.b.batch_size, paired.b_latency_s)]
    return lines_text(_above(paired), fmt) + grid_text(heads, rows, fmt, numbers_from=2)


def _row(arm: str, case: str, batch_size: int, latency_s: float | None) -> list[str]:
    if latency_s is None:
        return [arm, case, "-", "-"]
    return [arm, case, digits(1e3 * latency_s, None), digits(batch_size / latency_s, None)]


def _above(paired: Paired) -> list[str]:
    return [
        f"{paired.outcome}: {_verdict(paired)}",
        *(f"but {reason}" for reason in paired.reasons),
        *(f"{change.what}: {change.base} in a, {change.new} in b" for change in (*paired.counts, *paired.environment)),
        *paired.notices,
    ]


def _verdict(paired: Paired) -> str:
    judged: Any = paired.judged
    margin = f"at a margin of {100 * paired.margin:g} %"
    if judged.low is None:
        return f"inconclusive, {judged.reason}"
    relative = half_width(judged.ratio, judged.low, judged.high)
    span = f"{judged.low:.4f} to {judged.high:.4f}"
    told = f"b takes {digits(judged.ratio, relative)} times as long as a ({span}, {judged.pairs} pairs)"
    word = {"same": "the same", "inconclusive": "inconclusive"}.get(judged.verdict, f"b is {judged.verdict}")
    spread = f"the pairs spread by {100 * judged.spread:.2f} %"
    return f"{word} {margin}: {told}; {spread}"
