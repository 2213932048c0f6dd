"""The protocol of parent and worker: for each verb a request and an answer.

A message is a line of JSON. A worker answers each request with a line and never speaks first. Its parent may run
another checkout, so both sides check every message: an invalid answer of a worker must not end the run.

To add a verb, add its two classes to `bench.process.messages`, or to a module of its own, its line in `VERBS`, and a
method of that name to `bench.worker.serve.WorkerServer`.
"""

import dataclasses
import json
import re
import socket
from typing import Any, Final, Literal, Protocol, TypeVar

import msgspec

from bench.process.loading import BatchesTimed, DataOpened, OpenData, StagesTimed, TimeBatches, TimeStages
from bench.process.messages import (
    Answer,
    CheckEquality,
    CountStatic,
    Describe,
    Described,
    EqualityChecked,
    Finish,
    Finished,
    Footprint,
    MeasureFootprint,
    MeasurePeak,
    PeakMeasured,
    Prepare,
    Ready,
    Request,
    StaticCounted,
    TakeTurn,
    Turn,
)
from bench.process.profiling.messages import (
    DevicePeaksMeasured,
    LayersProbed,
    MeasureDevicePeaks,
    MeasureMemory,
    MemoryMeasured,
    MemoryPredicted,
    PredictMemory,
    ProbeLayers,
    Profiled,
    TakeProfile,
)
from bench.process.training.messages import (
    BeginTraining,
    NetworkSaved,
    PlanTrainings,
    SaveNetwork,
    SaveTraining,
    TrainedOn,
    TrainingBegun,
    TrainingSaved,
    TrainingsPlanned,
    TrainOn,
)
from results.schema.lines.record import Status
from results.schema.validation import InvalidError, validated

PROTOCOL: Final = 8
"""Version of these messages."""

_BUSY: Final = re.compile(r"busy or unavailable|DevicesUnavailable|DEVICE_UNAVAILABLE")
"""Words of CUDA and of its driver for error 46."""

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


VERBS: Final[dict[str, tuple[type[Request[Any]], type[Any]]]] = {
    "describe": (Describe, Described),
    "static": (CountStatic, StaticCounted),
    "peak": (MeasurePeak, PeakMeasured),
    "prepare": (Prepare, Ready),
    "turn": (TakeTurn, Turn),
    "footprint": (MeasureFootprint, Footprint),
    "finish": (Finish, Finished),
    "check": (CheckEquality, EqualityChecked),
    "plan_trainings": (PlanTrainings, TrainingsPlanned),
    "begin_training": (BeginTraining, TrainingBegun),
    "train_on": (TrainOn, TrainedOn),
    "save_training": (SaveTraining, TrainingSaved),
    "save_network": (SaveNetwork, NetworkSaved),
    "open_data": (OpenData, DataOpened),
    "time_stages": (TimeStages, StagesTimed),
    "time_batches": (TimeBatches, BatchesTimed),
    "profile": (TakeProfile, Profiled),
    "probe_layers": (ProbeLayers, LayersProbed),
    "device_peaks": (MeasureDevicePeaks, DevicePeaksMeasured),
    "measure_memory": (MeasureMemory, MemoryMeasured),
    "predict_memory": (PredictMemory, MemoryPredicted),
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
