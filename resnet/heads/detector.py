"""torchvision's Faster R-CNN (Ren 2015) with a feature pyramid (Lin 2017), on the networks of `resnet`."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from resnet.config import ResNetConfig
from resnet.heads.features import StageFeatures, freeze_norms
from resnet.variants import create

STAGES: Final = 4
"""Stages that the pyramid is made of."""
ASPECT_RATIOS: Final = (0.5, 1.0, 2.0)
IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)
SMALLEST_ANCHOR: Final = 32 / 800
"""Side of the smallest anchor over that of the image: torchvision's 32 of 800 pixels."""
STRIDES_OF_ANCHOR: Final = 4
"""The least side of an anchor, in strides of its level: smaller anchors would leave gaps."""


class Pyramid(nn.Module):
    """A backbone for torchvision's detectors: four stages, a feature pyramid, and a level that halves the last again.

    Args:
        features: The outputs of the network; the stem's is not used.
        channels: Channels of every level.
    """

    def __init__(self, features: StageFeatures, channels: int) -> None:
        super().__init__()
        self.features = features
        self.pyramid = FeaturePyramidNetwork(list(features.channels[1:]), channels, extra_blocks=LastLevelMaxPool())
        self.out_channels = channels
        """Channels of every level, by the name that torchvision asks for."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the levels, finest first: ``0`` to ``3`` and ``pool``, each (batch, channels, height, width)."""
        _, *stages = self.features(images)
        levels: dict[str, Tensor] = self.pyramid(OrderedDict((str(index), x) for index, x in enumerate(stages)))
        return levels


def detector(
    name_or_config: str | ResNetConfig,
    *,
    num_classes: int,
    image_size: int | tuple[int, int] | None = None,
    in_channels: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    pyramid_channels: int = 256,
    weights: str | os.PathLike[str] | None = None,
    **options: Any,
) -> FasterRCNN:
    """Make a Faster R-CNN with a feature pyramid on a network of four stages, in training mode.

    It takes images (channels, height, width) in [0, 1], as a list. In training mode it also takes targets (``boxes``:
    (count, 4) as x1, y1, x2, y2 in pixels; ``labels``: (count,), from 1) and returns four losses by name. In eval mode
    it returns for each image ``boxes``, ``labels`` and ``scores``. Images are resized, and anchors sized to match.

    Args:
        name_or_config: A key of `resnet.VARIANTS`, or a configuration.
        num_classes: Classes of objects. The background is added to them: it has the label 0, objects have 1 and more.
        image_size: Pixels of a side, or height and width; the network's own if None (224, or 32 with a CIFAR stem).
        in_channels: Channels of the images. The configuration's if None (3).
        mean: Mean of each channel of images in [0, 1]; 0.5 if None, or ImageNet's if weights are given.
        std: Standard deviation of each channel; 0.25 if None, or ImageNet's if weights are given.
        pyramid_channels: Channels of the levels of the pyramid.
        weights: Weights of the backbone, as of `resnet.create`. With them its batch norms are frozen, without them
            all train, and nothing is downloaded.
        options: Further arguments of torchvision's `FasterRCNN`, such as ``box_batch_size_per_image``.

    Raises:
        ValueError: The network has not four stages, or a value is nonsensical.
    """
    network = create(name_or_config, num_classes=0, in_channels=in_channels, weights=weights)
    config = network.config
    sides = _sides(config.image_size if image_size is None else image_size)
    _check(name_or_config, config, num_classes, sides)
    if weights is not None:
        freeze_norms(network)
    imagenet = weights is not None and config.in_channels == len(IMAGENET_MEAN)
    return FasterRCNN(  # type: ignore[no-untyped-call]
        Pyramid(StageFeatures(network, used=range(1, STAGES + 1)), pyramid_channels),
        num_classes=1 + num_classes,
        min_size=min(sides),
        max_size=max(sides),
        image_mean=_per_channel("mean", mean, config, IMAGENET_MEAN if imagenet else 0.5),
        image_std=_per_channel("std", std, config, IMAGENET_STD if imagenet else 0.25),
        rpn_anchor_generator=anchors(config.strides, max(sides)),
        **options,
    )


def anchors(strides: Sequence[int], image_size: int) -> AnchorGenerator:
    """Return the anchors of a pyramid, of three shapes and the sizes of `anchor_sizes`."""
    sizes = tuple((size,) for size in anchor_sizes(strides, image_size))
    return AnchorGenerator(sizes, (ASPECT_RATIOS,) * len(sizes))  # type: ignore[no-untyped-call]


def anchor_sizes(strides: Sequence[int], image_size: int) -> tuple[float, ...]:
    """Return the side of the anchors of each level in pixels: a size a level, as in the pyramid's paper.

    Torchvision's sizes, 32 to 512, are for images of 800 pixels. Here they are the same shares of the image, but at
    least four strides of their level and at most the image.

    Args:
        strides: Those of the stages; a level with twice the last stride is added.
        image_size: The longer side of the image in pixels.
    """
    levels = (*strides, 2 * strides[-1])
    shares = (SMALLEST_ANCHOR * image_size * 2**level for level in range(len(levels)))
    return tuple(
        float(min(image_size, max(share, STRIDES_OF_ANCHOR * stride)))
        for share, stride in zip(shares, levels, strict=True)
    )


def _sides(image_size: int | tuple[int, int]) -> tuple[int, int]:
    return (image_size, image_size) if isinstance(image_size, int) else image_size


def _check(
    name_or_config: str | ResNetConfig, config: ResNetConfig, num_classes: object, sides: tuple[int, int]
) -> None:
    """Raise `ValueError`, in a line, for a network of other stages, no class, or a size that is too small."""
    if len(config.depths) != STAGES:
        name = repr(name_or_config) if isinstance(name_or_config, str) else "this configuration"
        raise ValueError(
            f"a detector needs a network of {STAGES} stages, and {name} has {len(config.depths)}; "
            "choose one such as resnet18 or cifar_resnet18"
        )
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"num_classes must be an integer of at least 1, without the background, not {num_classes!r}")
    if min(sides) < config.minimum_image_size:
        raise ValueError(
            f"image_size {min(sides)} is too small for a detector on this network; it takes at least "
            f"{config.minimum_image_size} pixels"
        )


def _per_channel(
    name: str, given: Sequence[float] | None, config: ResNetConfig, default: float | Sequence[float]
) -> list[float]:
    """Return a value for each channel.

    Raises:
        ValueError: Not as many values as channels.
    """
    if given is None:
        given = (default,) * config.in_channels if isinstance(default, float) else default
    if len(given) != config.in_channels:
        raise ValueError(f"{name} has {len(given)} values for images of {config.in_channels} channels; give one each")
    return list(given)
