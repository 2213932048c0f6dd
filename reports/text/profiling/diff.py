"""The difference of two profiles as text."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from reports.style.rows import each
from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.profiles.breakdown import step_seconds
from results.analysis.profiles.diff import profile_diff
from results.metrics.rows import json_text
from results.schema.lines.profile import Profile
from results.text import csv_text, digits

MOST_ROWS: Final = 25
"""Rows of a table for people."""
MOST_LETTERS: Final = 48
"""Letters of a kernel's name in it."""


def diffs_text(pairs: Sequence[tuple[Profile, Profile]], fmt: str) -> str:
    """Return the differences of pairs of profiles as ``table``, ``json``, ``csv`` or ``markdown``.

    Raises:
        InputError: the format does not exist.
    """
    check_format(fmt)
    frames = [(a, b, profile_diff(a, b)) for a, b in pairs]
    if fmt == "json":
        return json_text([{"a": a.label, "b": b.label, "rows": frame.to_dict("records")} for a, b, frame in frames])
    if fmt == "csv":
        heads = ["a", "b", *frames[0][2].columns]
        rows = [[a.label, b.label, *row] for a, b, frame in frames for row in frame.itertuples(index=False)]
        return csv_text(heads, rows)
    return lines_text([""], fmt).join(_table(*each, fmt) for each in frames)


def _table(a: Profile, b: Profile, frame: pd.DataFrame, fmt: str) -> str:
    first, second = step_seconds(a), step_seconds(b)
    change = second - first
    names = [a.label] if a.label == b.label else [f"a: {a.label}", f"b: {b.label}"]
    word = "more" if change > 0 else "less"
    lines = [*names, f"a step takes {_ms(second)} ms in b and {_ms(first)} ms in a: {_ms(abs(change))} ms {word}"]
    rows = [
        [row.module, row.phase, row.kind, _ms(row.a_s), _ms(row.b_s), _change(row.change_s), f"{row.share:.0%}",
         f"{_cut(row.operator)} {_change(row.operator_change_s)}"]
        for row in each(frame.head(MOST_ROWS))
    ]  # fmt: skip
    rest = float(frame["change_s"].iloc[MOST_ROWS:].sum())
    if len(frame) > MOST_ROWS:
        rows.append([f"{len(frame) - MOST_ROWS} others", "", "", "", "", _change(rest), "", ""])
    heads = ["layer", "phase", "class", "a ms", "b ms", "change ms", "of it", "most changed operator, ms"]
    return lines_text(lines, fmt) + grid_text(heads, rows, fmt, numbers_from=3, numbers_to=7)


def _change(seconds: float) -> str:
    return f"{1e3 * seconds:+.3g}"


def _cut(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _ms(seconds: float) -> str:
    return digits(1e3 * seconds, None)
