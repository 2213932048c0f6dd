"""From a suite to a run file: plan, count static costs, measure replicate by replicate, record every outcome.

`run` is the whole pipeline: it makes a `Plan` for this machine and a run file, and writes the records of `measure`.
"""

import contextlib
import datetime
import os
import pathlib
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.machine.clock import now
from bench.machine.cpu import usable_cores
from bench.process import ask
from bench.process.caches import Caches
from bench.process.forkserver import ForkServer, ServerLost
from bench.schedule.agenda import Agenda
from bench.schedule.plan import TRAINING_SUITE, Plan, make_plan, share_of_limit
from bench.schedule.progress import Planned, Progress, Show, ignore
from bench.schedule.replicate import ReplicateRun
from bench.suites.request import GivenCases
from bench.suites.suite import Suite
from results.errors import InputError
from results.schema.lines.record import Record
from results.schema.lines.run import PeakRate, RunHeader
from results.schema.lines.static import Static, StaticKey
from results.storage.lines import DamagedLineError
from results.storage.reader import Records, load
from results.storage.writer import Writer, new_run_id

_PEAK_SHARE: Final = 0.1
"""Share of the time limit after which no further peak rate is measured."""
_COUNT_SHARE: Final = 0.5
"""Share of the time limit after which counting waits until the measurements are done."""
_COUNTERS: Final = 8
"""The most processes that count models at the same time; every process holds a model."""


class Stopped(Exception):  # noqa: N818 - what was measured is kept
    """The run ended early; `resume` continues its file `path`."""

    def __init__(self, path: pathlib.Path, cause: str) -> None:
        super().__init__(f"{cause}; what was measured is kept in {path}")
        self.path = path


class Interrupted(Stopped):
    """The run was stopped from outside."""


def plan(request: Suite | GivenCases, *, device: str) -> Plan:
    """Return the plan that `run` with the same arguments would execute.

    Raises:
        InputError: the device is not there, or does not go with the request.
    """
    with ForkServer() as server:
        return make_plan(server, request, device)


def run(request: Suite | GivenCases, *, device: str, out: str | pathlib.Path, show: Show = ignore) -> Records:
    """Measure what is requested into a new run file under `out`, and return its records.

    Args:
        request: what to measure, and how to sample it.
        device: as `bench.run` takes it.
        out: folder of run files.
        show: as `bench.run` takes it.

    Raises:
        InputError: the device is not there, or does not go with the request; nothing was measured.
        Stopped: the run ended before its time; what was measured is in the file.
    """
    with ForkServer() as server:
        planned = make_plan(server, request, device)
        began, started = time.perf_counter(), now()
        deadline = share_of_limit(began, planned.settings, _PEAK_SHARE)
        header = _header(planned, started, ask.peaks(server, planned.cases, deadline=deadline))
        with Writer.create(out, header) as writer:
            return _record(server, Agenda(header, began=began), writer, show)


def resume(path: str | pathlib.Path, *, show: Show = ignore) -> Records:
    """Continue an unfinished run file with its plan and settings, and return its records.

    Raises:
        InputError: the run cannot be resumed; the file is unchanged.
        Stopped: the run ended early; its records are in the file.
    """
    before = load(path).files[0].run
    if before.arm is not None:
        raise InputError(f"{path} is an arm of an A/B comparison, which cannot go on; start it again")
    if before.suite == TRAINING_SUITE and before.settings is None:
        raise InputError(f"{path} is a run of trainings; go on with `resnet-bench train --resume {path}`")
    if not before.plan and before.source is None:
        raise InputError(f"{path} holds no plan: a search, profile or fit cannot go on; start it again")
    if before.source is not None or before.settings is None:
        raise InputError(f"{path} was imported, not measured here, so it cannot go on; start a run of your own")
    with ForkServer() as server:
        _, environment = ask.environment(server, {case.device for case in before.plan})
        writer, file = Writer.resume(path, started=now(), environment=environment)
        with writer:
            return _record(server, Agenda(file.run, file, began=time.perf_counter()), writer, show)


def measure(server: ForkServer, agenda: Agenda) -> Generator[Progress | Static | Record, None, None]:
    """Measure the agenda: static costs, then all cases once for every replicate."""
    with private_folder() as folder:
        caches = Caches(pathlib.Path(folder))
        yield from _count(server, agenda, agenda.until(_COUNT_SHARE))
        for replicate in range(agenda.settings.replicates):
            work = agenda.next_replicate(replicate)
            if work is None:
                continue
            began = time.perf_counter()
            todo, settings = work
            run_of_replicate = ReplicateRun(
                server,
                todo,
                settings=settings,
                caches=caches,
                room=agenda.room,
                epoch=agenda.epoch,
                deadline=agenda.until(),
            )
            with contextlib.closing(run_of_replicate.measure()) as events:
                for event in events:
                    yield agenda.finish(event) if isinstance(event, Record) else agenda.progress(event)
            agenda.replicate_ended(todo, settings.budget_s, time.perf_counter() - began)
        yield from _count(server, agenda, agenda.until())


def _header(planned: Plan, started: str, peaks: tuple[PeakRate, ...]) -> RunHeader:
    return RunHeader(
        id=new_run_id(datetime.datetime.now(datetime.UTC), planned.suite),
        started=started,
        suite=planned.suite,
        settings=planned.settings,
        environment=planned.environment,
        plan=planned.cases,
        peaks=peaks,
    )


def _record(server: ForkServer, agenda: Agenda, writer: Writer, show: Show) -> Records:
    """Write and show the events of `measure`, and return the records as read back from the file."""
    show(Planned(run=agenda.run, path=writer.path))
    try:
        with contextlib.closing(measure(server, agenda)) as events:
            for event in events:
                show(event if isinstance(event, Progress) else _written(writer, event))
        writer.end("complete" if agenda.complete else "interrupted")
    except KeyboardInterrupt:
        writer.end("interrupted")
        raise Interrupted(writer.path, "interrupted") from None
    except ServerLost as loss:
        writer.end("interrupted")
        raise Stopped(writer.path, str(loss)) from loss
    return load(writer.path)


def _written(writer: Writer, event: Static | Record) -> Static | Record:
    """Append a line to the run file, and return its body."""
    if isinstance(event, Static):
        writer.append(event)
        return event
    try:
        writer.append(event)
    except DamagedLineError as nonsense:  # a worker reported what cannot be
        event = Record(
            case=event.case,
            replicate=event.replicate,
            status="error",
            cause=f"its worker's report breaks the schema: {nonsense}",
            started=event.started,
            duration_s=event.duration_s,
        )
        writer.append(event)
    return event


def _count(server: ForkServer, agenda: Agenda, until: float) -> Iterator[Progress | Static]:
    """Count every model once, several at a time, while nothing is timed. No count begins after `until`."""
    queue = agenda.models_to_count()

    def cost(model: StaticKey) -> Static | str | None:
        return ask.static(server, *model, timeout_s=agenda.settings.timeout_s, deadline=until)

    with ThreadPoolExecutor(max_workers=min(usable_cores(), _COUNTERS)) as pool:
        for number, (model, static) in enumerate(zip(queue, pool.map(cost, queue), strict=True), start=1):
            if isinstance(static, Static):
                agenda.count(static)
                yield static
            elif static is not None:  # it is measured all the same
                agenda.give_up_counting(model, static)
            yield Progress(phase="static cost", case=model[0], done=number, total=len(queue), seconds_left=None)


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
