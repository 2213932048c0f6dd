"""Networks of the models of `bench.suites.models`, and the accuracy of their published weights."""

import math
from typing import Any

from torch import nn
from torchvision.models import get_model, get_model_weights  # type: ignore[attr-defined]

from bench.suites.models import PEERS, TORCHVISION, check
from resnet import VARIANTS
from resnet import create as create_resnet
from results.errors import InputError


def create_network(name: str, num_classes: int | None = None) -> nn.Module:
    """Return a freshly initialised network, on torch's default device, in training mode.

    Args:
        name: One of `bench.suites.models.names`.
        num_classes: Outputs of the classifier; the model's own number if None.

    Returns:
        A module from images (batch, 3, height, width) to one tensor of logits (batch, num_classes).

    Raises:
        InputError: Unknown name or nonsensical value.
    """
    check(name)
    if name in VARIANTS:
        try:
            return create_resnet(name, num_classes=num_classes)
        except ValueError as error:
            raise InputError(str(error)) from error
    if num_classes is not None and num_classes < 1:
        raise InputError(f"num_classes of {name!r} must be at least 1, not {num_classes}")
    peer = PEERS[name]
    network: nn.Module = get_model(
        name.removeprefix(TORCHVISION),
        num_classes=peer.num_classes if num_classes is None else num_classes,
        **peer.arguments,
    )
    return network


def imagenet_top1(name: str) -> tuple[float | None, str | None]:
    """Return the best published ImageNet-1k top-1 accuracy at 224 pixels, and the weights that reach it.

    The accuracy is a fraction, from torchvision's weight metadata for the same architecture; weights that were
    evaluated at another resolution are ignored. Both are None for an architecture without such weights.
    """
    check(name)
    best: tuple[float | None, str | None] = (None, None)
    for label, entry in _published(name).items():
        accuracy = entry.meta["_metrics"].get("ImageNet-1K", {}).get("acc@1", math.nan) / 100
        # Weights that are features only have nan here, which is never greater.
        if entry.transforms.keywords["crop_size"] == 224 and accuracy > (best[0] or 0):
            best = (accuracy, label)
    return best


def _published(name: str) -> dict[str, Any]:
    """Return torchvision's weights for the architecture `name`, by their label, without downloading any."""
    architecture = name.removeprefix(TORCHVISION)
    if TORCHVISION + architecture not in PEERS:
        return {}
    return {entry.name: entry for entry in get_model_weights(architecture)}
