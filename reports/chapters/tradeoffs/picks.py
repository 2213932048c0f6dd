"""The sentences of the figures of accuracy against cost: which variant to choose."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from reports.chapters.tradeoffs.uncertainty import relative_cost, within_uncertainty
from reports.style.measures import Measure
from reports.style.rows import CaseView
from reports.style.units import quantity
from reports.style.views import CONTEXT, split
from reports.style.words import conditions_text, extreme, first_row, percent_text, throughput_text

CLOSE: Final = 0.01
"""Accuracy that a reader may give up for speed: one percentage point."""


def most_telling(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the most informative set of rows that are equal on every axis but the model."""
    return split(frame, CONTEXT)[0].frame


def _fastest(pick: CaseView, best: CaseView) -> str:
    """Return the sentence on the fastest of the rows whose accuracy is within `CLOSE` of the best, without its end."""
    said = (
        f"{pick.model} is the fastest variant within one point of the best ImageNet top-1: "
        f"{percent_text(pick.imagenet_top1)} at {throughput_text(pick)}"
    )
    if pick.model == best.model:
        return f"{said}; nothing here is more accurate"
    ratio = pick.throughput_img_per_s / best.throughput_img_per_s
    return f"{said}, {ratio:.2g} times as fast as the most accurate, {best.model} ({percent_text(best.imagenet_top1)})"


def fastest(frame: pd.DataFrame) -> str:
    """Return the sentences on the fastest variant within `CLOSE` of the best accuracy, in the most informative set."""
    rows = most_telling(frame)
    best, close = _close(rows)
    pick = extreme(close, "throughput_img_per_s", largest=True)
    return f"{_fastest(pick, best)} ({_where(rows)}).{relative_cost(pick)}{within_uncertainty(pick, close)}"


def cheapest(measure: Measure, does: str) -> Callable[[pd.DataFrame], str]:
    """Return a function for the sentences on the variant with the least of a measure within `CLOSE` of the best.

    They are about the most informative set of comparable cases; `does` is the verb. A measure of time has intervals.
    """

    def sentence(frame: pd.DataFrame) -> str:
        rows = most_telling(frame)
        best, close = _close(rows)
        pick = extreme(close, measure.column, largest=False)
        value, most = getattr(pick, measure.column), getattr(best, measure.column)
        said = (
            f"{pick.model} {does} of the variants within one point of the best ImageNet top-1: "
            f"{percent_text(pick.imagenet_top1)} at {quantity(value, measure.unit, *measure.stored_bounds(pick))}"
        )
        if pick.model != best.model:
            said += f", {value / most:.2g} times that of the most accurate, {best.model}"
        known = relative_cost(pick) + within_uncertainty(pick, close) if measure.column == "latency_s" else ""
        return f"{said} ({_where(rows)}).{known}"

    return sentence


def _close(rows: pd.DataFrame) -> tuple[CaseView, pd.DataFrame]:
    """Return the most accurate row, and the rows whose accuracy is within `CLOSE` of it."""
    best: CaseView = extreme(rows, "imagenet_top1", largest=True)
    return best, rows[rows["imagenet_top1"] >= best.imagenet_top1 - CLOSE]


def _where(rows: pd.DataFrame) -> str:
    first = first_row(rows)
    return f"{conditions_text(first)} · {first.machine}"
