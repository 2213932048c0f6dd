"""Values of a recipe that look like a slip. Imports no torch."""

from typing import Final

from resnet.config import SMALL_IMAGE, ResNetConfig
from resnet.training.recipe import Recipe

_HIGHEST_RATE: Final = {"sgd": 5.0, "adam": 0.05, "adamw": 0.05}
"""Learning rates from which a training usually diverges, by optimizer."""
_HIGHEST_DECAY: Final = {"sgd": 1e-2, "adam": 1e-2, "adamw": 1.0}
"""Weight decays from which a network usually learns nothing: AdamW's is multiplied by the learning rate."""


def recipe_warnings(recipe: Recipe, config: ResNetConfig, image_size: int) -> tuple[str, ...]:
    """Return what in a recipe looks like a slip, for a network and images of `image_size` pixels a side."""
    warnings = []
    name, rate, decay = recipe.optimizer, recipe.learning_rate, recipe.weight_decay
    if config.stem != "cifar" and image_size <= SMALL_IMAGE:
        # PyTorch's benchmark suite, pull request 1345: ResNet-50 with this stem, 200 epochs of CIFAR-10.
        warnings.append(
            f"the stem {config.stem!r} shrinks images of {image_size} pixels to a quarter before the first block: "
            "published for CIFAR-10 is 84 % with it, where 95 % is usual with the stem 'cifar'"
        )
    if rate >= _HIGHEST_RATE[name]:
        warnings.append(f"learning_rate {rate:g} is unusually high for {name}: {_usual_rate(name)} is usual")
    if decay >= _HIGHEST_DECAY[name]:
        usual = "0.01 to 0.1" if name == "adamw" else "1e-4 to 5e-4"
        warnings.append(f"weight_decay {decay:g} is unusually high for {name}: {usual} is usual")
    if name == "sgd" and recipe.momentum >= 1:
        warnings.append(
            f"momentum {recipe.momentum:g} never forgets a gradient, so the training diverges: 0.9 is usual"
        )
    if recipe.label_smoothing >= 0.5:
        warnings.append(f"label_smoothing {recipe.label_smoothing:g} leaves little of the labels: 0.1 is usual")
    if recipe.gamma > 1 and recipe.schedule in {"step", "multi-step"}:
        warnings.append(f"gamma {recipe.gamma:g} raises the learning rate at each step: 0.1 is usual")
    if recipe.progressive_sizes and (last := recipe.progressive_sizes[-1]) < 1:
        warnings.append(f"progressive_sizes end at {last:g}: images are smaller than their own size to the end")
    late = [milestone for milestone in recipe.milestones if milestone >= recipe.epochs]
    if recipe.schedule == "multi-step" and late:
        warnings.append(f"milestone {late[0]:g} is never reached in {recipe.epochs} epochs")
    if recipe.schedule == "step" and recipe.step_epochs >= recipe.epochs:
        warnings.append(f"step_epochs {recipe.step_epochs} is never reached in {recipe.epochs} epochs")
    return tuple(warnings)


def _usual_rate(optimizer: str) -> str:
    return "0.01 to 0.5" if optimizer == "sgd" else "1e-4 to 3e-3"
