"""The learning rate as a pure function of the step: a resumed training needs no state of it. Imports no torch."""

import bisect
import math
from collections.abc import Callable
from typing import Final

from resnet.training.recipe import Recipe

_ONE_CYCLE_START: Final = 1 / 25
_ONE_CYCLE_END: Final = 1 / 25e4
"""Factors of the first and the last step, as in torch's ``OneCycleLR``."""


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of an optimizer step.

    Args:
        recipe: The recipe, with its schedule.
        step: Steps before this step, from 0 to ``recipe.epochs * steps_per_epoch - 1``.
        steps_per_epoch: Optimizer steps of an epoch.
    """
    warmup = round(recipe.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / (warmup + 1)
    return recipe.learning_rate * FACTORS[recipe.schedule](recipe, step, warmup, steps_per_epoch)


def _constant(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:  # noqa: ARG001
    return 1.0


def _step(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:  # noqa: ARG001
    return recipe.gamma ** (step // (recipe.step_epochs * steps_per_epoch))


def _multi_step(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:  # noqa: ARG001
    borders = sorted(milestone * steps_per_epoch for milestone in recipe.milestones)
    return recipe.gamma ** bisect.bisect_right(borders, step)


def _cosine(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:
    """Loshchilov 2017, "SGDR", equation 5, without restarts and down to 0, step by step."""
    return (1 + math.cos(math.pi * _progress(recipe, step, warmup, steps_per_epoch))) / 2


def _linear(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:
    return 1 - _progress(recipe, step, warmup, steps_per_epoch)


def _progress(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:
    """Return the share of the steps after the warm-up that lie before `step`."""
    return (step - warmup) / (recipe.epochs * steps_per_epoch - warmup)


def _one_cycle(recipe: Recipe, step: int, warmup: int, steps_per_epoch: int) -> float:  # noqa: ARG001
    """Smith 2018, "Super-Convergence", with half cosines up and down, as torch's ``OneCycleLR``; no cycled momentum."""
    last = recipe.epochs * steps_per_epoch - 1
    peak = max(recipe.peak_position * (last + 1) - 1, 0.0)
    if step <= peak:
        return _half_cosine(_ONE_CYCLE_START, 1.0, step / peak if peak else 1.0)
    return _half_cosine(1.0, _ONE_CYCLE_END, (step - peak) / (last - peak))


def _half_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))


FACTORS: Final[dict[str, Callable[[Recipe, int, int, int], float]]] = {
    "constant": _constant,
    "step": _step,
    "multi-step": _multi_step,
    "cosine": _cosine,
    "linear": _linear,
    "one-cycle": _one_cycle,
}
"""For each schedule, the factor of the highest learning rate after the warm-up."""


def validation_size(recipe: Recipe, epoch: int, image_size: int) -> int:
    """Return the pixels a side of validation images, and so those that the network of an epoch is for.

    With early stopping it is the size of the last epoch: epochs compare, and whichever is chosen is for that size.
    """
    return progressive_size(recipe, epoch if recipe.early_stopping is None else recipe.epochs - 1, image_size)


def progressive_size(recipe: Recipe, epoch: int, image_size: int) -> int:
    """Return the pixels a side of all images in an epoch, which counts from 0."""
    shares = recipe.progressive_sizes
    if not shares:
        return image_size
    # The part in which the epoch ends, so that the last epoch has the last size, however few epochs there are.
    part = math.ceil((epoch + 1) * len(shares) / recipe.epochs) - 1
    return max(1, round(shares[part] * image_size))
