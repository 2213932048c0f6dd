"""The optimizer of a recipe, in torch's fused form: one kernel for all weights."""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import nn

from resnet.training.recipe import Recipe


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of the trainable parameters of `network`, in the order of the network.

    With ``recipe.decay_norm_and_bias`` false, parameters of one dimension have no weight decay: all that batch norms
    have, and biases (He 2018, "Bag of Tricks", section 3.1).
    """
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not trainable:
        raise ValueError("the network has no parameter to train: all are frozen")
    free = [] if recipe.decay_norm_and_bias else [parameter for parameter in trainable if parameter.ndim <= 1]
    free_ids = set(map(id, free))
    decayed = [parameter for parameter in trainable if id(parameter) not in free_ids]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return OPTIMIZERS[recipe.optimizer]([group for group in groups if group["params"]], recipe)


def _sgd(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True
    )


def _adam(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, lr=recipe.learning_rate, fused=True)


def _adamw(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


OPTIMIZERS: Final[dict[str, Callable[[list[dict[str, Any]], Recipe], torch.optim.Optimizer]]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
}
"""For each name of a recipe, the function that makes the optimizer of groups of parameters."""
