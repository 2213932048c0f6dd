"""Comparisons of trainings as text, for people and for programs."""

import collections
import dataclasses
from typing import Final

import msgspec

from reports.text.comparison import share_text
from reports.text.convergence.trainings import seconds_text
from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.convergence.quantities import JudgedTraining
from results.analysis.convergence.verdicts import TrainingComparison
from results.metrics.rows import json_text
from results.text import csv_text, digits, half_width

_HEADS: Final = (
    *("model", "data", "recipe", "quantity", "seeds", "base", "new"),
    *("change", "95 % interval", "verdict", "why"),
)


def training_comparison_text(comparison: TrainingComparison, fmt: str) -> str:
    """Return the comparison as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``json`` is an object with the outcome and its reasons; ``csv`` holds a row a quantity in SI units, without the
    outcome, which is the exit code.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    if fmt == "json":
        return json_text({"outcome": comparison.outcome, **msgspec.to_builtins(comparison)})
    if fmt == "csv":
        names = [field.name for field in dataclasses.fields(JudgedTraining)]
        return csv_text(names, [[getattr(judged, name) for name in names] for judged in comparison.judged])
    rows = [_cells(judged) for judged in comparison.judged]
    grid = grid_text(_HEADS, rows, fmt, numbers_from=4, numbers_to=-2)
    return lines_text(_above(comparison), fmt) + grid


def _above(comparison: TrainingComparison) -> list[str]:
    counts = collections.Counter(judged.verdict for judged in comparison.judged)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no training"
    margins = (
        f"margins of {share_text(comparison.margin)} of the time and "
        f"{100 * comparison.accuracy_margin:g} points of accuracy"
    )
    changes = [f"{change.what}: {change.base} became {change.new}" for change in comparison.environment]
    return [f"{comparison.outcome}: {verdicts}, at {margins}", *comparison.reasons, *changes]


def _cells(judged: JudgedTraining) -> list[str]:
    recipe = " → ".join(dict.fromkeys((judged.base_recipe, judged.new_recipe)))
    seeds = [(judged.base_reached, judged.base_seeds), (judged.new_reached, judged.new_seeds)]
    counts = [str(all_) if reached in {None, all_} else f"{reached} of {all_}" for reached, all_ in seeds]
    quantity: str = judged.quantity
    if judged.accuracy is not None:
        quantity = f"time to {100 * judged.accuracy:g} %"
    shown = _times(judged) if judged.quantity == "time to accuracy" else _accuracies(judged)
    return [
        *(judged.model, judged.data, recipe, quantity, " / ".join(counts)),
        *(*shown, judged.verdict, judged.reason or ""),
    ]


def _times(judged: JudgedTraining) -> list[str]:
    sides = [
        "not by all" if seconds is None else f"{seconds_text(seconds, None, None)} s"
        for seconds in (judged.base, judged.new)
    ]
    if judged.change is None:
        return [*sides, "-", "-"]
    if judged.low is None or judged.high is None:
        return [*sides, f"×{digits(judged.change, None)}", "-"]
    half = half_width(judged.change, judged.low, judged.high)
    return [*sides, f"×{digits(judged.change, half)}", f"{judged.low:.3f} to {judged.high:.3f}"]


def _accuracies(judged: JudgedTraining) -> list[str]:
    sides = ["-" if accuracy is None else f"{100 * accuracy:.2f} %" for accuracy in (judged.base, judged.new)]
    change = "-" if judged.change is None else f"{100 * judged.change:+.2f} points"
    if judged.low is None or judged.high is None:
        return [*sides, change, "-"]
    return [*sides, change, f"{100 * judged.low:+.2f} to {100 * judged.high:+.2f}"]
