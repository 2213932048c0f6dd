"""The events of a profiled step, as plain data: what the rest needs of torch's profiler."""

import dataclasses
from collections.abc import Iterable
from typing import Any, Final

from torch._C._autograd import DeviceType

MODULE: Final = "resnet-bench module: "
"""Begins the name of the range of a module's forward pass."""
STEP: Final = "resnet-bench step"
"""Name of the range of the step."""
MARK: Final = "resnet-bench mark"
"""Name of the empty range at each border between two phases."""
BACKWARD: Final = "autograd::engine::evaluate_function: "
"""Begins the name of the evaluation of a node of autograd's graph."""
_MOST_SHAPES: Final = 512


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TraceEvent:
    """An event of the host, or a kernel of a device. Times are in nanoseconds of one clock."""

    name: str
    start: int
    end: int
    thread: int
    device: bool = False
    """Whether it ran on a device with a queue."""
    correlation: int = 0
    """Number that a launch and its kernel share."""
    operator: int = 0
    """Kernel: the correlation of the operator that launched it; 0 where it is not known."""
    sequence: int = -1
    """Number that an operator shares with the node of autograd's graph that is its backward pass; -1 for none."""
    shapes: str = ""
    """Shapes of the tensors that it takes."""
    annotation: bool = False
    """Whether it is a range, not an operator."""


def trace_events(kineto: Iterable[Any]) -> list[TraceEvent]:
    """Return torch's own events (``_KinetoEvent``) as plain data; ranges on a device are left out."""
    events = []
    for event in kineto:
        device = event.device_type() != DeviceType.CPU
        if device and event.is_user_annotation():
            continue
        events.append(
            TraceEvent(
                name=event.name(),
                start=event.start_ns(),
                end=event.start_ns() + event.duration_ns(),
                thread=event.start_thread_id(),
                device=device,
                correlation=event.correlation_id(),
                operator=event.linked_correlation_id(),
                sequence=event.sequence_nr(),
                shapes=shapes_text(event.shapes()),
                annotation=event.is_user_annotation(),
            )
        )
    return events


def shapes_text(shapes: Iterable[Any]) -> str:
    """Return the shapes of tensors as text: ``1x64x56x56, 64x64x3x3``; what is no tensor has none."""
    texts = []
    for shape in shapes:
        if shape and all(isinstance(size, int) for size in shape):
            texts.append("x".join(map(str, shape)))
        elif shape and all(isinstance(part, (list, tuple)) for part in shape):  # a list of tensors
            texts.append(f"[{len(shape)} tensors]")
    return ", ".join(texts)[:_MOST_SHAPES]
