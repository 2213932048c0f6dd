"""Measure the memory of a step: by a device's allocator, or on the CPU by what torch's profiler saw of it."""

import itertools
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from bench.machine.device_names import is_cpu
from bench.measure.device import Device
from bench.memory_model.predict import MOST_POINTS
from bench.process.profiling.messages import MemoryMeasured
from bench.profiling.events import MARK
from bench.profiling.profiler import quiet_library
from bench.tasks.workload import Workload
from results.schema.case import Case
from results.schema.labels import TASKS
from results.schema.lines.memory import MemoryPoint
from results.schema.lines.profile import Phase

_MEMORY: Final = "[memory]"
"""Name of torch's event of an allocation or a release."""


def measured_memory(case: Case, workload: Workload, device: Device) -> MemoryMeasured:
    """Return the peak of what tensors occupy in a step of the workload, which advances by two steps."""
    with workload.context():
        workload.step(lambda: None)
        if not is_cpu(case.device):
            return _on_device(workload, device)
        before = _living(workload)
        events = _allocations(workload)
    return _from_events(events, before, TASKS[case.task].phases or ("forward",))


def _on_device(workload: Workload, device: Device) -> MemoryMeasured:
    device.synchronize()
    device.restart_peak()
    workload.step(lambda: None)
    device.synchronize()
    peak = device.peak_memory()
    reason = "the allocator keeps the peak only"
    nulls = {"measured_points": reason} | ({} if peak.allocated is not None else {"measured_bytes": peak.reason or ""})
    return MemoryMeasured(peak_bytes=peak.allocated, points=(), nulls=nulls)


def _living(workload: Workload) -> int:
    """Return the bytes of the tensors that live before a step: of the network, its optimizer, its images."""
    tensors = [*workload.module.parameters(), *workload.module.buffers(), workload.images, workload.labels]
    states = [] if workload.optimizer is None else workload.optimizer.state.values()
    tensors += [value for state in states for value in state.values() if isinstance(value, torch.Tensor)]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def _allocations(workload: Workload) -> list[Any]:
    """Return torch's events of a step."""
    with quiet_library(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        workload.step(_mark)
    results: Any = profiler.profiler
    return sorted(results.kineto_results.events(), key=lambda event: event.start_ns())


def _mark() -> None:
    with record_function(MARK):
        pass


def _from_events(events: list[Any], before: int, phases: tuple[str, ...]) -> MemoryMeasured:
    """Return the peak and the timeline of allocations, on top of the bytes that lived before."""
    changes, where, passed = [before], [phases[0]], 0
    for event in events:
        if event.name() == MARK:
            passed += 1
        elif event.name() == _MEMORY:
            changes.append(event.nbytes())
            where.append(phases[min(passed, len(phases) - 1)])
    levels = list(itertools.accumulate(changes))
    stretch = max(1, -(-len(levels) // MOST_POINTS))
    points = []
    for start in range(0, len(levels), stretch):
        index = max(range(start, min(start + stretch, len(levels))), key=levels.__getitem__)
        phase: Phase = where[index]
        points.append(
            MemoryPoint(at=index / max(1, len(levels) - 1), bytes=max(0, levels[index]), phase=phase, module=None)
        )
    return MemoryMeasured(peak_bytes=max(levels), points=tuple(points), nulls={})
