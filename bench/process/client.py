"""A worker that is one case: asked step by step, and in the end for its record, whatever became of it."""

import datetime
import pathlib
import secrets
import signal
import statistics
import time
from typing import Any, Final

from msgspec import structs

from bench.machine import memory
from bench.machine.noise import Watch
from bench.measure.timing import Turn
from bench.process import protocol
from bench.process.forkserver import SERVE, ForkServer, Worker, WorkerDied
from bench.schedule.rotation import Failed, Seat
from results.schema.case import Case
from results.schema.record import Equality, Facts, Noise, Record, Samples, Stop
from results.schema.run import Settings

HEADROOM: Final = 1.5
"""How much more memory than the first worker of its group another may take (measured: amp keeps copies of weights)."""
CONTEXT_BYTES: Final = 1 << 30
"""What a process takes on an accelerator beside its tensors: context and library handles."""
COMPILER_BYTES: Final = 2 << 30
"""What the compiler's processes take while a case compiles."""
USABLE: Final = 0.9
"""Share of the free memory that a group may fill."""


class LiveCase:
    """A worker that has been asked to be one case. The rotation steps it."""

    def __init__(self, server: ForkServer, case: Case, replicate: int, settings: Settings, target: str = SERVE) -> None:
        """Fork the worker; `prepare` builds the case in it."""
        self.case = case
        self.replicate = replicate
        self.started = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._began = time.perf_counter()
        self._settings = settings
        self._oom_kills = memory.kernel_oom_kills()
        self._watch = Watch(case.device)
        self._server = server
        self._target = target
        self._worker: Worker = server.spawn(target)
        self._token = secrets.token_hex(8)
        self._first_step_s: float | None = None
        self._warm_first_step_s: float | None = None
        self._no_warm_compile = "nothing is compiled"
        if case.runtime != "eager":
            again = "it is measured in the first replicate only"
            self._no_warm_compile = again if replicate else "no process started after this one's compilation"
        self._phases: tuple[str, ...] = ()
        self._shared = ""
        self._warm = False
        self.notes: list[str] = []

    def prepare(self, cache: str, *, warm: bool = False) -> None:
        """Build the case and run its first step. Raises `Failed`.

        `cache` is its compiler's, `warm` where an earlier process has filled it; the folder around it is private, and
        holds what the workers of a group share.
        """
        self._shared = str(pathlib.Path(cache).absolute().parent)
        self._warm = warm
        order = {"case": structs.asdict(self.case), "cache": cache, "token": self._token}
        prepared = protocol.read(protocol.Prepared, self._ask("prepare", **order))
        self._first_step_s = prepared.first_step_s
        self._phases = prepared.phases
        self.notes += prepared.notes

    def prepare_again(self, cache: str, *, late: bool = False) -> None:
        """Time the first step of another fresh process, which finds in `cache` what this one's compiler left there.

        `late` says that the run's time is over: nothing new begins.

        Raises `Failed` where this one's own worker is lost; that the other fails costs its figure only.
        """
        if late:
            self._no_warm_compile = "the run's time was over before a second process"
            return
        if self.room_for_more(compiling=True) < 1:
            self._no_warm_compile = "memory did not hold a second process"
            return
        again = LiveCase(self._server, self.case, self.replicate, self._settings, self._target)
        try:
            again.prepare(cache)
            self._warm_first_step_s = again._first_step_s
        except Failed as failure:
            self._no_warm_compile = f"the second process: {failure.cause}"
        finally:
            again.close()

    def turn(self, *, steps: int, drop: int) -> Turn:
        """Run a turn. Raises `Failed`."""
        turned = protocol.read(protocol.Turned, self._ask("turn", steps=steps, drop=drop))
        if [len(phases) for phases in turned.phase_s] != [max(1, len(self._phases))] * steps:
            raise Failed("error", f"its worker was asked for {steps} steps and answered others")
        return Turn(phase_s=turned.phase_s, wall_s=turned.wall_s)

    def room_for_more(self, *, compiling: bool) -> int:
        """Return how many more workers like this one the machine's memory holds beside it. Raises `Failed`.

        `compiling` says whether any of them will want the compiler's memory for a while.
        """
        taken = protocol.read(protocol.Footprint, self._ask("footprint"))
        host = USABLE * memory.available() - COMPILER_BYTES * compiling
        rooms = [max(0.0, host) / (HEADROOM * taken.host_bytes)]
        if taken.device_bytes is not None and taken.device_free_bytes is not None:
            need = HEADROOM * taken.device_bytes + CONTEXT_BYTES
            rooms.append(USABLE * taken.device_free_bytes / need)
        return int(min(rooms))

    def end(self, samples: Samples, stop: Stop) -> Record:
        """Ask the worker what it measured once, let it go, and return its record. Raises `Failed`."""
        finished = protocol.read(protocol.Finished, self._ask("finish"))
        noise, untold = self._noise()
        equality = self._equality(untold)
        self.close()
        steady = statistics.median(samples.step_s[samples.warmup :] or samples.step_s)
        facts = structs.replace(finished.facts, first_step_s=self._first_step_s)
        if "compile_s" not in finished.nulls and self._first_step_s is not None:
            if self._warm:
                self._warm_first_step_s = self._first_step_s
                untold["compile_s"] = "an earlier process had filled the compiler's cache"
            else:
                facts = structs.replace(facts, compile_s=max(0.0, self._first_step_s - steady))
        if self._warm_first_step_s is not None:
            facts = structs.replace(facts, warm_compile_s=max(0.0, self._warm_first_step_s - steady))
        else:
            untold["warm_compile_s"] = self._no_warm_compile
        return Record(
            case=self.case,
            replicate=self.replicate,
            status="ok",
            started=self.started,
            duration_s=time.perf_counter() - self._began,
            samples=samples,
            facts=facts,
            nulls=finished.nulls | untold,
            ran=finished.ran,
            equality=equality,
            noise=noise,
            notes=(*self.notes, *finished.notes),
            budget_s=self._settings.budget_s,
            stop=stop,
        )

    def fail(self, failure: Failed, samples: Samples | None = None) -> Record:
        """End the worker and return the record of what became of it."""
        noise, untold = self._noise()
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
            nulls=untold,
            noise=noise,
            notes=tuple(self.notes),
            budget_s=self._settings.budget_s,
        )

    def samples(self, seat: Seat) -> Samples:
        """Return the series of this worker's seat."""
        return seat.samples(self._phases)

    def close(self) -> None:
        """End the worker. Safe to call twice."""
        self._worker.close()

    def _noise(self) -> tuple[Noise, dict[str, str]]:
        """Return the signs of disturbance since the worker's start, and `Record.nulls` of those that are missing."""
        noise, reasons = self._watch.noise()
        return noise, {f"noise.{field}": reason for field, reason in reasons.items()}

    def _equality(self, untold: dict[str, str]) -> Equality | None:
        """Have the worker compare its result with the baseline's; why there is none goes to `untold`.

        It comes last: it takes memory of its own, and whatever it dies of does not cost what was measured.
        """
        if self.case == self.case.baseline or self.replicate:
            again = "checked in the first replicate"
            untold["equality"] = again if self.replicate else "it is the baseline"
            return None
        try:
            return protocol.read(protocol.Checked, self._ask("check", folder=self._shared)).equality
        except Failed as failure:
            untold["equality"] = f"not checked: {failure.cause}"[:4096]
            return None

    def _ask(self, request: str, **arguments: object) -> dict[str, Any]:
        try:
            answer = self._worker.request({"do": request, **arguments}, timeout_s=self._settings.timeout_s)
        except WorkerDied as death:
            raise self._failure(death) from death
        if "failed" in answer:
            failure = protocol.read(protocol.Failure, answer)
            raise Failed(failure.failed, failure.cause)
        if answer.get("token") != self._token:
            raise Failed("error", "its worker answered for another case, or for none")
        return answer

    def _failure(self, death: WorkerDied) -> Failed:
        if death.hung:
            return Failed("timeout", death.cause)
        kills = memory.kernel_oom_kills()
        if death.signal_number == signal.SIGKILL and kills is not None and kills != self._oom_kills:
            return Failed("out-of-memory", f"the kernel's out-of-memory killer ended it ({death.cause})")
        return Failed("crash", death.cause)
