"""The protocol of parent and worker: for each verb a request and an answer.

A message is a line of JSON. A worker answers each request with a line and never speaks first. Its parent may run
another checkout, so both sides check every message: an invalid answer of a worker must not end the run.
"""

import dataclasses
import json
import re
import socket
from typing import Annotated, Any, Final, Generic, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta

from results.schema.case import Case
from results.schema.record import Equality, Facts, Ran, Status
from results.schema.run import Environment
from results.schema.static import Static
from results.schema.types import Count, ImageSize, Name, Seconds, Share, Size, StepSeconds, Text
from results.schema.validation import InvalidError, validated

PROTOCOL: Final = 5
"""Version of these messages."""

_BUSY: Final = re.compile(r"busy or unavailable|DevicesUnavailable|DEVICE_UNAVAILABLE")
"""Words of CUDA and of its driver for error 46."""

Answer = TypeVar("Answer")
T = TypeVar("T")


class Failed(Exception):  # noqa: N818 - an outcome that is recorded
    """A request failed: the status and the cause of its case's record."""

    def __init__(self, status: Status, cause: str, *, crowded: bool = False) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause
        self.crowded = crowded or status == "out-of-memory"
        """Whether the memory of other live workers may be the cause."""

    @property
    def device_busy(self) -> bool:
        """Whether the device admitted no further process: another holds it, and its compute mode keeps it exclusive."""
        return _BUSY.search(self.cause) is not None


class Refused(Failed):
    """The worker itself says why it cannot answer."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The answer to any request that failed."""

    failed: Literal["out-of-memory", "unsupported", "error"]
    cause: str
    crowded: bool = False
    """Whether the memory of other live workers may be the cause, so that the case may succeed alone."""


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckEquality(Request[EqualityChecked]):
    """Compare the result of the case with fp64; nothing can be timed afterwards."""

    folder: str
    """Private folder of the reference, shared by all cases of a baseline."""
    again: bool = False
    """Whether to give up where memory is short: the parent asks again when other workers have ended."""


VERBS: Final[dict[str, tuple[type[Request[Any]], type[Any]]]] = {
    "describe": (Describe, Described),
    "static": (CountStatic, StaticCounted),
    "peak": (MeasurePeak, PeakMeasured),
    "prepare": (Prepare, Ready),
    "turn": (TakeTurn, Turn),
    "footprint": (MeasureFootprint, Footprint),
    "finish": (Finish, Finished),
    "check": (CheckEquality, EqualityChecked),
}
"""Request and answer of each verb."""
_VERB_OF: Final = {request: verb for verb, (request, _) in VERBS.items()}


class Answering(Protocol):
    """A worker that answers requests, with a method for each verb."""

    token: str | None
    """Token of its case."""

    def failure(self, error: Exception) -> Failure:
        """Return the answer to a request that raised `error`."""


# ------------------------------------------------------------------------------------------------- the parent's side


def message_of(request: Request[Any]) -> dict[str, Any]:
    """Return the message that makes a request."""
    return {"do": _VERB_OF[type(request)], **msgspec.to_builtins(request)}


def answer_of(request: Request[Answer], reply: dict[str, Any], token: str | None = None) -> Answer:
    """Return the checked answer of a reply.

    Args:
        request: the request of the answer.
        reply: the worker's message.
        token: token of the case that must have answered; None for any worker.

    Raises:
        Refused: the worker reports that the request failed, or speaks another version of the protocol.
        Failed: the reply is invalid, or comes from another case.
    """
    if token is None and reply.get("protocol") != PROTOCOL:
        raise Refused(
            "error", "its workers come from another version of resnet-bench, which this one does not understand"
        )
    if token is not None and reply.get("token") != token:
        raise Failed("error", "its worker answered for another case, or for none")
    if "failed" in reply:
        failure = _read(Failure, reply)
        raise Refused(failure.failed, failure.cause, crowded=failure.crowded)
    answer: Answer = _read(VERBS[_VERB_OF[type(request)]][1], reply)
    return answer


def _read(kind: type[T], reply: dict[str, Any]) -> T:
    try:
        return validated(reply, kind)
    except InvalidError as error:
        raise Failed("error", f"its worker's answer makes no sense: {error}"[:300]) from None


# ------------------------------------------------------------------------------------------------- the worker's side


def reply_to(message: dict[str, Any], worker: Answering) -> dict[str, Any]:
    """Return the reply of a worker to a message; any error becomes a reply too."""
    answer: Any
    try:
        verb, arguments = message["do"], {key: value for key, value in message.items() if key != "do"}
        request = validated(arguments, VERBS[verb][0])
        answer = getattr(worker, verb)(request)
    except Exception as error:  # noqa: BLE001 - the parent decides how to record it
        answer = worker.failure(error)
    reply: dict[str, Any] = msgspec.to_builtins(answer)
    return reply | {"protocol": PROTOCOL, "token": worker.token}


def serve_requests(connection: socket.socket, worker: Answering) -> None:
    """Answer requests on `connection` until it closes."""
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            connection.sendall(json.dumps(reply_to(json.loads(line), worker)).encode() + b"\n")
