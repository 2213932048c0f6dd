"""Peak rate of a device, that of its fastest matrix product: no case computes much faster."""

import time
from collections.abc import Callable
from typing import Final

import torch

from bench.measure import precision as precisions
from bench.measure.device import Device, Unsupported
from bench.measure.timing import Step, time_turn
from results.schema.labels import PROMISES

FIRST: Final = 256
"""Rows of the first square matrices."""
LAST: Final = 8192
LONG_ENOUGH_S: Final = 0.02
"""Least seconds of a product that is large enough to fill the device."""
STEPS: Final = 5
WARM_S: Final = 0.3
"""Least seconds of the largest product: a GPU that was idle raises its clocks for some tenths of a second."""


def measure_peak_rate(
    device: Device, precision: str, threads: int, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the FLOP/s (2 per multiply-add) of the fastest of several square matrix products.

    They are in the dtype of the precision, and in float32, which does the arithmetic of emulated dtypes. This changes
    the torch settings of the process. On a device without the dtype, torch's exception passes through.
    """
    promise = PROMISES[precision]
    if promise.quantizes:
        raise Unsupported(f"torch multiplies no matrices in {precision} by itself")
    torch.set_num_threads(threads)
    precisions.set_tf32(on=promise.tf32)
    return max(_fastest(device, dtype, clock) for dtype in {promise.compute, "float32"})


def _fastest(device: Device, dtype: str, clock: Callable[[], float]) -> float:
    best = 0.0
    size = FIRST
    while True:
        multiply = _product(device, dtype, size)
        began = clock()
        fastest = _fastest_s(device, multiply, clock)
        last = fastest >= LONG_ENOUGH_S or 2 * size > LAST
        while last and clock() - began < WARM_S:
            fastest = min(fastest, _fastest_s(device, multiply, clock))
        best = max(best, 2 * size**3 / fastest)
        if last:
            break
        size *= 2
    return best


def _product(device: Device, dtype: str, size: int) -> Step:
    """Return a step that multiplies two square matrices of random numbers, drawn on the device."""
    left, right = (torch.randn(size, size, device=device.name).to(getattr(torch, dtype)) for _ in range(2))
    result = torch.empty_like(left)
    return lambda _: torch.mm(left, right, out=result)


def _fastest_s(device: Device, step: Step, clock: Callable[[], float]) -> float:
    return min(time_turn(step, device, steps=STEPS, drop=1, clock=clock).step_s)
