"""Shortcuts between blocks of different shape: the choices of `ResNetConfig.shortcut`."""

from torch import Tensor, nn
from torch.nn import functional

from resnet.config import Shortcut


class PaddingShortcut(nn.Module):
    """Every `stride`-th pixel, and channels of zeros behind: no parameters (He 2015, option A)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.extra = out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, out_channels, ⌈height / stride⌉, ⌈width / stride⌉)."""
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


def make_shortcut(kind: Shortcut, in_channels: int, out_channels: int, *, stride: int, norm: bool) -> nn.Module:
    """Return the module that brings (batch, in_channels, height, width) to the shape of a block's output.

    Args:
        kind: Not ``none``, which has no shortcut.
        in_channels: Channels that come in.
        out_channels: Channels that the block puts out.
        stride: Stride of the block.
        norm: Whether a batch norm follows the convolution; pre-activation blocks have none there.
    """
    if kind == "padding":
        return PaddingShortcut(in_channels, out_channels, stride=stride)
    layers: list[nn.Module] = []
    if kind == "avgpool":
        # Where a pixel is left over at the edge, the mean is of the pixels there are (as timm has it). At
        # stride 1 an identity takes the pool's place, so that the convolution has the same name everywhere.
        pool = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)
        layers.append(nn.Identity() if stride == 1 else pool)
        stride = 1
    layers.append(nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False))
    if norm:
        layers.append(nn.BatchNorm2d(out_channels))
    return nn.Sequential(*layers)
