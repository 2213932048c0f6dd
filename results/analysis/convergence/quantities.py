"""The quantities of two groups of seeds that are judged: the time to an accuracy, and the final accuracy.

The unit of every verdict is a seed. A time to an accuracy is known to an epoch only, and an accuracy to an image: a
difference counts where all numbers between these bounds show it (`results.statistics.seeds`).
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from results.analysis.convergence.curves import FINISHED, Curve, CurveGroup, common_accuracy
from results.analysis.convergence.frames import final_accuracy
from results.analysis.sides import SideName
from results.statistics.difference import FALSE_ALARMS, holm
from results.statistics.intervals import geometric_mean
from results.statistics.seeds import LEAST_SEEDS, Bracket, Contrast, contrast

TrainingVerdict = Literal["faster", "slower", "better", "worse", "same", "inconclusive"]
Quantity = Literal["time to accuracy", "final accuracy"]

_WORDS: Final[dict[Quantity, dict[str, TrainingVerdict]]] = {
    "time to accuracy": {"more": "slower", "less": "faster"},
    "final accuracy": {"more": "better", "less": "worse"},
}
_LARGEST_LOG: Final = 700.0
"""Largest logarithm of an end of an interval: the exponential of more is infinite."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTraining:
    """A quantity of a training on both sides. Missing values are None, and `reason` says why."""

    model: str
    base_recipe: str
    new_recipe: str
    data: str
    quantity: Quantity
    accuracy: float | None = None
    """The accuracy to which times are judged."""
    verdict: TrainingVerdict
    reason: str | None = None
    base_seeds: int
    new_seeds: int
    base_reached: int | None = None
    """Seeds that reached the accuracy."""
    new_reached: int | None = None
    base: float | None = None
    """Geometric mean of seconds, or mean final accuracy."""
    new: float | None = None
    change: float | None = None
    """Ratio of the seconds new / base, or new less base of the accuracies."""
    low: float | None = None
    """95 % interval of the change, for this quantity alone."""
    high: float | None = None
    p: float | None = None
    """Chance of such a change if the true change lies within the margin, corrected for all quantities (Holm)."""
    test: Literal["Welch", "ranks"] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PendingTraining:
    """A quantity before its verdict; without a contrast it gets none."""

    judged: JudgedTraining
    contrast: Contrast | None = None
    finest: str = ""
    """How finely the quantity is known."""


def _start(before: CurveGroup, after: CurveGroup, quantity: Quantity) -> JudgedTraining:
    models = dict.fromkeys((before.case.model, after.case.model))
    return JudgedTraining(
        model=" → ".join(models),
        base_recipe=before.training.recipe,
        new_recipe=after.training.recipe,
        data=before.training.data,
        quantity=quantity,
        verdict="inconclusive",
        base_seeds=len(before.curves),
        new_seeds=len(after.curves),
    )


def _barrier(before: CurveGroup, after: CurveGroup) -> str | None:
    """Return why nothing of two groups is judged: other data, trainings that were cut off, too few seeds."""
    theirs = [
        (it.data, it.data_digest, it.validation, it.validation_images) for it in (before.training, after.training)
    ]
    if theirs[0] != theirs[1]:
        names = [f"{data} ({images:,} {kind})" for data, _, kind, images in theirs]
        return f"other data: {names[0]} in BASE, {names[1]} in NEW" + (
            ", of other content" if names[0] == names[1] else ""
        )
    sides: tuple[tuple[SideName, CurveGroup], ...] = (("BASE", before), ("NEW", after))
    for name, group in sides:
        cut = [curve for curve in group.curves if curve.status not in {*FINISHED, "diverged"}]
        if cut:
            return f"{len(cut)} of {len(group.curves)} trainings in {name} did not come to their end: resume them"
    for name, group in sides:
        if len(group.curves) < LEAST_SEEDS:
            return f"a single seed in {name}: the spread between seeds is unknown; train more (--seeds 5)"
    return None


def quantities(
    before: CurveGroup,
    after: CurveGroup,
    accuracy: float | None,
    margin: float,
    accuracy_margin: float,
    barrier: str | None,
) -> list[PendingTraining]:
    """Return both quantities of two groups; `barrier` is why their times are not judged."""
    chosen = accuracy or common_accuracy((before, after))
    return [_time(before, after, chosen, margin, barrier), _accuracy(before, after, accuracy_margin)]


def _time(
    before: CurveGroup, after: CurveGroup, accuracy: float | None, margin: float, barrier: str | None
) -> PendingTraining:
    start = _start(before, after, "time to accuracy")
    if accuracy is None:
        return _without(start, "no training came to its end; choose an accuracy (--accuracy)")
    sides = [[_log_bracket(curve, accuracy) for curve in group.curves] for group in (before, after)]
    reached = [sum(seed is not None and math.isfinite(seed.value) for seed in side) for side in sides]
    means = [
        geometric_mean([math.exp(seed.value) for seed in side if seed is not None]) if count == len(side) else None
        for side, count in zip(sides, reached, strict=True)
    ]
    start = dataclasses.replace(
        start, accuracy=accuracy, base_reached=reached[0], new_reached=reached[1], base=means[0], new=means[1]
    )
    if None not in means:
        start = dataclasses.replace(start, change=means[1] / means[0])  # type: ignore[operator]
    reason = _barrier(before, after) or barrier
    unknown = sum(seed is None for side in sides for seed in side)
    if reason is None and unknown:
        reason = f"{unknown} trainings were stopped at an accuracy below {100 * accuracy:g} % (--until)"
    if reason is None and not any(reached):
        reason = f"no seed of either side reached {100 * accuracy:g} %: choose a lower accuracy (--accuracy)"
    if reason is not None:
        return _without(start, reason)
    base, new = ([seed for seed in side if seed is not None] for side in sides)
    shown = contrast(base, new, math.log1p(margin))
    widths = [math.expm1(seed.high - seed.low) for seed in (*base, *new) if math.isfinite(seed.high - seed.low)]
    finest = f"an epoch takes {100 * max(widths):.2g} % of the time" if widths else "the first epoch reached it already"
    return PendingTraining(_with_interval(start, shown, math.exp), shown, finest)


def _accuracy(before: CurveGroup, after: CurveGroup, margin: float) -> PendingTraining:
    start = _start(before, after, "final accuracy")
    means = [final_accuracy(group)[0] for group in (before, after)]
    base, new = (None if mean is None else mean.value for mean in means)
    change = None if base is None or new is None else new - base
    start = dataclasses.replace(start, base=base, new=new, change=change)
    short = sum(curve.cut_short for group in (before, after) for curve in group.curves)
    reason = _barrier(before, after)
    if reason is None and short:
        reason = f"{short} trainings were stopped at an accuracy that somebody chose (--until): it is not final"
    if reason is not None:
        return _without(start, reason)
    if base is None and new is None:
        return _without(start, "every training of both sides diverged")
    sides = [[_bracket(curve) for curve in group.curves] for group in (before, after)]
    shown = contrast(sides[0], sides[1], margin)
    image = 100 / before.training.validation_images
    return PendingTraining(_with_interval(start, shown, float), shown, f"an image is {image:.2g} points")


def _log_bracket(curve: Curve, accuracy: float) -> Bracket | None:
    """Return the logarithm of the seconds to the accuracy between two validations; None where nobody knows."""
    seconds, epoch = curve.time_to(accuracy), curve.first(accuracy)
    if seconds is None:
        return None
    if epoch is None or seconds <= 0:
        return Bracket(low=math.inf, value=math.inf, high=math.inf)
    earlier = curve.before(epoch)
    low = math.log(earlier.elapsed_s) if earlier is not None and earlier.elapsed_s > 0 else -math.inf
    return Bracket(low=low, value=math.log(seconds), high=math.log(seconds))


def _bracket(curve: Curve) -> Bracket:
    """Return the final accuracy, known to an image; that of a diverged training is below every other."""
    if curve.final is None:
        return Bracket(low=-math.inf, value=-math.inf, high=-math.inf)
    accuracy, half = curve.final.validation_accuracy, 0.5 / curve.training.validation_images
    return Bracket(low=accuracy - half, value=accuracy, high=accuracy + half)


def _without(start: JudgedTraining, reason: str) -> PendingTraining:
    return PendingTraining(dataclasses.replace(start, reason=reason))


def _with_interval(start: JudgedTraining, shown: Contrast, scale: Callable[[float], float]) -> JudgedTraining:
    if shown.interval is None:
        return dataclasses.replace(start, test=shown.test)
    span = shown.interval
    low, high = (scale(min(end, _LARGEST_LOG)) for end in (span.low, span.high))
    return dataclasses.replace(start, low=low, high=high, test=shown.test)


def judged_quantities(pending: Sequence[PendingTraining]) -> Iterable[JudgedTraining]:
    """Yield the quantities with their verdicts; Holm's correction covers all of them."""
    corrected = iter(holm([each.contrast.p for each in pending if each.contrast is not None]))
    for each in pending:
        if each.contrast is None:
            yield each.judged
            continue
        p = next(corrected)
        if p <= FALSE_ALARMS:
            verdict = _WORDS[each.judged.quantity][each.contrast.direction]
            yield dataclasses.replace(each.judged, p=p, verdict=verdict)
        elif each.contrast.equivalent:
            yield dataclasses.replace(each.judged, p=p, verdict="same")
        else:
            yield dataclasses.replace(each.judged, p=p, reason=_doubt(each))


def _doubt(pending: PendingTraining) -> str:
    finest = f" ({pending.finest})" if pending.finest else ""
    if pending.contrast is not None and pending.contrast.test == "ranks":
        return f"too few seeds for seeds that never got there: train more (--seeds){finest}"
    return f"the interval reaches over the margin: train more seeds (--seeds), or choose a larger margin{finest}"
