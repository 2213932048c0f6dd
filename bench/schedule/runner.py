"""From a suite to a run file: plan, count, measure group by group, record whatever happens."""

import dataclasses
import datetime
import os
import pathlib
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import structs

from bench.machine.software import usable_cores
from bench.process import ask
from bench.process.forkserver import ForkServer, ServerLost
from bench.schedule.group import GroupRun, groups
from bench.schedule.progress import Listener, Phase, Progress
from bench.suites.suite import DEFAULTS, Suite, change_settings, check_case, choose, expand, kind_of, override, sample
from results.errors import InputError
from results.schema.case import Case
from results.schema.record import Record
from results.schema.run import Environment, RunHeader, Settings
from results.schema.static import Static
from results.schema.types import known
from results.storage.lines import DamagedLineError
from results.storage.reader import Records, RunFile, load
from results.storage.writer import Writer, new_run_id

_WORKER_S: Final = 1.5
"""A worker's start, build and first steps, for the estimate: a small ResNet on two cores."""
_COMPILE_S: Final = 30.0
"""A compilation, likewise."""
_LEAST_BUDGET_S: Final = 0.3
"""No worker is given less, however little time is left."""
_PEAK_SHARE: Final = 0.1
"""Share of a time limit after which no more peak rates are measured."""
_COUNT_SHARE: Final = 0.5
"""Share of a time limit after which models are measured first, and counted in what time is left then."""
_COUNTERS: Final = 8
"""Processes that count models at the same time, at most: each holds one model."""


class Stopped(Exception):  # noqa: N818 - what was measured is kept
    """The run ended before its time; `path` is its file, which `resume` goes on with."""

    def __init__(self, path: pathlib.Path, cause: str) -> None:
        super().__init__(f"{cause}; what was measured is kept in {path}")
        self.path = path


class Interrupted(Stopped):
    """The run was stopped from outside."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do."""

    suite: str
    cases: tuple[Case, ...]
    settings: Settings
    environment: Environment

    @property
    def estimate_s(self) -> float:
        """Seconds that the run takes, roughly."""
        return _estimate_s(self.cases, self.settings)


def _estimate_s(cases: Sequence[Case], settings: Settings) -> float:
    per_case = (_WORKER_S + settings.budget_s + (0 if case.runtime == "eager" else _COMPILE_S) for case in cases)
    total = settings.replicates * sum(per_case)
    return min(total, settings.time_limit_s or total)


def plan(
    suite: Suite | str | pathlib.Path | Iterable[Case] | None = None,
    *,
    axes: Mapping[str, Sequence[str | int]] | None = None,
    device: str = "auto",
    **settings: float | None,
) -> Plan:
    """Say what `run` with the same arguments would do; `settings` are the fields of `Settings`.

    Raises:
        InputError: an argument is wrong, or the device is not there.
    """
    chosen = _chosen(suite, axes, settings)
    with ForkServer() as server:
        return _plan(server, chosen, device)


def run(
    suite: Suite | str | pathlib.Path | Iterable[Case] | None = None,
    *,
    axes: Mapping[str, Sequence[str | int]] | None = None,
    device: str | None = None,
    out: str | pathlib.Path | None = None,
    resume: str | pathlib.Path | None = None,
    listener: Listener | None = None,
    **settings: float | None,
) -> Records:
    """Measure a suite and return its records, which stand in a new run file under `out`.

    Args:
        suite: name of a built-in suite, path of a TOML file, a `Suite`, or cases; None takes `axes` alone, or the
            default suite where those are missing too.
        axes: values by axis; they replace those of the suite.
        device: ``auto`` (the first accelerator, else the CPU; the default), ``cpu``, ``cuda``, ``cuda:1``… Given cases
            name their own.
        out: folder of run files, ``runs`` by default.
        resume: an unfinished run file to go on with. Its plan and settings are in it, so only `listener` goes with it.
        listener: is told of the progress, between timed turns only.
        settings: fields of `Settings` (``replicates``, ``target``, ``budget_s``…); they replace those of the suite.

    Raises:
        InputError: an argument is wrong; nothing was measured.
        Stopped: the run ended before its time; what was measured is in the file.
    """
    if resume is not None:
        others = {"suite": suite, "axes": axes, "device": device, "out": out, **settings}
        if given := [name for name, value in others.items() if value is not None]:
            raise InputError(
                f"{resume} goes on with the plan, settings and folder of its own; leave out {', '.join(given)}"
            )
        before = load(resume).files[0].run
        if before.arm is not None:
            raise InputError(f"{resume} is an arm of an A/B comparison, which cannot go on; start it again")
        if before.source is not None or before.settings is None:
            raise InputError(f"{resume} was imported, not measured here, so it cannot go on; start a run of your own")
        planned_devices = {case.device for case in before.plan}
        with ForkServer() as server:
            environment = ask.environment(server, planned_devices)[1]
            writer, file = Writer.resume(resume, started=now(), environment=environment)
            return _Run(server, writer, file.run, file, listener, began=time.perf_counter()).measure()
    chosen = _chosen(suite, axes, settings)
    with ForkServer() as server:
        planned = _plan(server, chosen, "auto" if device is None else device)
        began = time.perf_counter()
        header = RunHeader(
            id=new_run_id(datetime.datetime.now(datetime.UTC), planned.suite),
            started=now(),
            suite=planned.suite,
            settings=planned.settings,
            environment=planned.environment,
            plan=planned.cases,
            peaks=ask.peaks(server, planned.cases, deadline=_until(began, planned.settings, _PEAK_SHARE)),
        )
        writer = Writer.create("runs" if out is None else out, header)
        return _Run(server, writer, header, None, listener, began=began).measure()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    """Cases that were given as they are, beside how to sample them."""

    cases: tuple[Case, ...]
    settings: Settings


def _chosen(
    suite: Suite | str | pathlib.Path | Iterable[Case] | None,
    axes: Mapping[str, Sequence[str | int]] | None,
    settings: Mapping[str, float | None],
) -> Suite | _Cases:
    """Make one of two things of the many that a caller may give, validated before anything is started."""
    if suite is None or isinstance(suite, (str, pathlib.Path)):
        return choose(suite, axes or {}, settings)
    if isinstance(suite, Suite):
        return sample(override(suite, axes or {}), settings)
    cases = tuple(dict.fromkeys(suite))
    if axes:
        raise InputError("axes change a suite; given cases are measured as they are")
    if not cases:
        raise InputError("no cases to measure")
    for case in cases:
        check_case(case)
    return _Cases(cases=cases, settings=change_settings(DEFAULTS, **settings))


def _plan(server: ForkServer, chosen: Suite | _Cases, device: str) -> Plan:
    if isinstance(chosen, _Cases):
        return _plan_of_cases(server, chosen, device)
    (full_name,), environment = ask.environment(server, {device})
    cases = expand(chosen, device=full_name, threads=known(environment.torch_threads))
    settings = chosen.settings[kind_of(full_name)]
    return Plan(suite=chosen.name, cases=cases, settings=settings, environment=environment)


def _plan_of_cases(server: ForkServer, chosen: _Cases, device: str) -> Plan:
    """Fill in what given cases leave open, as a suite does: full names of devices, and torch's threads."""
    own = {case.device for case in chosen.cases}
    asked = sorted(own if device == "auto" else {device, *own})
    names, environment = ask.environment(server, asked)
    full_names = dict(zip(asked, names, strict=True))
    threads = known(environment.torch_threads)
    cases = dict.fromkeys(
        structs.replace(case, device=full_names[case.device], threads=case.threads or threads) for case in chosen.cases
    )
    for case in cases:
        if device != "auto" and case.device != full_names[device]:
            raise InputError(f"device {device!r} is not that of the case {case.key}; leave it out, or change the case")
    return Plan(suite="cases", cases=tuple(cases), settings=chosen.settings, environment=environment)


def _until(began: float, settings: Settings, share: float = 1.0) -> float:
    """Return the reading of `time.perf_counter` at which that share of a run's time limit is over."""
    return began + share * settings.time_limit_s if settings.time_limit_s else float("inf")


class _Run:
    """A run under way: one file, one server."""

    def __init__(
        self,
        server: ForkServer,
        writer: Writer,
        header: RunHeader,
        before: RunFile | None,
        listener: Listener | None,
        *,
        began: float,
    ) -> None:
        self._server = server
        self._writer = writer
        self._header = header
        self._done = {(record.case, record.replicate) for record in before.records} if before else set()
        self._counted = {(static.model, static.image_size) for static in before.statics} if before else set()
        self._listener = listener
        self._uncounted: dict[tuple[str, int], str] = {}
        self._already = len(self._done)
        self._began = began
        self._settings = known(header.settings)
        self._deadline = _until(began, self._settings)
        self._todo = len(header.plan) * self._settings.replicates - len(self._done)
        self._left = self._todo
        compiled = sum(case.runtime != "eager" for case in header.plan) * self._settings.replicates
        self._to_compile = compiled - sum(case.runtime != "eager" for case, _ in self._done)
        self._estimate_s = _estimate_s(header.plan, self._settings)

    def measure(self) -> Records:
        """Do what is not done yet, and close the file."""
        if self._listener:
            self._listener.planned(self._header, self._writer.path)
        try:
            with private_folder() as cache:
                self._count(_until(self._began, self._settings, _COUNT_SHARE))
                for replicate in range(self._settings.replicates):
                    self._pass(replicate, pathlib.Path(cache))
                self._count(self._deadline)
            self._writer.end("complete" if self._left == 0 else "interrupted")
        except KeyboardInterrupt:
            self._writer.end("interrupted")
            raise Interrupted(self._writer.path, "interrupted") from None
        except ServerLost as loss:
            self._writer.end("interrupted")
            raise Stopped(self._writer.path, str(loss)) from loss
        finally:
            self._writer.close()
            if self._listener:
                self._listener.closed()
        return load(self._writer.path)

    def _count(self, until: float) -> None:
        """Count each model once, several at a time: nothing is timed meanwhile. None begins after `until`."""
        models = dict.fromkeys((case.model, case.image_size) for case in self._header.plan)
        queue = [key for key in models if key not in self._counted and key not in self._uncounted]
        with ThreadPoolExecutor(max_workers=min(usable_cores(), _COUNTERS)) as pool:
            costs = pool.map(lambda key: self._static(key, until), queue)
            for number, ((model, image_size), static) in enumerate(zip(queue, costs, strict=True)):
                if static is not None:
                    self._writer.append(static)
                    self._counted.add((model, image_size))
                self._tell(
                    Progress(phase="static cost", case=model, done=number + 1, total=len(queue), seconds_left=None)
                )

    def _static(self, key: tuple[str, int], until: float) -> Static | None:
        """Count one model in a worker of its own; one that cannot be counted is measured all the same."""
        model, image_size = key
        left = until - time.perf_counter()
        if left <= 0:
            return None
        found = ask.static(self._server, model, image_size, timeout_s=min(self._settings.timeout_s, left))
        if not isinstance(found, str):
            return found
        if time.perf_counter() < until:  # else it was only cut short
            self._uncounted[key] = f"its static cost could not be counted: {found}"[:4096]
        return None

    def _pass(self, replicate: int, cache: pathlib.Path) -> None:
        """Measure every group once."""
        for group in groups(self._header.plan, lambda case: (case, replicate) not in self._done):
            if time.perf_counter() >= self._deadline:
                return
            settings = structs.replace(self._settings, budget_s=self._budget())
            GroupRun(
                self._server,
                group,
                replicate=replicate,
                settings=settings,
                cache=cache,
                deadline=self._deadline,
                recorded=self._record,
                progressed=self._progress,
            ).measure()

    def _budget(self) -> float:
        """Share what time is left among the measurements that are left, where the run has a limit."""
        budget = self._settings.budget_s
        left = self._deadline - time.perf_counter() - _COMPILE_S * self._to_compile
        return min(budget, max(left / self._left - _WORKER_S, _LEAST_BUDGET_S))

    def _record(self, record: Record) -> None:
        uncounted = self._uncounted.get((record.case.model, record.case.image_size))
        if uncounted:
            record = structs.replace(record, notes=(*record.notes, uncounted))
        try:
            self._writer.append(record)
        except DamagedLineError as nonsense:  # a worker reported what cannot be
            record = Record(
                case=record.case,
                replicate=record.replicate,
                status="error",
                cause=f"its worker's report breaks the schema: {nonsense}",
                started=record.started,
                duration_s=record.duration_s,
            )
            self._writer.append(record)
        self._left -= 1
        self._to_compile -= record.case.runtime != "eager"
        if self._listener:
            self._listener.finished(record)

    def _progress(self, phase: Phase, case: Case, steps: int) -> None:
        done = self._todo - self._left
        elapsed = time.perf_counter() - self._began
        # Until a record tells better, the plan's own estimate.
        left = elapsed / done * self._left if done else max(0.0, self._estimate_s - elapsed)
        self._tell(
            Progress(
                phase=phase,
                case=case.key,
                steps=steps,
                done=self._already + done,
                total=self._already + self._todo,
                seconds_left=left,
            )
        )

    def _tell(self, state: Progress) -> None:
        if self._listener:
            self._listener.progress(state)


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a new folder (mode 0700) for compilers' artefacts, inside the user's ``TORCHINDUCTOR_CACHE_DIR`` if set.

    Raises:
        InputError: the user's folder cannot be written.
    """
    users = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    parent = pathlib.Path(users).absolute() if users else None
    try:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix="resnet-bench-", dir=parent)
    except OSError as error:
        where = tempfile.gettempdir() if parent is None else f"TORCHINDUCTOR_CACHE_DIR ({parent})"
        raise InputError(f"cannot write into {where}: {error.strerror}; set TORCHINDUCTOR_CACHE_DIR") from None


def now() -> str:
    """Return the time in UTC as ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
