"""A ResNet as a backbone: the outputs of its stem and stages, each normalised."""

from collections.abc import Collection
from typing import Final

from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from resnet.model import ResNet

STEM_STRIDE: Final = {"imagenet": 2, "deep": 2, "cifar": 1}
"""Pixels of the image to a pixel of the stem's output before its max-pool, by `ResNetConfig.stem`."""


class StageFeatures(nn.Module):
    """The outputs of a network's stem, before its max-pool, and of its stages.

    The stages of a pre-activation network end without a normalisation, which the next block begins with. Here a batch
    norm and a ReLU follow each of them, as heads need features of one scale.

    Args:
        network: The network, made with ``num_classes=0``.
        used: Outputs that a head uses, 0 for the stem. The others are not normalised.
    """

    def __init__(self, network: ResNet, used: Collection[int]) -> None:
        super().__init__()
        config = network.config
        self.network = network
        self.channels = (config.stem_width, *(config.out_channels(planes) for planes in config.widths))
        """Channels of each output."""
        self.strides = (STEM_STRIDE[config.stem], *config.strides)
        """Pixels of the image to a pixel of each output."""
        norms = [
            _norm(channels) if config.preact and index in used else nn.Identity()
            for index, channels in enumerate(self.channels[:-1])
        ]
        self.norms = nn.ModuleList([*norms, network.norm])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs from the stem to the last stage.

        Args:
            images: (batch, in_channels, height, width).

        Returns:
            For each output (batch, channels, ⌈height / stride⌉, ⌈width / stride⌉).
        """
        network = self.network
        stem = network.relu(network.bn1(network.conv1(images)))
        outputs, x = [stem], network.maxpool(stem)
        for name in network.stages:
            x = getattr(network, name)(x)
            outputs.append(x)
        return tuple(norm(output) for norm, output in zip(self.norms, outputs, strict=True))


def _norm(channels: int) -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


def freeze_norms(network: nn.Module) -> None:
    """Replace each batch norm by a constant scale and shift, so that small batches do not disturb trained statistics.

    Only for trained networks: the statistics of an untrained network are no statistics of its features, and its
    activations grow until the loss is NaN.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(module.num_features, eps=module.eps)
            frozen.load_state_dict(module.state_dict())
            network.set_submodule(name, frozen)
