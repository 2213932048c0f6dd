"""Bandwidths of copies and triads by the size of their working set, and latencies of single operators."""

from typing import Final

import torch

from bench.machine import memory
from bench.machine.device_names import is_cpu
from bench.measure.device import Device
from bench.measure.timing import Step

LEAST_BYTES: Final = 1 << 15
MOST_BYTES: Final = 1 << 28
DEVICE_LEAST_BYTES: Final = 1 << 20
DEVICE_MOST_BYTES: Final = 1 << 32
FREE_SHARE: Final = 0.25
"""The most of the free memory that a working set may take."""
SCALE: Final = 1.5
_FLOAT_BYTES: Final = 4


def working_sets(device: Device) -> tuple[int, ...]:
    """Return the working sets in bytes: powers of two from a first cache to far beyond the last."""
    queues = not is_cpu(device.name)
    free = device.free_memory() if queues else memory.available()
    least, most = (DEVICE_LEAST_BYTES, DEVICE_MOST_BYTES) if queues else (LEAST_BYTES, MOST_BYTES)
    most = most if free is None else min(most, int(FREE_SHARE * free))
    sizes = [least]
    while 2 * sizes[-1] <= most:
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


def copy_step(device: Device, working_set: int) -> Step:
    """Return a step that copies one half of a working set onto the other."""
    source = torch.ones(working_set // 2 // _FLOAT_BYTES, device=device.name)
    target = torch.empty_like(source)
    return lambda _: target.copy_(source)


def triad_step(device: Device, working_set: int) -> Step:
    """Return a step that adds a third of a working set, and another third times a number, into the last third."""
    left = torch.ones(working_set // 3 // _FLOAT_BYTES, device=device.name)
    right, target = torch.ones_like(left), torch.empty_like(left)
    return lambda _: torch.add(left, right, alpha=SCALE, out=target)


def smallest_step(device: Device) -> Step:
    """Return a step of an operator on a single element, which costs nothing but its call."""
    element = torch.ones(1, device=device.name)
    result = torch.empty_like(element)
    return lambda _: torch.add(element, element, out=result)
