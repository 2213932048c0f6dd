"""The memory of a step, predicted without running it, and measured beside it: kinds of lines of a run file."""

from typing import Annotated, Literal

from msgspec import Meta, field

from results.schema.case import Case
from results.schema.lines.profile import Phase
from results.schema.types import Count, Name, Seconds, Size, StepSeconds, Stored, Text


class MemoryPoint(Stored, frozen=True, kw_only=True):
    """The memory at a point of a step."""

    at: Annotated[float, Meta(ge=0, le=1)]
    """Share of the step's allocations and releases before it."""
    bytes: Count
    phase: Phase
    module: Name | None
    """Path of the module that was running; None outside of the network."""


class MemoryParts(Stored, frozen=True, kw_only=True):
    """What the memory holds at the predicted peak, in bytes."""

    parameters: Count
    buffers: Count
    gradients: Count
    optimizer: Count
    """State of the optimizer, such as momenta."""
    images: Count
    """Input and labels."""
    saved: Count
    """Activations that the backward pass needs."""
    temporary: Count
    """Everything else: activations that live for a moment, and copies in another number format."""
    workspace: Count
    """An estimate of what libraries take inside an operator, such as a convolution's other layout."""

    @property
    def total(self) -> int:
        """The peak."""
        return sum(getattr(self, name) for name in self.__struct_fields__)


class Memory(Stored, frozen=True, kw_only=True):
    """The memory of a case's steady step, and its peak."""

    case: Case
    predicted: MemoryParts | None
    """None where it cannot be predicted; `nulls` has the reason."""
    peak_phase: Phase | None = None
    peak_module: Name | None = None
    """Where the predicted peak occurs."""
    points: Annotated[tuple[MemoryPoint, ...], Meta(max_length=1024)] = ()
    """The predicted step."""
    measured_bytes: Count | None = None
    """Peak of the bytes that all tensors occupy in a steady step: by the device's allocator; on the CPU by the
    allocations that torch's profiler saw, above the parameters, buffers, states and images that were there before."""
    measured_points: Annotated[tuple[MemoryPoint, ...], Meta(max_length=1024)] = ()
    started: Name
    """ISO 8601, UTC."""
    duration_s: Seconds
    notes: tuple[Text, ...] = ()
    nulls: dict[str, Text] = field(default_factory=dict)


class BatchTrial(Stored, frozen=True, kw_only=True):
    """A batch that was tried in a fresh process."""

    batch_size: Size
    outcome: Literal["fits", "too-large", "out-of-memory", "failed"]
    """``too-large``: it ran, and took more than the limit."""
    peak_bytes: Count | None
    """Peak of a step; of the whole process on the CPU."""
    step_s: StepSeconds | None
    cause: Text | None = None


class PredictedBatch(Stored, frozen=True, kw_only=True):
    """The predicted memory of a batch."""

    batch_size: Size
    peak_bytes: Count


class LargestBatch(Stored, frozen=True, kw_only=True):
    """The largest batch of a case that fits in a memory; the case has this batch, or batch 1 if none fits."""

    case: Case
    memory_bytes: Count
    """The limit."""
    process_bytes: Count | None
    """What a process takes of it with a single image, beyond its tensors: libraries, code, threads."""
    growth: Annotated[float, Meta(ge=1)] = 1.0
    """Bytes that the process grows by for each further byte of tensors, measured: an allocator keeps what it freed."""
    predicted_batch: Size | None
    """None if not even a single image fits."""
    verified_batch: Size | None = None
    """The largest batch that was measured to fit; None without verification."""
    predictions: tuple[PredictedBatch, ...]
    trials: tuple[BatchTrial, ...] = ()
    started: Name
    """ISO 8601, UTC."""
    duration_s: Seconds
    notes: tuple[Text, ...] = ()
    nulls: dict[str, Text] = field(default_factory=dict)

    def expected_bytes(self, tensors: int) -> float:
        """Return what a process is expected to take whose tensors take so many bytes."""
        single = self.predictions[0].peak_bytes if self.predictions else 0
        return single + (self.process_bytes or 0) + self.growth * (tensors - single)
