"""The network: stem, stages, head. Choices are made in the constructor; forward runs straight through."""

from torch import Tensor, nn

from resnet import blocks
from resnet.config import ResNetConfig
from resnet.shortcuts import make_shortcut


class ResNet(nn.Module):
    """A residual network as its configuration says, freshly initialised, in training mode.

    Convolutions begin Kaiming-normal, fan-out (He 2015, "Delving Deep into Rectifiers", equation 14), batch
    norms at 1 and 0, the classifier as torch has it. Parameters bear torchvision's names, and one seed gives
    the same weights as torchvision's constructor where it has the model.

    Args:
        config: The architecture.
        zero_init_residual: Begin with every block an identity (Goyal 2017, section 5.1).

    Raises:
        ValueError: `zero_init_residual` for a plain network, which would put out zeros only.
    """

    def __init__(self, config: ResNetConfig, *, zero_init_residual: bool = False) -> None:
        super().__init__()
        if zero_init_residual and config.shortcut == "none":
            raise ValueError("zero_init_residual needs shortcuts; shortcut 'none' would put out zeros only")
        self.config = config
        self.stages = tuple(f"layer{number}" for number in range(1, len(config.depths) + 1))
        """Names of the stages, first to last: ``layer1``, ``layer2``, …"""

        self.conv1 = make_stem(config)
        # Pre-activation networks leave the first normalisation to the first block.
        self.bn1 = nn.Identity() if config.preact else nn.BatchNorm2d(config.stem_width)
        self.relu = nn.Identity() if config.preact else nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if config.stem == "cifar" else nn.MaxPool2d(3, stride=2, padding=1)

        channels = config.stem_width
        for index, (name, depth, planes) in enumerate(zip(self.stages, config.depths, config.widths, strict=True)):
            stage = nn.Sequential()
            for position in range(depth):
                stride = 2 if index > 0 and position == 0 else 1
                stage.append(make_block(config, channels, planes, stride=stride))
                channels = config.out_channels(planes)
            self.add_module(name, stage)

        # …and end with the one that no block is left to do.
        self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True)) if config.preact else nn.Identity()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.fc = nn.Linear(channels, config.num_classes) if config.num_classes else nn.Identity()

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, blocks.Basic | blocks.Bottleneck | blocks.PreactBasic | blocks.PreactBottleneck):
                    module.zero_init_residual()

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores.

        Args:
            x: Images, (batch, in_channels, height, width).

        Returns:
            Logits, (batch, num_classes), or with ``num_classes=0`` pooled features, (batch, num_features).
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = getattr(self, name)(x)
        x = self.flatten(self.avgpool(self.norm(x)))
        logits: Tensor = self.fc(x)
        return logits

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each stage, for use as a backbone.

        Args:
            x: Images, (batch, in_channels, height, width).

        Returns:
            For each stage (batch, channels, ⌈height / stride⌉, ⌈width / stride⌉), with the strides of
            `ResNetConfig.strides`: 4, 8, 16, 32 with an ImageNet stem. Those of a pre-activation network are
            not normalised yet: the next module begins with the normalisation.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        outputs = []
        for name in self.stages:
            x = getattr(self, name)(x)
            outputs.append(x)
        return tuple(outputs)


def make_stem(config: ResNetConfig) -> nn.Module:
    """Return the first convolution, or the first three, without the normalisation that follows."""
    width = config.stem_width
    if config.stem == "cifar":
        return blocks.conv3x3(config.in_channels, width)
    if config.stem == "imagenet":
        return nn.Conv2d(config.in_channels, width, 7, stride=2, padding=3, bias=False)
    return nn.Sequential(
        blocks.conv3x3(config.in_channels, width // 2, stride=2),
        nn.BatchNorm2d(width // 2),
        nn.ReLU(inplace=True),
        blocks.conv3x3(width // 2, width // 2),
        nn.BatchNorm2d(width // 2),
        nn.ReLU(inplace=True),
        blocks.conv3x3(width // 2, width),
    )


def make_block(config: ResNetConfig, in_channels: int, planes: int, *, stride: int) -> nn.Module:
    """Return a block of `config`'s type, from `in_channels` to `config.out_channels(planes)` channels."""
    out_channels, width, groups = config.out_channels(planes), config.inner_width(planes), config.groups
    if config.shortcut == "none":
        if config.bottleneck:
            return blocks.PlainBottleneck(in_channels, width, out_channels, stride=stride, groups=groups)
        return blocks.PlainBasic(in_channels, out_channels, stride=stride)

    same = stride == 1 and in_channels == out_channels
    if config.preact and same:
        if config.bottleneck:
            return blocks.PreactBottleneck(in_channels, width, out_channels, stride=stride, groups=groups)
        return blocks.PreactBasic(in_channels, out_channels, stride=stride)

    downsample = (
        nn.Identity()
        if same
        else make_shortcut(config.shortcut, in_channels, out_channels, stride=stride, norm=not config.preact)
    )
    if config.bottleneck:
        bottleneck = blocks.ProjectedPreactBottleneck if config.preact else blocks.Bottleneck
        return bottleneck(in_channels, width, out_channels, stride=stride, groups=groups, downsample=downsample)
    basic = blocks.ProjectedPreactBasic if config.preact else blocks.Basic
    return basic(in_channels, out_channels, stride=stride, downsample=downsample)
