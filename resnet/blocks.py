"""The blocks that a ResNet is built from, one explicit class each: no forward branches.

Blocks take and give (batch, channels, height, width); a stride of 2 halves height and width, rounding up.
Names of parameters, and the order in which modules are registered, are torchvision's, so that its checkpoints
load and one seed gives both the same initial weights. In equations F is the branch of convolutions.

The first unit of a pre-activation network is timm's, and with bottlenecks that of He's released code: where its shape
changes, branch and shortcut share one activation; where it does not, the identity takes the stem's output as it is.
"""

from torch import Tensor, nn


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a 3x3 convolution that keeps height and width but for its stride."""
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, groups=groups, bias=False)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """Return a 1x1 convolution."""
    return nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)


class PlainBasic(nn.Module):
    """Two 3x3 convolutions, nothing around them (He 2015, the plain network of figure 3)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)

    def branch(self, x: Tensor) -> Tensor:
        """Return what the convolutions make of `x`, before the last activation."""
        x = self.relu(self.bn1(self.conv1(x)))
        out: Tensor = self.bn2(self.conv2(x))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x))."""
        out: Tensor = self.relu(self.branch(x))
        return out


class Basic(PlainBasic):
    """Two 3x3 convolutions with a shortcut (He 2015, figure 5 left)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, downsample: nn.Module) -> None:
        super().__init__(in_channels, out_channels, stride=stride)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + downsample(x)) (He 2015, equation 2)."""
        out = self.branch(x)
        out += self.downsample(x)
        activated: Tensor = self.relu(out)
        return activated

    def zero_init_residual(self) -> None:
        """Make the block begin as an identity."""
        nn.init.zeros_(self.bn2.weight)


class PlainBottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution, nothing around them."""

    def __init__(self, in_channels: int, width: int, out_channels: int, *, stride: int, groups: int) -> None:
        super().__init__()
        self.conv1 = conv1x1(in_channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride, groups)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, out_channels)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)

    def branch(self, x: Tensor) -> Tensor:
        """Return what the convolutions make of `x`, before the last activation."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        out: Tensor = self.bn3(self.conv3(x))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x))."""
        out: Tensor = self.relu(self.branch(x))
        return out


class Bottleneck(PlainBottleneck):
    """1x1, 3x3 and 1x1 convolution with a shortcut (He 2015, figure 5 right; Xie 2017 with groups)."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        out_channels: int,
        *,
        stride: int,
        groups: int,
        downsample: nn.Module,
    ) -> None:
        super().__init__(in_channels, width, out_channels, stride=stride, groups=groups)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + downsample(x)) (He 2015, equation 2)."""
        out = self.branch(x)
        out += self.downsample(x)
        activated: Tensor = self.relu(out)
        return activated

    def zero_init_residual(self) -> None:
        """Make the block begin as an identity."""
        nn.init.zeros_(self.bn3.weight)


class PreactBasic(nn.Module):
    """Two 3x3 convolutions, each after its normalisation, with an identity (He 2016, figure 4e)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv3x3(in_channels, out_channels, stride)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)
        self.relu = nn.ReLU(inplace=True)

    def branch(self, activated: Tensor) -> Tensor:
        """Return what the convolutions make of the normalised and activated input."""
        x = self.conv1(activated)
        out: Tensor = self.conv2(self.relu(self.bn2(x)))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return F(relu(bn1(x))) + x (He 2016, equation 5)."""
        out = self.branch(self.relu(self.bn1(x)))
        out += x
        return out

    def zero_init_residual(self) -> None:
        """Make the block begin as an identity; no normalisation comes last, so the convolution it is."""
        nn.init.zeros_(self.conv2.weight)


class ProjectedPreactBasic(PreactBasic):
    """A `PreactBasic` whose shape changes: its shortcut starts after the first activation."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, downsample: nn.Module) -> None:
        super().__init__(in_channels, out_channels, stride=stride)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return F(a) + downsample(a) with a = relu(bn1(x))."""
        activated = self.relu(self.bn1(x))
        out = self.branch(activated)
        out += self.downsample(activated)
        return out


class PreactBottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution, each after its normalisation, with an identity (He 2016)."""

    def __init__(self, in_channels: int, width: int, out_channels: int, *, stride: int, groups: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv1x1(in_channels, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride, groups)
        self.bn3 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, out_channels)
        self.relu = nn.ReLU(inplace=True)

    def branch(self, activated: Tensor) -> Tensor:
        """Return what the convolutions make of the normalised and activated input."""
        x = self.conv1(activated)
        x = self.conv2(self.relu(self.bn2(x)))
        out: Tensor = self.conv3(self.relu(self.bn3(x)))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return F(relu(bn1(x))) + x (He 2016, equation 5)."""
        out = self.branch(self.relu(self.bn1(x)))
        out += x
        return out

    def zero_init_residual(self) -> None:
        """Make the block begin as an identity; no normalisation comes last, so the convolution it is."""
        nn.init.zeros_(self.conv3.weight)


class ProjectedPreactBottleneck(PreactBottleneck):
    """A `PreactBottleneck` whose shape changes: its shortcut starts after the first activation."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        out_channels: int,
        *,
        stride: int,
        groups: int,
        downsample: nn.Module,
    ) -> None:
        super().__init__(in_channels, width, out_channels, stride=stride, groups=groups)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return F(a) + downsample(a) with a = relu(bn1(x))."""
        activated = self.relu(self.bn1(x))
        out = self.branch(activated)
        out += self.downsample(activated)
        return out
