"""Shortcuts between blocks of different shape: the choices of `ResNetConfig.shortcut`."""

from torch import Tensor, nn
from torch.nn import functional

from resnet.config import Shortcut


class PaddingShortcut(nn.Module):
    """Every `stride`-th pixel, and channels of zeros: no parameters (He 2015, option A).

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out, at least as many.
        stride: Pixels to one that is taken.
        both: Half of the zeros stand in front, and what is left over behind. Otherwise all stand behind.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, both: bool = False) -> None:
        super().__init__()
        self.stride = stride
        extra = out_channels - in_channels
        self.front = extra // 2 if both else 0
        self.behind = extra - self.front

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, out_channels, ⌈height / stride⌉, ⌈width / stride⌉)."""
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.front, self.behind))


def make_shortcut(kind: Shortcut, in_channels: int, out_channels: int, *, stride: int, norm: bool) -> nn.Module:
    """Return the module that brings (batch, in_channels, height, width) to the shape of a block's output.

    Args:
        kind: Not ``none``, which has no shortcut.
        in_channels: Channels that come in.
        out_channels: Channels that the block puts out.
        stride: Stride of the block.
        norm: Whether a batch norm follows the convolution; pre-activation blocks have none there.
    """
    if kind in {"padding", "padding_both"}:
        return PaddingShortcut(in_channels, out_channels, stride=stride, both=kind == "padding_both")
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
