"""The frames of trainings: a row an epoch and axis of the curves, and a row a recipe and accuracy."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

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


class PointView(Protocol):
    """A row of `points`: an epoch of a seed, against one of `AGAINST`."""

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


def points(source: Source) -> pd.DataFrame:
    """Return `results.epochs` with a row for each of `AGAINST`, and the series, style and end of each training."""
    groups = _shown(source.study.records)
    parts = []
    for hue, (series, group) in enumerate(groups):
        for curve in group.curves:
            rows = epoch_frame([curve]).assign(series=series, hue=hue, finished=curve.final is not None)
            parts += [
                rows.assign(against=name, rank=rank, x=rows[column].astype("float64"))
                for rank, (name, column) in enumerate(AGAINST.items())
            ]
    if not parts:
        return pd.DataFrame(columns=[*EPOCH_COLUMNS, "series", "hue", "finished", "against", "rank", "x"])
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["x"])
    return frame.sort_values(["data", "rank", "hue", "seed", "epoch"], kind="stable")


def recipes(source: Source) -> pd.DataFrame:
    """Return `results.trainings` with the series, style and final accuracies of each row."""
    groups = _shown(source.study.records)
    rows = [
        {
            **group_frame([group]).iloc[0].to_dict(),
            "series": series,
            "hue": hue,
            "per_seed": tuple(curve.final.validation_accuracy for curve in group.curves if curve.final is not None),
        }
        for hue, (series, group) in enumerate(groups)
    ]
    return pd.DataFrame(rows, columns=[*TRAINING_COLUMNS, "series", "hue", "per_seed"])


def times(source: Source) -> pd.DataFrame:
    """Return a row for each recipe and each accuracy of `targets`, the accuracy that all reached first."""
    groups = _shown(source.study.records)
    rows = []
    for hue, (series, group) in enumerate(groups):
        for rank, target in enumerate(targets(same_data([group for _, group in groups], group))):
            reached = [seconds for curve in group.curves if (seconds := curve.time_to(target)) is not None]
            rows.append(
                {
                    **group_frame([group], target).iloc[0].to_dict(),
                    "series": series,
                    "hue": hue,
                    "rank": rank,
                    "to": f"{100 * target:g} %",
                    "per_seed": tuple(seconds for seconds in reached if math.isfinite(seconds)),
                }
            )
    columns = [*TRAINING_COLUMNS, "series", "hue", "rank", "to", "per_seed"]
    return pd.DataFrame(rows, columns=columns).sort_values(["data", "rank", "hue"], kind="stable")


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


def _shown(records: Records) -> list[tuple[str, CurveGroup]]:
    """Return the groups with their names, of each data set those `MOST_SERIES` with the highest final accuracies."""
    groups = curve_groups(curves(records))
    ranked = sorted(groups, key=lambda group: -_final(group))
    ranked_by_data = {id(group): same_data(ranked, group)[:MOST_SERIES] for group in groups}
    chosen = [group for group in groups if any(group is other for other in ranked_by_data[id(group)])]
    return list(zip(_names(chosen), chosen, strict=True))


def _final(group: CurveGroup) -> float:
    finals = [curve.final.validation_accuracy for curve in group.curves if curve.final is not None]
    return sum(finals) / len(finals) if finals else 0.0


def _names(groups: Sequence[CurveGroup]) -> list[str]:
    """Return a name for each group: network and recipe, as far as they vary, and all else in which they differ."""

    def facts(group: CurveGroup) -> Iterator[tuple[str, str]]:
        training = group.training
        yield "model", training.case.model
        yield "recipe", training.recipe
        yield "machine", group.machine
        for axis in AXES:
            value = getattr(training.case, axis)
            if axis != "model":
                yield axis, "" if is_silent(axis, value) else axis_text(axis, value)

    known = [dict(facts(group)) for group in groups]
    varying = [name for name in known[0] if len({row[name] for row in known}) > 1] if known else []
    shown = varying if "model" in varying or "recipe" in varying else ["model", *varying]
    names = [" · ".join(filter(None, (row[name] for name in shown))) for row in known]
    twice = {name for name in names if names.count(name) > 1}
    return [
        printable(f"{name} · {group.training.recipe_digest[:8]} {group.training.data}" if name in twice else name)
        for name, group in zip(names, groups, strict=True)
    ]
