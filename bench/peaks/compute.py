"""Rates of matrix products and convolutions, as fast as torch runs them."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch.nn import functional

from bench.machine.device_names import is_cpu
from bench.measure.device import Device
from bench.measure.timing import Step
from results.schema.labels import PROMISES

MATRICES: Final = (256, 1024, 2048)
"""Rows of square matrices."""
DEVICE_MATRICES: Final = (2048, 4096, 8192)
CONVOLUTIONS: Final = ((1, 128, 28), (8, 64, 56), (8, 256, 14))
"""Images, channels in and out, and pixels of 3x3 convolutions, as ResNets have them."""
DEVICE_CONVOLUTIONS: Final = ((128, 64, 56), (128, 256, 28))
LAYOUTS: Final = (torch.contiguous_format, torch.channels_last)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product to time."""

    operator: str
    size: str
    flops: int
    """Of a step, 2 a multiply-add."""
    step: Step


def peak_products(device: Device, precision: str) -> Iterator[tuple[str, Callable[[], Product]]]:
    """Yield operators with functions that make their products in a precision, small ones first.

    The numbers are random and drawn on the device.
    """
    queues = not is_cpu(device.name)
    dtype = getattr(torch, PROMISES[precision].compute)
    for rows in DEVICE_MATRICES if queues else MATRICES:
        yield "matmul", lambda rows=rows: _matrix_product(device, dtype, rows)  # type: ignore[misc]
    for shape in DEVICE_CONVOLUTIONS if queues else CONVOLUTIONS:
        for layout in LAYOUTS:
            yield "convolution", lambda shape=shape, layout=layout: _convolution(device, dtype, shape, layout)  # type: ignore[misc]


def _matrix_product(device: Device, dtype: torch.dtype, rows: int) -> Product:
    left, right = (torch.randn(rows, rows, device=device.name).to(dtype) for _ in range(2))
    result = torch.empty_like(left)
    return Product(
        operator="matmul", size=f"{rows}x{rows}", flops=2 * rows**3, step=lambda _: torch.mm(left, right, out=result)
    )


def _convolution(
    device: Device, dtype: torch.dtype, shape: tuple[int, int, int], layout: torch.memory_format
) -> Product:
    count, channels, side = shape
    images = torch.randn(count, channels, side, side, device=device.name).to(dtype, memory_format=layout)
    weight = torch.randn(channels, channels, 3, 3, device=device.name).to(dtype, memory_format=layout)
    name = "nhwc" if layout is torch.channels_last else "nchw"
    return Product(
        operator="convolution",
        size=f"{count}x{channels}x{side}x{side}, {channels}x{channels}x3x3, {name}",
        flops=2 * images.numel() * channels * 9,
        step=lambda _: functional.conv2d(images, weight, padding=1),
    )
