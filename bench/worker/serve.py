"""The worker process: build a case, run turns of it on request, report its facts, and end.

An exception becomes an answer with a status, so that the parent can distinguish an unsupported setting from an
out-of-memory and from a fault.
"""

import functools
import gc
import pathlib
import re
import socket
import time
from collections.abc import Callable
from typing import Final, Literal

import torch

from bench.costs.static import cost
from bench.machine import memory
from bench.machine.cpu import taken_cores
from bench.machine.device_names import device_type, is_cpu
from bench.measure import precision
from bench.measure.device import Device, PeakMemory, Unsupported, first_line, open_device, resolve
from bench.measure.peak_rate import measure_peak_rate
from bench.measure.timing import mark_s, time_turn
from bench.process.messages import (
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
    StaticCounted,
    TakeTurn,
    Turn,
)
from bench.process.protocol import Failure, serve_requests
from bench.tasks.workload import Workload, build
from bench.validate import equality
from bench.validate.agreement import measure_agreement
from bench.validate.ran import observe
from bench.worker.describe import describe, nvidia_identity
from bench.worker.loading import LoadingVerbs
from bench.worker.profiling import ProfilingVerbs
from bench.worker.training import TrainingVerbs
from results.errors import InputError
from results.schema.case import Case
from results.schema.labels import PROMISES, RUNTIMES, TASKS
from results.schema.lines.record import Agreement, Facts

_REFERENCE: Final = 3
"""Memory of the fp64 reference of a training step over the memory of the case. It is checked on the host only: there,
running out of memory kills the process instead of raising."""
_SMALL: Final = 4 << 30
"""The most bytes of a case whose reference the CPU computes in fp64 where its accelerator has no room: larger cases
take minutes there."""
_OUT_OF_MEMORY: Final = re.compile(
    r"out of memory|OutOfMemoryError|can't allocate memory|std::bad_alloc|failed to allocate"
    r"|(CUBLAS|CUDNN)_STATUS_ALLOC_FAILED|miopenStatusAllocFailed"
    r"|UR_RESULT_ERROR_OUT_OF_((HOST|DEVICE)_MEMORY|RESOURCES)",
    re.IGNORECASE,
)
_CROWDED: Final = re.compile(
    r"(CUBLAS|CUDNN)_STATUS_NOT_INITIALIZED|CUDNN_STATUS_INTERNAL_ERROR|miopenStatusInternalError"
    r"|unable to find (a valid cuDNN|an) (algorithm|engine)",
    re.IGNORECASE,
)
"""Errors that a library raises where it has no memory to start or to work in. They may have another cause too."""
_UNSUPPORTED: Final = re.compile(
    r"not implemented for|InvalidCxxCompiler|TritonMissing|GPUTooOldForTriton|torch\.compile is not supported"
    r"|no kernel image is available|no scheduling registered for device"
)


class WorkerServer(TrainingVerbs, LoadingVerbs, ProfilingVerbs):
    """The state of a worker: at most one case, training or data set. It has a method for each verb."""

    case: Case
    workload: Workload
    device: Device
    _prepare_peak: PeakMemory
    """Peak of the preparation: a compiler and libraries that try algorithms take more than a step."""

    def __init__(
        self,
        open_device: Callable[[str], Device] = open_device,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begin without a case; `open_device` opens a device by its name, `clock` returns seconds."""
        self._open_device = open_device
        self._clock = clock
        self._resident_at_start = memory.resident_now()

    def describe(self, request: Describe) -> Described:
        """Describe this machine."""
        devices = tuple(resolve(device) for device in request.devices)
        identities = tuple(nvidia_identity(device) for device in devices)
        return Described(devices=devices, environment=describe(), identities=identities)

    def static(self, request: CountStatic) -> StaticCounted:
        """Count the static cost of a model."""
        static = cost(request.model, image_size=request.image_size, in_channels=request.in_channels, head=request.head)
        return StaticCounted(static=static)

    def peak(self, request: MeasurePeak) -> PeakMeasured:
        """Measure the peak rate of a device."""
        device = self._open_device(request.device)
        rate = measure_peak_rate(device, request.precision, request.threads, clock=self._clock)
        return PeakMeasured(flops_per_s=rate)

    def prepare(self, request: Prepare) -> Ready:
        """Build the case and run its first step, which compiles where the runtime does, and those that record it."""
        self.token = request.token
        self.case = request.case
        self.workload = build(self.case, device=self._open_device(self.case.device), cache=pathlib.Path(request.cache))
        self.device = self.workload.prepared.device
        first_step_s = self._step_s()
        self.workload.prepared.first_step_ended()
        # Before the recording: the memory of a step's tensors is allocated then, and not when the step is replayed.
        self._prepare_peak = self.device.restart_peak()
        steps = RUNTIMES[self.case.runtime].recording_steps if device_type(self.case.device) == "cuda" else 0
        recording_s = tuple(self._step_s() for _ in range(steps))
        gc.collect()
        gc.freeze()  # garbage collections during the timing need not walk the model's objects
        notes = (*precision.kernel_notes(self.case), taken_cores())
        return Ready(
            first_step_s=first_step_s,
            recording_s=recording_s,
            phases=self.workload.phases,
            notes=tuple(filter(None, notes)),
            identity=nvidia_identity(self.case.device),
        )

    def _step_s(self) -> float:
        """Run a step of an idle device, and return its seconds."""
        self.device.synchronize()
        began = self._clock()
        with self.workload.context():
            self.workload.step(_ignore)
        self.device.synchronize()
        return self._clock() - began

    def turn(self, request: TakeTurn) -> Turn:
        """Run one turn."""
        with self.workload.context():
            return time_turn(self.workload.step, self.device, steps=request.steps, drop=request.drop, clock=self._clock)

    def footprint(self, request: MeasureFootprint) -> Footprint:  # noqa: ARG002 - it has no arguments
        """Return the peak memory of this worker, its preparation included, and the free memory of its device."""
        peaks = (self._prepare_peak.reserved, self.device.peak_memory().reserved)
        known = [peak for peak in peaks if peak is not None]
        return Footprint(
            host_bytes=max(1, memory.resident_peak() - self._resident_at_start),
            device_bytes=max(known, default=None),
            device_free_bytes=self.device.free_memory(),
        )

    def finish(self, request: Finish) -> Finished:  # noqa: ARG002 - it has no arguments
        """Return the facts that were measured once, and what really ran."""
        peak = self.device.peak_memory()
        facts: dict[str, int | None] = {
            "peak_prepare_bytes": self._prepare_peak.allocated,
            "peak_allocated_bytes": peak.allocated,
            "peak_reserved_bytes": peak.reserved,
            "peak_resident_bytes": max(0, memory.resident_peak() - self._resident_at_start),
        }
        report = self.workload.prepared.report()
        nulls = dict(report.nulls)
        if peak.reason:
            nulls |= dict.fromkeys(("peak_allocated_bytes", "peak_reserved_bytes"), peak.reason)
        if self._prepare_peak.reason:
            nulls["peak_prepare_bytes"] = self._prepare_peak.reason
        if is_cpu(self.case.device):
            nulls["mark_s"] = "a mark on the CPU is a reading of the clock"
        else:
            facts["peak_resident_bytes"] = None
            nulls["peak_resident_bytes"] = "the work is in the accelerator's memory"
        marked_s = None if is_cpu(self.case.device) else mark_s(self.device)
        ran = None
        try:
            ran, unseen = observe(self.case, self.workload)
        except Exception as error:  # noqa: BLE001 - a failed observation must not lose the measurement
            unseen = f"could not be observed: {first_line(error)}"
        if unseen:
            nulls["ran"] = unseen
        return Finished(facts=Facts(mark_s=marked_s, **facts, **report.facts), nulls=nulls, notes=report.notes, ran=ran)

    def check(self, request: CheckEquality) -> EqualityChecked:
        """Compare the result of the case with fp64; nothing can be timed afterwards.

        Where the accelerator has no room for the reference, the parent asks again when other workers have ended, and
        then the CPU computes it.
        """
        need = _REFERENCE * max(1, memory.resident_peak() - self._resident_at_start)
        if is_cpu(self.case.device) and TASKS[self.case.task].trains and need > memory.available():
            raise equality.Incomparable(f"its fp64 reference may need {need} bytes, which are not free")
        taken, folder = self._taken, pathlib.Path(request.folder)
        try:
            checked = equality.check_equality(self.case, self.workload, folder)
            agreed, nulls = self._agreement()
            return EqualityChecked(equality=checked, agreement=agreed, nulls=nulls)
        except Exception as error:
            if is_cpu(self.case.device) or classify(error) != "out-of-memory":
                raise
        # Outside the handler: the error holds the tensors of the reference.
        self.device.release_memory()  # other workers that are checked again may need it
        if request.again:
            raise MemoryError(f"its fp64 reference does not fit beside the other workers on {self.case.device}")
        if taken is None or taken > _SMALL or _REFERENCE * taken > memory.available():
            raise equality.Incomparable(
                f"its fp64 reference does not fit into the memory that other workers leave on {self.case.device}, and "
                "is too large for the CPU"
            )
        return EqualityChecked(equality=equality.check_equality(self.case, self.workload, folder, device="cpu"))

    def _agreement(self) -> tuple[Agreement | None, dict[str, str]]:
        """Return how a trained network answers in the settings of a quantized case, or why that is not known."""
        if not PROMISES[self.case.precision].quantizes:
            return None, {}
        try:
            return measure_agreement(self.case), {}
        except (InputError, ValueError) as error:
            return None, {"agreement": f"not measured: {first_line(error)}"[:4096]}

    @functools.cached_property
    def _taken(self) -> int | None:
        """Peak memory of the case on its device before the first check, which takes more; None where it is unknown."""
        return self.device.peak_memory().allocated

    def failure(self, error: Exception) -> Failure:
        """Return the answer to a request that raised `error`."""
        plain = isinstance(error, (InputError, Unsupported))  # written for people
        cause = first_line(error) if plain else f"{type(error).__name__}: {first_line(error)}"
        return Failure(failed=classify(error), cause=cause, crowded=_CROWDED.search(_text(error)) is not None)


def serve(connection: socket.socket) -> None:
    """Run a worker: answer requests on `connection` until it closes."""
    serve_requests(connection, WorkerServer())


def classify(error: BaseException) -> Literal["out-of-memory", "unsupported", "error"]:
    """Return the status of a record whose worker raised `error`; compilers wrap the cause in errors of their own."""
    text = _text(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or _OUT_OF_MEMORY.search(text):
        return "out-of-memory"
    if isinstance(error, (Unsupported, NotImplementedError)) or _UNSUPPORTED.search(text):
        return "unsupported"
    return "error"


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _ignore() -> None:
    """Stand in for a mark: the first step is timed as a whole."""
