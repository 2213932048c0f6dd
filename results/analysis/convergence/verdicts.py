"""Compare two sides of trainings: did the time to an accuracy, or the final accuracy, change?

The gate fails closed: other data, other hardware and trainings that were cut off give no verdict.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final, Literal

from results.analysis import differences
from results.analysis.convergence.curves import CurveGroup, check_accuracy, curve_groups, curves
from results.analysis.convergence.quantities import JudgedTraining, judged_quantities, quantities
from results.analysis.differences import Change
from results.errors import InputError
from results.schema.case import Case
from results.statistics.margin import MARGIN, check_margin
from results.storage.reader import Records

ACCURACY_MARGIN: Final = 0.002
"""Difference of final accuracies that does not matter by default: 0.2 percentage points."""
_BAD: Final = ("slower", "worse")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingComparison:
    """The result of `compare_trainings`."""

    margin: float
    """Relative difference of times that does not matter."""
    accuracy_margin: float
    """Difference of accuracies that does not matter."""
    judged: tuple[JudgedTraining, ...]
    environment: tuple[Change, ...]
    """Fields of the environment that differ."""
    reasons: tuple[str, ...]
    """Reasons that forbid a pass, independent of the verdicts."""

    @property
    def outcome(self) -> Literal["pass", "regression", "inconclusive"]:
        """``regression``: anything is slower or worse. ``pass``: all is the same, faster or better."""
        if any(judged.verdict in _BAD for judged in self.judged):
            return "regression"
        if self.reasons or not self.judged or any(judged.verdict == "inconclusive" for judged in self.judged):
            return "inconclusive"
        return "pass"


def compare_trainings(
    base: Records,
    new: Records,
    *,
    accuracy: float | None = None,
    margin: float = MARGIN,
    accuracy_margin: float = ACCURACY_MARGIN,
) -> TrainingComparison:
    """Compare the trainings of two sides, each the result of `results.load`.

    Where each side has a single network and recipe, these two are compared, whatever they are. Else a training is
    compared with that of the same case and data, and of the same recipe where a side has several.

    Args:
        base: the runs to compare with.
        new: the runs that are judged.
        accuracy: the validation accuracy to which times are judged; by default the highest multiple of 0.5 % that
            every finished training of the two that are compared reached.
        margin: the relative difference of times that does not matter.
        accuracy_margin: the difference of accuracies that does not matter.

    Raises:
        InputError: A margin or the accuracy is out of its range, or a run is on both sides.
    """
    check_margin(margin)
    check_margin(accuracy_margin)
    twice = {file.run.id for file in base.files} & {file.run.id for file in new.files}
    if twice:
        raise InputError(f"run {min(twice)} is on both sides; compare it with another run")
    sides = [curve_groups(curves(side)) for side in (base, new)]
    pairs, alone = _paired(*sides)
    if accuracy is not None:
        check_accuracy(accuracy)
    same_hardware = differences.same_hardware(base, new)
    barrier = None if same_hardware else "other hardware: times are shown and not judged"
    pending = [
        quantity
        for before, after in pairs
        for quantity in quantities(before, after, accuracy, margin, accuracy_margin, barrier)
    ]
    return TrainingComparison(
        margin=margin,
        accuracy_margin=accuracy_margin,
        judged=tuple(judged_quantities(pending)),
        environment=differences.environment(base, new),
        reasons=(*base.problems, *new.problems, *alone, *(() if pairs else ("no training is on both sides",))),
    )


def judged_pair(
    base: CurveGroup, new: CurveGroup, *, accuracy: float, margin: float, accuracy_margin: float
) -> tuple[JudgedTraining, ...]:
    """Return the verdicts on two groups of seeds of the same hardware."""
    return tuple(judged_quantities(quantities(base, new, accuracy, margin, accuracy_margin, None)))


def _paired(
    base: Sequence[CurveGroup], new: Sequence[CurveGroup]
) -> tuple[list[tuple[CurveGroup, CurveGroup]], list[str]]:
    """Return the groups that are compared, and a reason for each group without a partner."""
    if len(base) == len(new) == 1:
        return [(base[0], new[0])], []
    single = all(len({group.training.recipe for group in side}) == 1 for side in (base, new))

    def keys(side: Sequence[CurveGroup]) -> dict[tuple[Case, str, str], CurveGroup]:
        return {(group.case, group.training.data, "" if single else group.training.recipe): group for group in side}

    before, after = keys(base), keys(new)
    reasons = [f"{_name(before[key])} is only in BASE" for key in before if key not in after]
    reasons += [f"{_name(after[key])} is only in NEW" for key in after if key not in before]
    for name, side, known in (("BASE", base, before), ("NEW", new, after)):
        if len(known) < len(side):
            reasons.append(f"{name} holds a recipe of a name with several contents or machines: the last is compared")
    return [(before[key], after[key]) for key in before if key in after], reasons


def _name(group: CurveGroup) -> str:
    return f"{group.case.model} with {group.training.recipe} on {group.training.data}"
