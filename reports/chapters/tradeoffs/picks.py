"""The sentences of the figures of accuracy against cost: which variant to choose."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from reports.style.measures import Measure
from reports.style.units import quantity
from reports.style.views import CONTEXT, split
from reports.style.words import conditions_text, extreme, first_row, percent_text, throughput_text

CLOSE: Final = 0.01
"""Accuracy that a reader may give up for speed: one percentage point."""


def most_telling(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the most informative set of rows that are equal on every axis but the model."""
    return split(frame, CONTEXT)[0].frame


def _fastest(frame: pd.DataFrame) -> str:
    """Return the sentence on the fastest of the rows whose accuracy is within `CLOSE` of the best."""
    best = extreme(frame, "imagenet_top1", largest=True)
    close = frame[frame["imagenet_top1"] >= best.imagenet_top1 - CLOSE]
    pick = extreme(close, "throughput_img_per_s", largest=True)
    said = (
        f"{pick.model} is the fastest variant within one point of the best ImageNet top-1: "
        f"{percent_text(pick.imagenet_top1)} at {throughput_text(pick)}"
    )
    if pick.model == best.model:
        return f"{said}; nothing here is more accurate."
    ratio = pick.throughput_img_per_s / best.throughput_img_per_s
    return f"{said}, {ratio:.2g} times as fast as the most accurate, {best.model} ({percent_text(best.imagenet_top1)})."


def fastest(frame: pd.DataFrame) -> str:
    """Return the sentence on the fastest variant within `CLOSE` of the best accuracy, in the most informative set."""
    rows = most_telling(frame)
    return f"{_fastest(rows)[:-1]} ({_where(rows)})."


def cheapest(measure: Measure, does: str) -> Callable[[pd.DataFrame], str]:
    """Return a function for the sentence on the variant with the least of a measure within `CLOSE` of the best.

    The sentence is about the most informative set of comparable cases; `does` is its verb.
    """

    def sentence(frame: pd.DataFrame) -> str:
        rows = most_telling(frame)
        best = extreme(rows, "imagenet_top1", largest=True)
        close = rows[rows["imagenet_top1"] >= best.imagenet_top1 - CLOSE]
        pick = extreme(close, measure.column, largest=False)
        value, most = getattr(pick, measure.column), getattr(best, measure.column)
        said = (
            f"{pick.model} {does} of the variants within one point of the best ImageNet top-1: "
            f"{percent_text(pick.imagenet_top1)} at {quantity(value, measure.unit, *measure.stored_bounds(pick))}"
        )
        if pick.model != best.model:
            said += f", {value / most:.2g} times that of the most accurate, {best.model}"
        return f"{said} ({_where(rows)})."

    return sentence


def _where(rows: pd.DataFrame) -> str:
    first = first_row(rows)
    return f"{conditions_text(first)} · {first.machine}"
