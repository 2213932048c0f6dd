"""Networks of the models of `bench.suites.models`, and the accuracy of their published weights."""

import math
from typing import Any, Final

from torch import nn
from torchvision.models import get_model, get_model_weights  # type: ignore[attr-defined]

from bench.suites.models import PEERS, TORCHVISION, check, default_image_size, default_num_classes
from resnet import VARIANTS, detector, segmenter
from resnet import create as create_resnet
from resnet.heads.detector import STAGES
from results.errors import InputError
from results.image_size import sides

IMAGENET_CHANNELS: Final = 3
"""Channels of ImageNet's images, for which torchvision makes its networks."""


OBJECTS: Final = 90
"""Classes of objects of a detector, without the background: those of COCO, as torchvision's detectors have them."""
LESIONS: Final = 2
"""Classes of a segmenter: with and without."""


def create_network(
    name: str,
    num_classes: int | None = None,
    in_channels: int = IMAGENET_CHANNELS,
    *,
    head: str = "classifier",
    image_size: int | str | None = None,
) -> nn.Module:
    """Return a freshly initialised network, on torch's default device, in training mode.

    Args:
        name: One of `bench.suites.models.names`.
        num_classes: Outputs of the classifier; the model's own number if None.
        in_channels: Channels of the images. A peer gets another first convolution, as its constructor knows only 3.
        head: What the network puts out; see `results.schema.labels.HEADS`.
        image_size: Pixels at which a detector works; its model's own if None.

    Returns:
        A module from images (batch, in_channels, height, width) to one tensor of logits (batch, num_classes), or to
        what its head says. A detector takes a list of images, and in training mode targets.

    Raises:
        InputError: Unknown name, nonsensical value, or a network that cannot have the head.
    """
    check(name)
    if (reason := without_head(name, head)) is not None:
        raise InputError(reason)
    classes = head_classes(name, head) if num_classes is None else num_classes
    if name in VARIANTS:
        try:
            if head == "faster-rcnn":
                size = sides(default_image_size(name) if image_size is None else image_size)
                return detector(name, num_classes=classes, in_channels=in_channels, image_size=size)
            if head == "segmentation":
                return segmenter(name, num_classes=classes, in_channels=in_channels)
            return create_resnet(name, num_classes=classes, in_channels=in_channels)
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
    if in_channels != IMAGENET_CHANNELS:
        _widen_input(network, in_channels)
    return network


def head_classes(name: str, head: str) -> int:
    """Return the classes among which the head of a model chooses by default; 0 if it chooses none."""
    classes = {"classifier": default_num_classes(name), "none": 0, "faster-rcnn": OBJECTS, "segmentation": LESIONS}
    return classes[head]


def without_head(name: str, head: str) -> str | None:
    """Return why a model cannot have a head, None if it can."""
    if head == "classifier":
        return None
    if name not in VARIANTS:
        return f"{name} has only its classifier; the variants of resnet have other heads"
    if head == "faster-rcnn" and len(VARIANTS[name].depths) != STAGES:
        return f"{head} needs a network of {STAGES} stages, and {name} has {len(VARIANTS[name].depths)}"
    return None


def _widen_input(network: nn.Module, in_channels: int) -> None:
    """Replace the first convolution of a network by a fresh convolution of other images, alike in all else."""
    name, first = next((name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d))
    fresh = nn.Conv2d(
        in_channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type] # a tuple of two, which torch declares as of any number
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, fresh)


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
