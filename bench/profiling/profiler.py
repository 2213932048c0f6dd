"""Profile a step of a workload: time it without the profiler, run it under torch's, and attribute its events."""

import contextlib
import gc
import operator
import os
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from bench.machine.device_names import is_cpu
from bench.measure.device import Device
from bench.measure.timing import time_turn
from bench.process.profiling.messages import Profiled
from bench.profiling.attribution import ROOT_NAME, attributed
from bench.profiling.events import MARK, MODULE, STEP, trace_events
from bench.profiling.works import layer_works
from bench.tasks.workload import Workload
from results.schema.case import Case
from results.schema.labels import RUNTIMES, TASKS
from results.schema.lines.profile import ProfiledModule

_ROUNDS: Final = 4
"""Steps under the profiler."""
_WARM: Final = 2
"""Steps before the first timed step."""


def profiled_step(
    case: Case,
    workload: Workload,
    device: Device,
    *,
    steps: int,
    trace: str | None,
    clock: Callable[[], float],
) -> Profiled:
    """Return the profile of a step of the workload, which advances by the steps that it makes.

    Args:
        case: the case of the workload.
        workload: a prepared workload, whose first step is over.
        device: its device.
        steps: steps that are timed without the profiler.
        trace: file for the trace (gzip), None for none.
        clock: clock of the timed steps.
    """
    half = max(1, steps // 2)
    with workload.context():
        before = time_turn(workload.step, device, steps=half, drop=_WARM, clock=clock).step_s
        with module_ranges(workload.module) if not RUNTIMES[case.runtime].compiles else contextlib.nullcontext():
            profiler = _profiled(workload, device)
        after = time_turn(workload.step, device, steps=half, drop=1, clock=clock).step_s
    results: Any = profiler.profiler
    answer = attributed(trace_events(results.kineto_results.events()), TASKS[case.task].phases or ("forward",))
    queued = answer.launch_bound is not None
    works, reason = layer_works(case)
    nulls = {} if queued else {"launch_bound": "the CPU has no queue"}
    if RUNTIMES[case.runtime].compiles:
        nulls["modules"] = f"which module a kernel of {case.runtime} computes is not known"
    return Profiled(
        step_s=(*before, *after),
        profiled_s=answer.profiled_s,
        operators=answer.rows,
        modules=modules_of(workload.module),
        works=works,
        queued=queued,
        launch_bound=answer.launch_bound,
        trace_bytes=None if trace is None else _export(profiler, pathlib.Path(trace)),
        notes=(),
        nulls=nulls | ({"works": reason} if reason else {}) | ({"trace": "not asked for"} if trace is None else {}),
    )


def _profiled(workload: Workload, device: Device) -> profile:
    """Run steps under the profiler, and return the fastest: one may have been disturbed, and the first warms it up."""
    activities = [ProfilerActivity.CPU]
    accelerator = None if is_cpu(device.name) else torch.accelerator.current_accelerator()
    if accelerator is not None:
        activities.append(ProfilerActivity.XPU if accelerator.type == "xpu" else ProfilerActivity.CUDA)
    gc.collect()
    with quiet_library():
        profiled = [_profiled_once(workload, device, activities) for _ in range(_ROUNDS)]
    return min(profiled, key=operator.itemgetter(0))[1]


def _profiled_once(workload: Workload, device: Device, activities: list[ProfilerActivity]) -> tuple[float, profile]:
    """Return the seconds of a step under the profiler, and the profiler."""
    profiler = profile(activities=activities, record_shapes=True)
    with profiler:
        began = time.perf_counter()
        with record_function(STEP):
            workload.step(_mark)
            device.synchronize()
        took_s = time.perf_counter() - began
    return took_s, profiler


@contextlib.contextmanager
def quiet_library() -> Iterator[None]:
    """Keep what torch's profiler library (kineto) prints about itself from the user's terminal."""
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a descriptor is what counts
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _mark() -> None:
    with record_function(MARK):
        pass


@contextlib.contextmanager
def module_ranges(network: torch.nn.Module) -> Iterator[None]:
    """Let the forward pass of every module be a range in traces, and afterwards no more."""
    handles = []
    for name, module in network.named_modules():
        ranges: list[record_function] = []

        def enter(_module: object, _inputs: object, name: str = name, ranges: list[record_function] = ranges) -> None:
            ranges.append(record_function(MODULE + (name or ROOT_NAME)))
            ranges[-1].__enter__()  # type: ignore[no-untyped-call]

        def leave(*_: object, ranges: list[record_function] = ranges) -> None:
            ranges.pop().__exit__(None, None, None)

        handles.append(module.register_forward_pre_hook(enter))
        handles.append(module.register_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def modules_of(network: torch.nn.Module) -> tuple[ProfiledModule, ...]:
    """Return the modules of a network, itself first."""
    return tuple(
        ProfiledModule(
            name=name or ROOT_NAME, type=type(module).__name__, stage=name.split(".")[0] if name else ROOT_NAME
        )
        for name, module in network.named_modules()
    )


def _export(profiler: profile, path: pathlib.Path) -> int:
    """Write the trace, and return its bytes. torch compresses what ends with ``.gz``."""
    half = path.with_name(f"half-{path.name}")
    profiler.export_chrome_trace(os.fspath(half))
    shutil.move(half, path)
    return path.stat().st_size
