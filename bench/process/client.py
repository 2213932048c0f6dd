"""The parent's side of a case: requests to its worker, turn by turn, and the `Record` at the end."""

import pathlib
import secrets
import statistics
import time
from collections.abc import Mapping
from typing import Final

from msgspec import structs

from bench.machine import memory
from bench.machine.clock import now
from bench.machine.device_names import is_cpu
from bench.machine.energy.meter import EnergyMeter
from bench.machine.noise import Watch
from bench.process.ask import Channel, ask, failure_of
from bench.process.forkserver import SERVE, ForkServer, WorkerDied
from bench.process.gpu_watch import GpuWatch, own_memory
from bench.process.messages import (
    Answer,
    CheckEquality,
    EqualityChecked,
    Finish,
    Finished,
    Footprint,
    MeasureFootprint,
    Prepare,
    Request,
    TakeTurn,
    Turn,
)
from bench.process.protocol import Failed, Refused
from bench.process.sustained import before_sustained_use, energy_meter
from results.schema.case import Case
from results.schema.labels import PROMISES, TASKS
from results.schema.lines.record import Clocks, Facts, Noise, Record, Samples, Stop
from results.schema.lines.run import Settings

GROWING_TURNS: Final = 2
"""Turns in which the allocator of a worker may still grow, as the optimizer's state exists from its first step on."""
MARKED: Final = 0.01
"""Share of a step that marks may take before a note says so: as much as the intervals promise."""
_Signs = tuple[Noise, Clocks | None, dict[str, str]]
"""Signs of disturbance, clocks, and the reasons of what is missing of both."""


class CheckLater(Exception):  # noqa: N818 - a state, not an error
    """The check of the result found too little memory beside the other workers; the worker lives, and ends later."""


class WorkerClient:
    """A case in its own worker, which the rotation asks for turns."""

    def __init__(self, server: ForkServer, case: Case, replicate: int, settings: Settings, target: str = SERVE) -> None:
        """Start the worker; `prepare` builds the case in it."""
        self.case = case
        self.replicate = replicate
        self.started = now("milliseconds")
        self.phases: tuple[str, ...] = ()
        """Parts of a step, once the case is prepared."""
        self.notes: list[str] = []
        self.restriction: str | None = None
        """The compute mode of its GPU where that admits no second worker, once the case is prepared."""
        self.sustained = before_sustained_use(settings)
        """What the case does in sustained use, or why that was not measured."""
        self._began = time.perf_counter()
        self._settings = settings
        self._oom_kills = memory.kernel_oom_kills()
        self._watch = Watch()
        self._gpu = None if is_cpu(case.device) else GpuWatch()
        self._turns = 0
        self._identity: str | None = None
        self._signs: _Signs | None = None
        self._finished: Finished | None = None
        self._server = server
        self._target = target
        self._channel: Channel = server.spawn(target)
        self._token = secrets.token_hex(8)
        self._first_step_s: float | None = None
        self._recording_s: tuple[float, ...] = ()
        self._shared = ""
        self._warm = False

    def prepare(self, cache: str, *, shared: str | None = None, warm: bool = False) -> None:
        """Build the case and run its first step. Raises `Failed`.

        Args:
            cache: private folder of the compiler's artefacts.
            shared: private folder that the workers of the same baseline share; the folder around `cache` if None.
            warm: whether an earlier process has filled `cache`.
        """
        self._shared = shared or str(pathlib.Path(cache).absolute().parent)
        self._warm = warm
        own_memory.may_grow()
        ready = self._ask(Prepare(case=self.case, cache=cache, token=self._token))
        self._first_step_s = ready.first_step_s
        self._recording_s = ready.recording_s
        self.phases = _recordable(ready.phases)
        self.notes += ready.notes
        self._identity = ready.identity
        if self._gpu is not None:
            self._gpu.begin(ready.identity)
            self.restriction = self._gpu.restriction

    def turn(self, *, steps: int, drop: int) -> Turn:
        """Run a turn. Raises `Failed`."""
        if self._turns < GROWING_TURNS:
            own_memory.may_grow()
        self._turns += 1
        turn = self._ask(TakeTurn(steps=steps, drop=drop))
        if [len(phases) for phases in turn.phase_s] != [max(1, len(self.phases))] * steps:
            raise Failed("error", f"its worker was asked for {steps} steps and answered others")
        if self._gpu is not None:
            self._gpu.read()
        return turn

    def leave(self) -> None:
        """Note the signs of disturbance and the clocks of the rotation, which the worker leaves."""
        self._signs = self._noise()

    def watch_again(self) -> None:
        """Begin to read clock and power anew, those of sustained use."""
        if self._gpu is not None:
            self._gpu = GpuWatch()
            self._gpu.begin(self._identity)

    def energy_meter(self) -> EnergyMeter:
        """Return a meter of the energy of the worker's device."""
        return energy_meter(self.case, self._identity)

    def footprint(self) -> Footprint:
        """Return the memory of the worker, and the free memory of its device. Raises `Failed`."""
        return self._ask(MeasureFootprint())

    def end(self, samples: Samples, stop: Stop, *, again: bool = False, check: bool | None = None) -> Record:
        """Ask the worker for its facts, end it, and return the record of the case.

        Args:
            samples: its series.
            stop: why its sampling ended.
            again: whether the case can be ended again, when other workers have ended.
            check: whether to compare the result with fp64; None: in the first replicate.

        Raises:
            Failed: the worker failed.
            CheckLater: the check of the result needs the memory of other workers; only if `again`.
        """
        if self._finished is None:
            self._finished = self._ask(Finish())  # before the check, whose memory is not that of the case
        finished = self._finished
        self._signs = self._signs or self._noise()
        noise, clocks, reasons = self._signs
        checked = None
        if check is False:
            reasons["equality"] = reasons["agreement"] = "not checked: it left the search before its end"
        elif check or not self.replicate:
            checked = self._checked(reasons, again=again)
        else:
            reasons["equality"] = reasons["agreement"] = "checked in the first replicate"
        self.close()
        facts = self._with_compile_times(finished.facts, finished.nulls, samples, reasons)
        facts, sustained_clocks = self._with_sustained_use(facts, reasons)
        return Record(
            case=self.case,
            replicate=self.replicate,
            status="ok",
            started=self.started,
            duration_s=time.perf_counter() - self._began,
            samples=samples,
            facts=facts,
            nulls=finished.nulls | reasons,
            ran=finished.ran,
            equality=None if checked is None else checked.equality,
            agreement=None if checked is None else checked.agreement,
            noise=noise,
            clocks=clocks,
            sustained_clocks=sustained_clocks,
            notes=(*self.notes, *finished.notes, *_share_of_marks(facts, samples, self.phases)),
            budget_s=self._settings.budget_s,
            stop=stop,
        )

    def fail(self, failure: Failed, samples: Samples | None = None) -> Record:
        """End the worker and return the record of its failure."""
        noise, clocks, reasons = self._signs or self._noise()
        self.close()
        return Record(
            case=self.case,
            replicate=self.replicate,
            status=failure.status,
            cause=failure.cause[:4096],
            started=self.started,
            duration_s=time.perf_counter() - self._began,
            samples=samples,
            facts=Facts(first_step_s=self._first_step_s),
            nulls=reasons,
            noise=noise,
            clocks=clocks,
            notes=tuple(self.notes),
            budget_s=self._settings.budget_s,
        )

    def kill(self) -> None:
        """Kill the worker; any thread may call it while another thread waits for an answer."""
        self._channel.kill()

    def close(self) -> None:
        """End the worker. Safe to call twice."""
        self._channel.close()

    def _with_compile_times(
        self, facts: Facts, nulls: Mapping[str, str], samples: Samples, reasons: dict[str, str]
    ) -> Facts:
        """Return `facts` with first step and compile times; the reason of each missing one goes to `reasons`."""
        facts = structs.replace(facts, first_step_s=self._first_step_s)
        if "compile_s" in nulls or self._first_step_s is None:
            reasons["warm_compile_s"] = nulls.get("compile_s", "its first step was not timed")
            return facts
        steady_s = statistics.median(samples.step_s[samples.warmup :] or samples.step_s)
        steps_s = (self._first_step_s, *self._recording_s)
        compile_s = max(0.0, sum(steps_s) - len(steps_s) * steady_s)
        if self._warm:
            reasons["first_step_s"] = reasons["compile_s"] = "an earlier process had filled the compiler's cache"
            return structs.replace(facts, first_step_s=None, warm_compile_s=compile_s)
        reasons["warm_compile_s"] = "measured in later replicates, which start from the first compiler's cache"
        return structs.replace(facts, compile_s=compile_s)

    def _with_sustained_use(self, facts: Facts, reasons: dict[str, str]) -> tuple[Facts, Clocks | None]:
        """Return `facts` with the step in sustained use, and its clocks; reasons of missing ones go to `reasons`."""
        reasons |= self.sustained.nulls
        if self.sustained.step_s is None:
            return facts, None
        clocks, nulls = (None, dict[str, str]()) if self._gpu is None else self._gpu.clocks()
        reasons |= {f"sustained_{name}": reason for name, reason in nulls.items()}
        return self.sustained.added_to(facts), clocks

    def _noise(self) -> _Signs:
        """Return the signs of disturbance since the worker's start, its clocks, and `Record.nulls` of both."""
        noise, reasons = self._watch.noise()
        clocks, nulls = None, dict[str, str]()
        if self._gpu is not None:
            noise, missing = self._gpu.signs(noise)
            reasons |= missing
            clocks, nulls = self._gpu.clocks()
        return noise, clocks, nulls | {f"noise.{field}": reason for field, reason in reasons.items()}

    def _checked(self, reasons: dict[str, str], *, again: bool) -> EqualityChecked | None:
        """Compare the worker's result with the baseline's; reasons of what is missing go to `reasons`.

        This is the last request: it needs more memory, and a worker that dies of it loses no measurement.
        """
        quantized = PROMISES[self.case.precision].quantizes
        reasons["agreement"] = "its result was not checked" if quantized else "its check against fp64 says it all"
        if self.case == self.case.baseline:
            reasons["equality"] = "it is the baseline"
            return None
        try:
            own_memory.may_grow()
            checked = self._ask(CheckEquality(folder=self._shared, again=again))
        except Failed as failure:
            if again and isinstance(failure, Refused) and failure.status == "out-of-memory":
                raise CheckLater from failure
            reasons["equality"] = f"not checked: {failure.cause}"[:4096]
            return None
        if checked.agreement is not None:
            del reasons["agreement"]
        reasons |= checked.nulls
        return checked

    def _ask(self, request: Request[Answer]) -> Answer:
        try:
            return ask(self._channel, request, timeout_s=self._settings.timeout_s, token=self._token)
        except WorkerDied as death:
            raise failure_of(death, self._oom_kills) from death


def _share_of_marks(facts: Facts, samples: Samples, phases: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note where the marks of an accelerator take a share of a step that matters."""
    typical_s = statistics.median(samples.step_s[samples.warmup :] or samples.step_s)
    share = (facts.mark_s or 0.0) * max(1, len(phases)) / typical_s
    return (f"the marks around its steps take up to {share:.1%} of their time",) if share > MARKED else ()


def _recordable(phases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phases of a step, or raise `Failed` where a phase has no field in `Samples`."""
    declared = {phase for task in TASKS.values() for phase in task.phases}
    for phase in phases:
        if phase not in declared or f"{phase}_s" not in Samples.__struct_fields__:
            raise Failed("error", f"a record has no field for the times of the phase {phase!r}; add it to `Samples`")
    return phases
