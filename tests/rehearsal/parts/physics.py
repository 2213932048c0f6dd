"""Measure the physics of a device: `python -m tests.rehearsal.parts.physics DEVICE FILE [UUID]`, a line a part.

P1 cost of marks; P2 shape of a turn; P3 idle gaps; P4 sustained clocks; P5 peak rates and copy bandwidth; P6 errors of
float32 with and without TF32; M1 memory outside the allocator.
"""

import contextlib
import dataclasses
import functools
import pathlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import torch

from bench.machine import nvml
from bench.machine.device_names import is_cpu
from bench.measure.device import Device, open_device
from bench.measure.timing import Step
from bench.tasks.workload import build
from results.schema.case import Case
from tests.rehearsal.evidence import Missing
from tests.rehearsal.parts import driver, rates, turns
from tests.rehearsal.parts.lines import measure

_GPU_AXES: Final = {"precision": "amp-bf16", "layout": "nhwc", "image_size": 224}
_CPU_AXES: Final = {"precision": "fp32", "layout": "nhwc", "image_size": 32}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured on a kind of device."""

    networks: Mapping[str, dict[str, Any]]
    """Axes of the cases whose steps are timed, by their role."""
    repeats: int
    gaps_s: tuple[float, ...]
    sustained_s: float
    precisions: tuple[str, ...]
    """Precisions whose peak rates are measured."""
    size: int
    """Rows of the matrices of the warm peak."""
    copied_bytes: int
    busy_s: float
    """Seconds of the warm peak and of copying."""
    idle_s: float
    """Seconds of idleness before a cold peak."""
    tf32: tuple[bool, ...]


ACCELERATOR: Final = Scale(
    networks={
        "large": {"model": "resnet50", "batch_size": 256, **_GPU_AXES},
        "single": {"model": "resnet50", "batch_size": 1, **_GPU_AXES},
        "small": {"model": "resnet18", "batch_size": 256, **_GPU_AXES},
    },
    repeats=8,
    gaps_s=(0.002, 0.01, 0.03, 0.1, 0.3, 1.0, 4.0),
    sustained_s=4.0,
    precisions=("fp32", "tf32", "amp-bf16"),
    size=8192,
    copied_bytes=2**30,
    busy_s=0.5,
    idle_s=1.0,
    tf32=(False, True),
)
CPU: Final = Scale(
    networks={"large": {"model": "cifar_resnet20", "batch_size": 8, **_CPU_AXES}},
    repeats=4,
    gaps_s=(0.002, 0.01, 0.03, 0.1),
    sustained_s=0.5,
    precisions=("fp32",),
    size=1024,
    copied_bytes=2**26,
    busy_s=0.3,
    idle_s=0.1,
    tf32=(False,),
)


def parts(name: str, scale: Scale, gpu: nvml.Gpu | str, used_before: int | None) -> Iterator[tuple[str, Any]]:
    """Yield the name of every part, and the function that measures it."""
    device = open_device(name)
    clock = time.perf_counter
    yield "P1", functools.partial(_marks, device)
    for role, axes in scale.networks.items():
        case = Case(task="inference", device=name, runtime="eager", threads=torch.get_num_threads(), **axes)
        shapes = functools.partial(turns.turn_shapes, clock=clock, repeats=scale.repeats)
        yield f"P2/{role}", functools.partial(_with_step, case, device, shapes)
        if role == "large":
            gaps = functools.partial(turns.after_gaps, clock=clock, sleep=time.sleep, gaps_s=scale.gaps_s)
            yield "P3", functools.partial(_with_step, case, device, gaps)
            long = functools.partial(turns.sustained, clock=clock, seconds=scale.sustained_s)
            yield "P4", functools.partial(_with_step, case, device, long)
    for precision in scale.precisions:
        yield (
            f"P5/{precision}",
            functools.partial(
                rates.peaks, device, precision, size=scale.size, seconds=scale.busy_s, idle_s=scale.idle_s
            ),
        )
    yield (
        "P5/copy",
        functools.partial(rates.copy_bandwidth, device, size_bytes=scale.copied_bytes, seconds=scale.busy_s),
    )
    for tf32 in scale.tf32:
        yield f"P6/{'tf32' if tf32 else 'fp32'}", functools.partial(rates.float32_errors, name, tf32=tf32)
    if not is_cpu(name):
        yield "M1", functools.partial(_outside, gpu, name, used_before)


def _marks(device: Device) -> dict[str, float]:
    tiny = torch.zeros(1, device=device.name)
    return turns.mark_cost(device, lambda: tiny.add_(1), clock=time.perf_counter)


def _with_step(case: Case, device: Device, part: Callable[[Device, Step], dict[str, Any]]) -> dict[str, Any]:
    """Measure a part with the step of a case, as the harness builds it; the allocator gives its memory back."""
    workload = build(case, device=device)
    with workload.context():
        return {"case": case.key, **part(device, workload.step)}


def _outside(gpu: nvml.Gpu | str, name: str, used_before: int | None) -> dict[str, float]:
    if isinstance(gpu, str):
        raise Missing(gpu)
    if used_before is None:
        raise Missing("NVML does not report the memory in use")
    return rates.outside_memory(gpu, name, used_before)


def main(name: str, path: str, identity: str = "") -> int:
    """Measure all parts; a part that fails has a line with its error."""
    gpu = driver.find(identity)
    used_before = driver.used_bytes(gpu)  # before torch makes its context
    scale = CPU if is_cpu(name) else ACCELERATOR
    for part, function in parts(name, scale, gpu, used_before):
        measure(pathlib.Path(path), part, function)
        with contextlib.suppress(RuntimeError, AttributeError):
            torch.accelerator.memory.empty_cache()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
