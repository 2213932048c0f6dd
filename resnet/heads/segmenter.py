"""A network with two heads: the class of an image, and the mask of what it shows."""

import os
from typing import Final, Literal

from torch import Tensor, nn

from resnet.config import ResNetConfig
from resnet.heads.features import StageFeatures
from resnet.variants import create

WIDTH: Final = 64
"""Channels of the decoder where it merges stages; half as many at the stem, a quarter at full resolution."""
COARSE_STRIDE: Final = 8


class Merge(nn.Module):
    """A step of the decoder: upsample coarse features, add finer features, and smooth the sum.

    Args:
        width: Channels of the coarse features.
        fine: Channels of the finer features.
        out: Channels that the step puts out.
        kernel: Side of the convolution that makes `width` channels of the finer features.
    """

    def __init__(self, width: int, fine: int, out: int, *, kernel: int = 1) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(fine, width, kernel, padding=kernel // 2, bias=False)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Return (batch, out, height, width) in the resolution of `fine`."""
        upsampled = nn.functional.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        merged: Tensor = self.smooth(upsampled + self.lateral(fine))
        return merged


class Decoder(nn.Module):
    """A decoder with skip connections from every stage, from the stem and from the image itself.

    It is a feature pyramid (Lin 2017) that goes on to full resolution, as a U-Net does (Ronneberger 2015).

    Args:
        features: The outputs that it decodes.
        in_channels: Channels of the image.
    """

    def __init__(self, features: StageFeatures, in_channels: int) -> None:
        super().__init__()
        skips = [(channels, WIDTH, 1) for channels in reversed(features.channels[1:-1])]
        self.to_image = features.strides[0] > 1
        """Whether the first stage is coarser than the image: then the stem and the image refine it."""
        if self.to_image:
            skips += [(features.channels[0], WIDTH // 2, 1), (in_channels, WIDTH // 4, 3)]
        widths = [*(width for _, width, _ in skips), WIDTH // 4]
        self.top = nn.Conv2d(features.channels[-1], widths[0], 1, bias=False)
        self.merges = nn.ModuleList(
            Merge(width, channels, out, kernel=kernel)
            for (channels, width, kernel), out in zip(skips, widths[1:], strict=True)
        )
        self.mask = nn.Conv2d(widths[-1], 1, 1)

    def forward(self, images: Tensor, outputs: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of the mask, (batch, 1, height, width), from the images and their features."""
        fine = [*reversed(outputs[1:-1]), *((outputs[0], images) if self.to_image else ())]
        x = self.top(outputs[-1])
        for merge, skip in zip(self.merges, fine, strict=True):
            x = merge(x, skip)
        mask: Tensor = self.mask(x)
        return mask


class CoarseMask(nn.Module):
    """Two convolutions on the stage at an eighth of the resolution: no decoder, a coarse mask."""

    def __init__(self, features: StageFeatures) -> None:
        super().__init__()
        self.index = 1 + features.network.config.strides.index(COARSE_STRIDE)
        channels = features.channels[self.index]
        self.mask = nn.Sequential(
            nn.Conv2d(channels, WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv2d(WIDTH, 1, 1),
        )

    def forward(self, images: Tensor, outputs: tuple[Tensor, ...]) -> Tensor:  # noqa: ARG002 - the decoder needs them
        """Return the logits of the mask, (batch, 1, ⌈height / 8⌉, ⌈width / 8⌉)."""
        mask: Tensor = self.mask(outputs[self.index])
        return mask


class Segmenter(nn.Module):
    """A network that puts out the class of an image and the mask of what it shows; `segmenter` makes one."""

    def __init__(self, features: StageFeatures, *, num_classes: int, mask_stride: Literal[1, 8]) -> None:
        super().__init__()
        in_channels = features.network.config.in_channels
        self.features = features
        self.mask_stride = mask_stride
        self.decoder = Decoder(features, in_channels) if mask_stride == 1 else CoarseMask(features)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
        self.fc = nn.Linear(features.channels[-1], num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class scores and the mask.

        Args:
            images: (batch, in_channels, height, width).

        Returns:
            Logits of the classes, (batch, num_classes), and of the mask, (batch, 1, height, width), or at an eighth of
            the height and width with ``mask_stride=8``. A pixel belongs to the mask where its logit is above 0.
        """
        outputs = self.features(images)
        return self.fc(self.pool(outputs[-1])), self.decoder(images, outputs)


def segmenter(
    name_or_config: str | ResNetConfig,
    *,
    num_classes: int = 2,
    in_channels: int | None = None,
    mask_stride: Literal[1, 8] = 1,
    weights: str | os.PathLike[str] | None = None,
) -> Segmenter:
    """Make a network with two heads, for the class of an image and for the mask of what it shows, in training mode.

    Args:
        name_or_config: A key of `resnet.VARIANTS`, or a configuration.
        num_classes: Classes of images, such as with a lesion and without.
        in_channels: Channels of the images. The configuration's if None (3).
        mask_stride: 1 for a mask in the resolution of the image, by a decoder with skip connections. 8 for two
            convolutions on the stage that stops at an eighth of the resolution: a cheaper head that is often seen in
            tutorials, whose mask must be enlarged and cannot show details of less than 8 pixels.
        weights: Weights of the backbone, as of `resnet.create`.

    Raises:
        ValueError: A value is nonsensical, or the network has no stage at an eighth of the resolution.

    Example:
        >>> import resnet
        >>> network = resnet.segmenter("resnet18", in_channels=1, num_classes=2)
    """
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"num_classes must be an integer of at least 1, not {num_classes!r}")
    if mask_stride not in {1, COARSE_STRIDE}:
        raise ValueError(f"mask_stride must be 1 or {COARSE_STRIDE}, not {mask_stride!r}")
    network = create(name_or_config, num_classes=0, in_channels=in_channels, weights=weights)
    strides = network.config.strides
    if mask_stride not in {1, *strides}:
        raise ValueError(
            f"mask_stride {mask_stride} needs a stage at an eighth of the resolution; the strides of this network are "
            f"{', '.join(map(str, strides))}: choose mask_stride 1"
        )
    if mask_stride == COARSE_STRIDE:
        used = range(1 + strides.index(COARSE_STRIDE), 2 + strides.index(COARSE_STRIDE))
    else:
        used = range(0 if strides[0] > 1 else 1, 1 + len(strides))
    return Segmenter(StageFeatures(network, used), num_classes=num_classes, mask_stride=mask_stride)
