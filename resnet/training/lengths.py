"""A recipe for another number of epochs. Imports no torch."""

import dataclasses

from resnet.training.recipe import Recipe


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe for so many epochs, with milestones, steps and warm-up at the same shares of the training.

    Raises:
        ValueError: `epochs` is less than 1.
    """
    share = epochs / recipe.epochs
    return dataclasses.replace(
        recipe,
        epochs=epochs,
        milestones=tuple(round(milestone * share, 2) or 0.01 for milestone in recipe.milestones),
        step_epochs=max(1, round(recipe.step_epochs * share)),
        warmup_epochs=recipe.warmup_epochs * share,
    )
