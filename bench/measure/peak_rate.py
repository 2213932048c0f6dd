"""Peak rate of a device, that of its fastest matrix product: no case computes much faster."""

import functools
import time
from collections.abc import Callable
from typing import Final

import torch

from bench.measure import precision as precisions
from bench.measure.device import Device
from bench.measure.timing import time_turn
from results.schema.labels import PROMISES

FIRST: Final = 256
"""Rows of the first square matrices."""
LAST: Final = 8192
LONG_ENOUGH_S: Final = 0.02
"""Least seconds of a product that is large enough to fill the device."""
STEPS: Final = 5


def measure_peak_rate(
    device: Device, precision: str, threads: int, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the FLOP/s (2 per multiply-add) of the fastest of several square matrix products.

    They are in the dtype of the precision, and in float32, which does the arithmetic of emulated dtypes. This changes
    the torch settings of the process. On a device without the dtype, torch's exception passes through.
    """
    promise = PROMISES[precision]
    torch.set_num_threads(threads)
    precisions.set_tf32(on=promise.tf32)
    return max(_fastest(device, dtype, clock) for dtype in {promise.compute, "float32"})


def _fastest(device: Device, dtype: str, clock: Callable[[], float]) -> float:
    best = 0.0
    size = FIRST
    while size <= LAST:
        left, right = (torch.randn(size, size).to(device.name, getattr(torch, dtype)) for _ in range(2))
        result = torch.empty_like(left)
        step = functools.partial(torch.mm, left, right, out=result)
        fastest = min(time_turn(lambda _, step=step: step(), device, steps=STEPS, drop=1, clock=clock).step_s)  # type: ignore[misc]
        best = max(best, 2 * size**3 / fastest)
        if fastest >= LONG_ENOUGH_S:
            break
        size *= 2
    return best
