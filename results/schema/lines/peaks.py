"""What a device can do, a kind of line of a run file: rates by precision, bandwidths by working set, latencies."""

from typing import Annotated, Literal

from msgspec import Meta, field

from results.schema.case import Precision
from results.schema.types import Name, Seconds, Size, StepSeconds, Stored, Text

Rate = Annotated[float, Meta(gt=0, le=1e30)]
Repetitions = Annotated[tuple[Rate, ...], Meta(min_length=2)]
"""A rate in each repetition; all figures of a line were repeated in turns."""


class ComputePeak(Stored, frozen=True, kw_only=True):
    """The highest rate of a kind of operator in a precision."""

    operator: Literal["matmul", "convolution"]
    precision: Precision
    size: Annotated[str, Meta(max_length=128)]
    """The shape that reached it: ``2048x2048``, or ``16x256x28x28, 256x256x3x3``."""
    flops_per_s: Repetitions


class Bandwidth(Stored, frozen=True, kw_only=True):
    """The bandwidth of a stream through a working set."""

    operation: Literal["copy", "triad"]
    """``copy``: b = a; ``triad``: c = a + s·b (McCalpin 1995). Each array is counted once: bytes that are read for the
    sake of writing are not counted."""
    working_set_bytes: Size
    """Bytes of all arrays together."""
    bytes_per_s: Repetitions


class SheetFigure(Stored, frozen=True, kw_only=True):
    """A dense figure of the manufacturer."""

    what: Name
    """A precision, or ``bandwidth``."""
    value: Rate
    """FLOP/s or bytes a second."""
    source: Text


class Peaks(Stored, frozen=True, kw_only=True):
    """What a device can do, drawn on the device and warm."""

    device: Name
    device_name: Name | None
    threads: Size
    compute: tuple[ComputePeak, ...]
    bandwidths: tuple[Bandwidth, ...]
    dispatch_s: tuple[StepSeconds, ...]
    """Host's time of an operator on a single element, in each repetition: what calling an operator costs."""
    launch_s: tuple[StepSeconds, ...] = ()
    """Accelerator: time from queueing a kernel on an idle device to its end; empty on the CPU."""
    sheet: tuple[SheetFigure, ...] = ()
    """Figures of the manufacturer; empty where none with a source is known."""
    started: Name
    """ISO 8601, UTC."""
    duration_s: Seconds
    notes: tuple[Text, ...] = ()
    nulls: dict[str, Text] = field(default_factory=dict)
    """Reason of each value that is missing."""
