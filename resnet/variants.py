"""The registry of named networks, and the way from a name to one. Imports no torch until one is made."""

import dataclasses
from typing import TYPE_CHECKING, Final

from resnet.config import SMALL_IMAGE, ResNetConfig, near

if TYPE_CHECKING:
    import os

    from resnet.model import ResNet

# He 2015, section 4.2, at depth 20: three stages of 16, 32 and 64 channels for 32x32 images, and shortcuts
# without parameters ("identity shortcuts in all cases (i.e., option A)").
_CIFAR20 = ResNetConfig(
    block="basic",
    depths=(3, 3, 3),
    widths=(16, 32, 64),
    stem="cifar",
    stem_width=16,
    shortcut="padding",
    num_classes=10,
)

VARIANTS: Final[dict[str, ResNetConfig]] = {
    # He 2015, "Deep Residual Learning for Image Recognition", table 1 (bottleneck stride on the 3x3).
    "resnet18": ResNetConfig(block="basic", depths=(2, 2, 2, 2)),
    "resnet26": ResNetConfig(depths=(2, 2, 2, 2)),
    "resnet34": ResNetConfig(block="basic", depths=(3, 4, 6, 3)),
    "resnet50": ResNetConfig(depths=(3, 4, 6, 3)),
    "resnet101": ResNetConfig(depths=(3, 4, 23, 3)),
    "resnet152": ResNetConfig(depths=(3, 8, 36, 3)),
    # He 2016, "Identity Mappings in Deep Residual Networks".
    "preact_resnet18": ResNetConfig(block="preact_basic", depths=(2, 2, 2, 2)),
    "preact_resnet34": ResNetConfig(block="preact_basic", depths=(3, 4, 6, 3)),
    "preact_resnet50": ResNetConfig(block="preact_bottleneck", depths=(3, 4, 6, 3)),
    "preact_resnet101": ResNetConfig(block="preact_bottleneck", depths=(3, 4, 23, 3)),
    "preact_resnet152": ResNetConfig(block="preact_bottleneck", depths=(3, 8, 36, 3)),
    # Xie 2017, "Aggregated Residual Transformations for Deep Neural Networks".
    "resnext50_32x4d": ResNetConfig(depths=(3, 4, 6, 3), groups=32, width_per_group=4),
    "resnext101_32x8d": ResNetConfig(depths=(3, 4, 23, 3), groups=32, width_per_group=8),
    "resnext101_64x4d": ResNetConfig(depths=(3, 4, 23, 3), groups=64, width_per_group=4),
    # Zagoruyko 2016, "Wide Residual Networks": twice the channels of the 3x3.
    "wide_resnet50_2": ResNetConfig(depths=(3, 4, 6, 3), width_per_group=128),
    "wide_resnet101_2": ResNetConfig(depths=(3, 4, 23, 3), width_per_group=128),
    # He 2018, "Bag of Tricks for Image Classification with Convolutional Neural Networks", ResNet-D.
    "resnet18d": ResNetConfig(block="basic", depths=(2, 2, 2, 2), stem="deep", shortcut="avgpool"),
    "resnet34d": ResNetConfig(block="basic", depths=(3, 4, 6, 3), stem="deep", shortcut="avgpool"),
    "resnet50d": ResNetConfig(depths=(3, 4, 6, 3), stem="deep", shortcut="avgpool"),
    "resnet101d": ResNetConfig(depths=(3, 4, 23, 3), stem="deep", shortcut="avgpool"),
    "resnet152d": ResNetConfig(depths=(3, 8, 36, 3), stem="deep", shortcut="avgpool"),
    # He 2015, the networks without shortcuts that show the degradation problem.
    "plain18": ResNetConfig(block="basic", depths=(2, 2, 2, 2), shortcut="none"),
    "plain34": ResNetConfig(block="basic", depths=(3, 4, 6, 3), shortcut="none"),
    "cifar_plain20": dataclasses.replace(_CIFAR20, shortcut="none"),
    "cifar_plain56": dataclasses.replace(_CIFAR20, depths=(9, 9, 9), shortcut="none"),
    # The ImageNet networks with a stem for 32x32 images.
    "cifar_resnet18": ResNetConfig(block="basic", depths=(2, 2, 2, 2), stem="cifar", num_classes=10),
    "cifar_resnet34": ResNetConfig(block="basic", depths=(3, 4, 6, 3), stem="cifar", num_classes=10),
    "cifar_resnet50": ResNetConfig(depths=(3, 4, 6, 3), stem="cifar", num_classes=10),
    "cifar_resnet101": ResNetConfig(depths=(3, 4, 23, 3), stem="cifar", num_classes=10),
    "cifar_resnet152": ResNetConfig(depths=(3, 8, 36, 3), stem="cifar", num_classes=10),
    # He 2015, section 4.2: depth 6n + 2.
    "cifar_resnet20": _CIFAR20,
    "cifar_resnet32": dataclasses.replace(_CIFAR20, depths=(5, 5, 5)),
    "cifar_resnet44": dataclasses.replace(_CIFAR20, depths=(7, 7, 7)),
    "cifar_resnet56": dataclasses.replace(_CIFAR20, depths=(9, 9, 9)),
    "cifar_resnet110": dataclasses.replace(_CIFAR20, depths=(18, 18, 18)),
    # Zagoruyko 2016, WRN-28-10: pre-activation, ten times 16-32-64.
    "cifar_wrn_28_10": ResNetConfig(
        block="preact_basic",
        depths=(4, 4, 4),
        widths=(160, 320, 640),
        stem="cifar",
        stem_width=16,
        num_classes=10,
    ),
}
"""Every named network. Make a new one with `ResNetConfig`, or `dataclasses.replace` of one of these."""


def for_image_size(name_or_config: str | ResNetConfig, image_size: int) -> str | ResNetConfig:
    """Return the variant for images of so many pixels a side: the twin with the ``cifar`` stem for small images.

    A variant without such a twin, and a configuration of one's own, remain what they are.
    """
    if isinstance(name_or_config, ResNetConfig) or image_size > SMALL_IMAGE:
        return name_or_config
    twin = f"cifar_{name_or_config}"
    return twin if twin in VARIANTS else name_or_config


def create(
    name_or_config: str | ResNetConfig,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    zero_init_residual: bool = False,
    weights: "str | os.PathLike[str] | None" = None,
) -> "ResNet":
    """Make a network, on torch's default device, in training mode.

    Args:
        name_or_config: A key of `VARIANTS`, or a configuration of one's own.
        num_classes: Outputs of the classifier; 0 for pooled features. The configuration's if None (1000, or
            10 for CIFAR).
        in_channels: Channels of the images. The configuration's if None (3).
        zero_init_residual: Begin with every block an identity (Goyal 2017, section 5.1).
        weights: ``IMAGENET1K_V1`` or ``IMAGENET1K_V2`` for torchvision's checkpoint, or the path of a state dict
            or checkpoint of torch or safetensors. A classifier of another size is left out if `num_classes` is
            given; of colour weights, grey ones are made for one channel. Warnings say what was changed or chosen.

    Returns:
        The network, which takes images of shape (batch, in_channels, height, width).

    Raises:
        ValueError: Unknown name, nonsensical value, or weights that are not there or do not fit.

    Example:
        >>> import resnet
        >>> resnet.create("cifar_resnet20", num_classes=100).config.depth
        20
    """
    if isinstance(name_or_config, ResNetConfig):
        name, config = None, name_or_config
    elif name_or_config in VARIANTS:
        name, config = name_or_config, VARIANTS[name_or_config]
    else:
        hint = near(name_or_config, tuple(VARIANTS)) or "; see resnet.VARIANTS"
        raise ValueError(f"unknown model {name_or_config!r}{hint}")
    if num_classes is not None:
        config = dataclasses.replace(config, num_classes=num_classes)
    if in_channels is not None:
        config = dataclasses.replace(config, in_channels=in_channels)

    from resnet.model import ResNet  # noqa: PLC0415 - names and configurations are read without torch
    from resnet.storage.weights import load  # noqa: PLC0415

    network = ResNet(config, zero_init_residual=zero_init_residual)
    if weights is not None:
        load(network, weights, name=name, fresh_classifier=num_classes is not None)
    return network
