"""Explain a case: its profile, its layers in other settings, and its memory, from workers of its own."""

import dataclasses
import pathlib
import secrets
import time
from typing import Final

from msgspec import structs

from bench.machine import memory
from bench.machine.clock import now
from bench.machine.device_names import is_cpu
from bench.process.ask import ask, ask_fresh, failure_of
from bench.process.forkserver import ForkServer, WorkerDied
from bench.process.messages import Answer, Prepare, Ready, Request
from bench.process.profiling.messages import (
    LayersProbed,
    MeasureMemory,
    MemoryMeasured,
    MemoryPredicted,
    PredictMemory,
    ProbeLayers,
    Profiled,
    TakeProfile,
)
from bench.process.protocol import Failed
from results.schema.axes import AXES
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.lines.memory import Memory
from results.schema.lines.profile import Profile

EXPLAIN_PATIENCE_S: Final = 600.0
"""The most seconds of an answer, besides those that are timed."""
PRECISIONS: Final = ("fp32", "amp-bf16")
"""Precisions in which layers are tried."""
ACCELERATOR_PRECISIONS: Final = (*PRECISIONS, "tf32", "amp-fp16")
_REASON: Final = 4096


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOptions:
    """How cases are explained."""

    steps: int = 6
    """Steps without the profiler, half of them before and half after the profiled step."""
    probe_s: float = 4.0
    """Seconds in which the layers of a case are tried in other settings; 0: they are not."""
    peaks_s: float = 8.0
    """Seconds in which it is measured what a device can do."""
    traces: bool = True
    """Whether a trace of each case is kept beside the run file."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What explains a case; a case that failed has only a profile, with the cause."""

    profile: Profile
    memory: Memory | None
    trace: pathlib.Path | None
    """The trace in its private folder."""


class CaseWorker:
    """A worker with a single case, which answers requests until it is closed."""

    def __init__(self, server: ForkServer, case: Case) -> None:
        self._case = case
        self._oom_kills = memory.kernel_oom_kills()
        self._channel = server.spawn()
        self._token = secrets.token_hex(8)

    def prepare(self, cache: str) -> Ready:
        """Build the case and run its first step. Raises `Failed`."""
        return self.answer(Prepare(case=self._case, cache=cache, token=self._token))

    def answer(self, request: Request[Answer], *, more_s: float = 0.0) -> Answer:
        """Return the answer, which may take `more_s` longer than others. Raises `Failed`."""
        try:
            return ask(self._channel, request, timeout_s=EXPLAIN_PATIENCE_S + more_s, token=self._token)
        except WorkerDied as death:
            raise failure_of(death, self._oom_kills) from death

    def close(self) -> None:
        """End the worker."""
        self._channel.close()


def explain(server: ForkServer, case: Case, folder: pathlib.Path, options: ProfileOptions) -> Explained:
    """Return what explains `case`.

    Args:
        server: forks the workers.
        case: the case.
        folder: private folder of the case, for the compiler's artefacts and the trace.
        options: how it is explained.
    """
    began, started = time.perf_counter(), now()
    trace = folder / "trace.json.gz" if options.traces else None
    worker = CaseWorker(server, case)
    try:
        ready = worker.prepare(str(folder))
        profiled = worker.answer(TakeProfile(steps=options.steps, trace=None if trace is None else str(trace)))
        measured = _measured(worker)
        probed = _probed(worker, case, options.probe_s)
    except Failed as failure:
        return Explained(profile=_failed(case, failure, started, began), memory=None, trace=None)
    finally:
        worker.close()
    profile = _profile(case, profiled, probed, started, began)
    profile = structs.replace(profile, notes=(*ready.notes, *profile.notes))
    predicted = _predicted(server, case)
    return Explained(profile=profile, memory=_memory(case, predicted, measured, started, began), trace=trace)


def _measured(worker: CaseWorker) -> MemoryMeasured | str:
    """Return the measured memory, or why there is none."""
    try:
        return worker.answer(MeasureMemory())
    except Failed as failure:
        return f"not measured: {failure.cause}"[:_REASON]


def _probed(worker: CaseWorker, case: Case, seconds: float) -> LayersProbed:
    """Return the layers in other settings; the last request, as it leaves nothing of the case."""
    others = other_settings(case)
    if not seconds or not others:
        reason = "not asked for" if not seconds else f"layers of {case.runtime} do not run alone"
        return LayersProbed(probes=(), nulls={"probes": reason})
    try:
        return worker.answer(ProbeLayers(others=others, seconds=seconds), more_s=seconds)
    except Failed as failure:
        return LayersProbed(probes=(), nulls={"probes": f"not measured: {failure.cause}"[:_REASON]})


def other_settings(case: Case) -> tuple[Case, ...]:
    """Return the cases in whose layout, precision or doubled batch the layers of `case` are tried.

    They differ from `case` in a single axis; the layers of a compiled case do not run alone.
    """
    if RUNTIMES[case.runtime].compiles:
        return ()
    precisions = PRECISIONS if is_cpu(case.device) else ACCELERATOR_PRECISIONS
    layouts = [structs.replace(case, layout=layout) for layout in AXES["layout"].choices]
    return tuple(
        other
        for other in (
            *layouts,
            structs.replace(case, batch_size=2 * case.batch_size),
            *(structs.replace(case, precision=precision) for precision in precisions),
        )
        if other != case
    )


def _predicted(server: ForkServer, case: Case) -> MemoryPredicted | str:
    """Return the predicted memory, or why there is none."""
    try:
        return ask_fresh(server, PredictMemory(case=case), EXPLAIN_PATIENCE_S)
    except (Failed, WorkerDied) as failure:
        return f"not predicted: {failure}"[:_REASON]


def _failed(case: Case, failure: Failed, started: str, began: float) -> Profile:
    return Profile(
        label=case.key,
        case=case,
        status=failure.status,
        cause=failure.cause[:8192],
        started=started,
        duration_s=time.perf_counter() - began,
    )


def _profile(case: Case, profiled: Profiled, probed: LayersProbed, started: str, began: float) -> Profile:
    return Profile(
        label=case.key,
        case=case,
        step_s=profiled.step_s,
        profiled_s=profiled.profiled_s,
        operators=profiled.operators,
        modules=profiled.modules,
        works=profiled.works,
        probes=probed.probes,
        queued=profiled.queued,
        launch_bound=profiled.launch_bound,
        trace_bytes=profiled.trace_bytes,
        started=started,
        duration_s=time.perf_counter() - began,
        notes=profiled.notes,
        nulls=profiled.nulls | probed.nulls,
    )


def _memory(
    case: Case, predicted: MemoryPredicted | str, measured: MemoryMeasured | str, started: str, began: float
) -> Memory:
    known = None if isinstance(predicted, str) else predicted
    seen = None if isinstance(measured, str) else measured
    nulls = {} if seen is None else dict(seen.nulls)
    nulls |= {"predicted": predicted} if isinstance(predicted, str) else {}
    nulls |= {"measured_bytes": measured} if isinstance(measured, str) else {}
    return Memory(
        case=case,
        predicted=None if known is None else known.parts,
        peak_phase=None if known is None else known.phase,
        peak_module=None if known is None else known.module,
        points=() if known is None else known.points,
        measured_bytes=None if seen is None else seen.peak_bytes,
        measured_points=() if seen is None else seen.points,
        started=started,
        duration_s=time.perf_counter() - began,
        notes=() if known is None else known.notes,
        nulls=nulls,
    )
