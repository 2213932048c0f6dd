"""A recipe for another number of epochs. Imports no torch."""

import dataclasses
from typing import Any

from resnet.training.recipe import Recipe


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe for so many epochs, with milestones, steps and warm-up at the same shares of the training.

    Raises:
        ValueError: `epochs` is less than 1.
    """
    share = epochs / recipe.epochs
    values: dict[str, Any] = {"epochs": epochs, "warmup_epochs": recipe.warmup_epochs * share}
    if recipe.schedule == "multi-step":
        values["milestones"] = tuple(max(0.01, round(milestone * share, 2)) for milestone in recipe.milestones)
    if recipe.schedule == "step":
        values["step_epochs"] = max(1, round(recipe.step_epochs * share))
    return dataclasses.replace(recipe, **values)
