"""What libraries allocate for a moment inside an operator.

On the CPU oneDNN computes convolutions in layouts of its own. Seen in the allocations of torch 2.14 on x86: an image in
NCHW is copied into blocks, as is the result before it becomes NCHW again; weights are always copied; in NHWC the images
stay as they are. The gradient of the weight is made in oneDNN's layout, and in NHWC once more in between. The weight
gradient of a 3x3 convolution on images of 2x2 pixels takes eight times the weight besides, which is not predicted.
"""

from typing import Any, Final

import torch

BLOCK: Final = 16
"""Channels of oneDNN's blocks: an image of fewer channels is not copied into blocks."""


def cpu_workspace(func: Any, args: Any, output: Any) -> tuple[int, ...]:
    """Return the bytes that an operator on the CPU holds at moments of its own, beyond its operands and its results.

    The largest counts. Each is a sum of tensors, and so grows evenly with the batch, which their maximum does not.
    """
    if func is torch.ops.aten.convolution.default:
        return _forward(args[0], args[1], args[8], output)
    if func is torch.ops.aten.conv2d.default:  # what a step in inference mode calls
        return _forward(args[0], args[1], args[6] if len(args) > 6 else 1, output)
    if func is torch.ops.aten.convolution_backward.default:
        return _backward(args[0], args[1], args[2], args[9], args[10][0])
    return ()


def _forward(images: torch.Tensor, weight: torch.Tensor, groups: int, result: torch.Tensor) -> tuple[int, ...]:
    if not _blocked(images, groups):
        return (weight.nbytes,)
    return images.nbytes + weight.nbytes, result.nbytes


def _backward(
    gradient: torch.Tensor, images: torch.Tensor, weight: torch.Tensor, groups: int, needs_gradient: bool
) -> tuple[int, ...]:
    if not _blocked(images, groups):
        copied = 2 * weight.nbytes
        return (copied,) if _is_nhwc(images) else (copied, gradient.nbytes)
    copies = gradient.nbytes + images.nbytes
    return (copies, weight.nbytes) if needs_gradient else (copies + weight.nbytes,)


def _blocked(images: torch.Tensor, groups: int) -> bool:
    return groups == 1 and images.shape[1] >= BLOCK and not _is_nhwc(images)


def _is_nhwc(images: torch.Tensor) -> bool:
    return images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()
