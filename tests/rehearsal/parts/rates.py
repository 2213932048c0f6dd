"""Physics of rates and memory: peak rates, copy bandwidth, errors of TF32, memory outside the allocator."""

import time
from collections.abc import Callable
from typing import Any, Final

import torch

from bench.machine.device_names import is_cpu
from bench.machine.nvml import Gpu
from bench.measure.device import Device
from bench.measure.peak_rate import measure_peak_rate
from bench.measure.precision import set_tf32
from bench.measure.timing import time_turn
from results.schema.labels import PROMISES

BLOCK: Final = 5
"""Steps of a turn."""


def peaks(device: Device, precision: str, *, size: int, seconds: float, idle_s: float) -> dict[str, float]:
    """Return the FLOP/s of `measure_peak_rate` after a pause, and of a large product that has run for some time."""
    time.sleep(idle_s)
    cold = measure_peak_rate(device, precision, torch.get_num_threads())
    set_tf32(on=PROMISES[precision].tf32)
    left, right = (torch.randn(size, size, device=device.name, dtype=_dtype(precision)) for _ in range(2))
    result = torch.empty_like(left)
    best = _fastest(device, lambda: torch.mm(left, right, out=result), seconds)
    warm = 2 * size**3 / best
    return {"cold_flops_per_s": cold, "warm_flops_per_s": warm, "cold_over_warm": cold / warm}


def copy_bandwidth(device: Device, *, size_bytes: int, seconds: float) -> dict[str, float]:
    """Return the bytes a second, read and written, of copying a large buffer on the device."""
    source = torch.ones(size_bytes // 4, device=device.name)
    target = torch.empty_like(source)
    fastest = _fastest(device, lambda: target.copy_(source), seconds)
    return {"bytes_per_s": 2 * size_bytes / fastest}


def float32_errors(device: str, *, tf32: bool) -> dict[str, float]:
    """Return the root mean square error, relative to float64, of a float32 product and of a float32 convolution."""
    set_tf32(on=tf32)
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(1024, 1024, generator=generator) for _ in range(2))
    images, weights = (
        torch.randn(8, 64, 56, 56, generator=generator),
        torch.randn(64, 64, 3, 3, generator=generator),
    )
    product = (left.to(device) @ right.to(device)).cpu()
    convolution = torch.nn.functional.conv2d(images.to(device), weights.to(device), padding=1).cpu()
    set_tf32(on=False)
    return {
        "matmul": _relative(product, left.double() @ right.double()),
        "convolution": _relative(convolution, torch.nn.functional.conv2d(images.double(), weights.double(), padding=1)),
    }


def outside_memory(gpu: Gpu, device: str, used_before: int) -> dict[str, float]:
    """Return the bytes of the device that this process uses and torch's allocator does not hold: context, libraries."""
    torch.accelerator.synchronize(torch.device(device))
    used = gpu.ask("MemoryInfo").used
    reserved = torch.accelerator.memory.memory_reserved(torch.device(device))
    return {
        "used_bytes": used - used_before,
        "reserved_bytes": reserved,
        "outside_bytes": used - used_before - reserved,
    }


def _fastest(device: Device, work: Callable[[], Any], seconds: float) -> float:
    """Return the seconds of the fastest call in so many seconds of calls."""
    best, began = float("inf"), time.perf_counter()
    drop = 0 if is_cpu(device.name) else 1
    while time.perf_counter() - began < seconds or best == float("inf"):
        turn = time_turn(lambda _mark: work(), device, steps=BLOCK, drop=drop)
        best = min(best, *turn.step_s)
    return best


def _relative(values: torch.Tensor, reference: torch.Tensor) -> float:
    difference = values.double() - reference
    return float(difference.square().mean().sqrt() / reference.square().mean().sqrt())


def _dtype(precision: str) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, PROMISES[precision].compute)
    return dtype
