"""What parent and worker say about measuring: for each verb a request and an answer.

`bench.process.protocol` has the verbs, and how a message becomes a line.
"""

import dataclasses
from typing import Annotated, Generic, TypeVar

from msgspec import Meta

from results.schema.case import Case
from results.schema.lines.record import Agreement, Equality, Facts, Ran
from results.schema.lines.run import Environment
from results.schema.lines.static import Static
from results.schema.types import Count, ImageSize, Name, Seconds, Share, Size, StepSeconds, Text

Answer = TypeVar("Answer")


class Request(Generic[Answer]):
    """A question whose answer is an `Answer`."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Full names of the devices, in the order of the request, and this machine."""

    devices: tuple[Name, ...]
    environment: Environment
    identities: tuple[Name | None, ...]
    """For each device the UUID by which NVIDIA's driver knows it, None for other devices. It is not stored."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Describe(Request[Described]):
    """Describe this machine and resolve the names of devices."""

    devices: tuple[Name, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StaticCounted:
    """The static cost of a model."""

    static: Static


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CountStatic(Request[StaticCounted]):
    """Count the static cost of a model."""

    model: Name
    image_size: ImageSize
    in_channels: Size = 3
    head: Name = "classifier"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PeakMeasured:
    """The highest rate at which a device multiplies matrices."""

    flops_per_s: Annotated[float, Meta(gt=0)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasurePeak(Request[PeakMeasured]):
    """Measure the peak rate of a device."""

    device: Name
    precision: Name
    threads: Size


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The answer of a case that has run its first step."""

    first_step_s: Seconds
    recording_s: tuple[Seconds, ...] = ()
    """Seconds of each step after it in which the runtime records what later steps replay."""
    phases: tuple[Name, ...]
    """Parts of a step; empty where a step has none."""
    notes: tuple[Text, ...]
    identity: Name | None = None
    """The UUID by which NVIDIA's driver knows its device, None for other devices. It is not stored."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(Request[Ready]):
    """Build a case and run its first step, which compiles where the runtime does."""

    case: Case
    cache: str
    """Private folder of the compiler's artefacts."""
    token: str
    """Returned in every later answer, to identify the case that answers."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A block of consecutive steps."""

    phase_s: tuple[tuple[StepSeconds, ...], ...]
    """For each step, the seconds of each of its phases; a single number for a step without phases."""
    wall_s: StepSeconds
    """Seconds of a step by the host's clock: the share of the timed steps, by the marks, of the time of the block."""
    queued: Share | None = None
    """Share of the block's time after which the host had queued all steps; None on the CPU, which has no queue."""

    @property
    def step_s(self) -> tuple[float, ...]:
        """Seconds of each step."""
        return tuple(sum(phases) for phases in self.phase_s)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TakeTurn(Request[Turn]):
    """Run some steps untimed, then time some more."""

    steps: int
    drop: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Peak memory of the worker, its preparation included, and free memory of its device."""

    host_bytes: Annotated[int, Meta(ge=1)]
    device_bytes: Count | None
    device_free_bytes: Count | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFootprint(Request[Footprint]):
    """Measure the memory of the worker."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The facts that were measured once, and what really ran."""

    facts: Facts
    nulls: dict[str, Text]
    """Reason of each value that is missing."""
    notes: tuple[Text, ...]
    ran: Ran | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finish(Request[Finished]):
    """Report on the case after its last turn."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EqualityChecked:
    """Whether the case computes the result of its baseline."""

    equality: Equality
    agreement: Agreement | None = None
    """Of a quantized case."""
    nulls: dict[str, Text] = dataclasses.field(default_factory=dict)
    """Reason of a missing agreement."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckEquality(Request[EqualityChecked]):
    """Compare the result of the case with fp64; nothing can be timed afterwards."""

    folder: str
    """Private folder of the reference, shared by all cases of a baseline."""
    again: bool = False
    """Whether to give up where memory is short: the parent asks again when other workers have ended."""
