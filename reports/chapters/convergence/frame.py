"""The frames of trainings: a row an epoch and axis of the curves, and a row a recipe and accuracy."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import pandas as pd

from reports.figures.chart import Source
from reports.style.views import axis_text
from results.analysis.convergence.curves import CurveGroup, common_accuracy, curve_groups, curves
from results.analysis.convergence.frames import (
    EPOCH_COLUMNS,
    TRAINING_COLUMNS,
    epoch_frame,
    group_frame,
    same_data,
)
from results.schema.axes import AXES, is_silent
from results.storage.reader import Records
from results.text import printable

MOST_SERIES: Final = 8
"""The most recipes of a figure, those with the highest final accuracies: more colours could not be told apart."""
MOST_TARGETS: Final = 6
"""The most accuracies to which times are shown."""
AGAINST: Final = {
    "seconds": "elapsed_s",
    "images": "total_images",
    "epochs": "epoch",
    "joules": "total_energy_j",
}
"""What curves are drawn against, and its column of `results.epochs`."""
_OWN: Final = ("series", "shared", "hue")
"""Columns of every frame that `results` does not have."""


class PointView(Protocol):
    """A row of `curve_points`: an epoch of a seed, against one of `AGAINST`."""

    series: str
    hue: int
    """Index of the style of the series."""
    model: str
    seed: int
    status: str
    finished: bool
    epoch: int
    x: float
    validation_accuracy: float
    train_error: float


class RecipeView(Protocol):
    """A row of `recipes` or of `times`: the seeds of a recipe."""

    series: str
    hue: int
    model: str
    data: str
    seeds: int
    finished: int
    ends: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    interval: str | None
    expected_accuracy: float
    expected_source: str | None
    per_seed: tuple[float, ...]
    """Final accuracy, or seconds to the target, of each seed that has one."""
    target: float
    reached: int
    time_s: float
    time_low_s: float
    time_high_s: float
    seconds: float


def curve_points(source: Source) -> pd.DataFrame:
    """Return `results.epochs` with a row for each of `AGAINST`, and the series, style and end of each training."""
    parts = []
    for series in drawn(source.study.records):
        for curve in series.group.curves:
            rows = epoch_frame([curve]).assign(**series.columns(), finished=curve.final is not None)
            parts += [
                rows.assign(against=name, rank=rank, x=rows[column].astype("float64"))
                for rank, (name, column) in enumerate(AGAINST.items())
            ]
    if not parts:
        return pd.DataFrame(columns=[*EPOCH_COLUMNS, *_OWN, "finished", "against", "rank", "x"])
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["x"])
    return frame.sort_values(["data", "rank", "hue", "seed", "epoch"], kind="stable")


def recipes(source: Source) -> pd.DataFrame:
    """Return `results.trainings` with the series, style and final accuracies of each row."""
    rows = [
        {
            **group_frame([series.group]).iloc[0].to_dict(),
            **series.columns(),
            "per_seed": tuple(
                curve.final.validation_accuracy for curve in series.group.curves if curve.final is not None
            ),
        }
        for series in drawn(source.study.records)
    ]
    return pd.DataFrame(rows, columns=[*TRAINING_COLUMNS, *_OWN, "per_seed"])


def times(source: Source) -> pd.DataFrame:
    """Return a row for each recipe and each accuracy of `targets`, the accuracy that all reached first."""
    every = drawn(source.study.records)
    rows = []
    for series in every:
        for rank, target in enumerate(targets([other.group for other in every if other.data == series.data])):
            known = [curve.time_to(target) for curve in series.group.curves]
            row: dict[str, Any] = {
                str(name): value for name, value in group_frame([series.group], target).iloc[0].items()
            }
            reached = tuple(seconds for seconds in known if seconds is not None and math.isfinite(seconds))
            own = {"rank": rank, "to": f"{100 * target:g} %", "per_seed": reached}
            rows.append(row | series.columns() | own)
    frame = pd.DataFrame(rows, columns=[*TRAINING_COLUMNS, *_OWN, "rank", "to", "per_seed"])
    return frame.sort_values(["data", "rank", "hue"], kind="stable")


def targets(groups: Sequence[CurveGroup]) -> list[float]:
    """Return accuracies to which times are shown: what all finished trainings reached, what recipes promise, and more.

    The others are the highest multiples of 0.5 % that all finished seeds of a recipe reached.
    """
    common = common_accuracy(groups)
    if common is None:
        return []
    own = {accuracy for group in groups if (accuracy := common_accuracy([group])) is not None}
    expected = [group.training.expected for group in groups]
    own |= {promise.accuracy for promise in expected if promise is not None and promise.accuracy > 0}
    return [common, *sorted(own - {common}, reverse=True)][:MOST_TARGETS]


class Series(NamedTuple):
    """A recipe of a figure."""

    name: str
    """What distinguishes it from the others of its data set: network, recipe and settings, as far as they vary."""
    shared: str
    """What all recipes of its data set share."""
    data: str
    hue: int
    group: CurveGroup

    def columns(self) -> dict[str, Any]:
        """Return its columns of every frame."""
        return {"series": self.name, "shared": self.shared, "data": self.data, "hue": self.hue}


def drawn(records: Records) -> list[Series]:
    """Return the recipes of each data set, of many those `MOST_SERIES` with the highest final accuracies."""
    groups = curve_groups(curves(records))
    series: list[Series] = []
    rest = groups
    while rest:
        alike = same_data(rest, rest[0])
        rest = [group for group in rest if not any(group is other for other in alike)]
        best = sorted(alike, key=lambda group: -_final(group))[:MOST_SERIES]
        chosen = [group for group in alike if any(group is other for other in best)]
        names, shared = _names(chosen)
        first = chosen[0].training
        same_name = {group.training.data_digest for group in groups if group.training.data == first.data}
        data = printable(f"{first.data} {first.data_digest[:8]}" if len(same_name) > 1 else first.data)
        for hue, (name, group) in enumerate(zip(names, chosen, strict=True)):
            series.append(Series(name=name, shared=shared, data=data, hue=hue, group=group))
    return series


def _final(group: CurveGroup) -> float:
    finals = [curve.final.validation_accuracy for curve in group.curves if curve.final is not None]
    return sum(finals) / len(finals) if finals else 0.0


def _names(groups: Sequence[CurveGroup]) -> tuple[list[str], str]:
    """Return a name for each group of what varies, and what all share."""
    known = [dict(_facts(group)) for group in groups]
    varying = [name for name in known[0] if len({row[name] for row in known}) > 1]
    shown = varying or ["model", "recipe"]
    names = [" · ".join(filter(None, (row[name] for name in shown))) for row in known]
    shared = [text for name, text in known[0].items() if name not in {*shown, "machine"} and text]
    twice = {name for name in names if names.count(name) > 1}  # recipes of a name with several contents
    return [
        printable(f"{name} · {group.training.recipe_digest[:8]}" if name in twice else name)
        for name, group in zip(names, groups, strict=True)
    ], printable(" · ".join(shared))


def _facts(group: CurveGroup) -> Iterator[tuple[str, str]]:
    training = group.training
    yield "model", training.case.model
    yield "recipe", training.recipe
    yield "machine", group.machine
    for axis in AXES:
        value = getattr(training.case, axis)
        if axis not in {"model", "task"}:
            yield axis, "" if is_silent(axis, value) else axis_text(axis, value)
