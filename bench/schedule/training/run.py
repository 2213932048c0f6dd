"""From a choice to a run file of trainings: plan them in a worker, train one after the other, record every outcome."""

import contextlib
import datetime
import pathlib
import time
from collections.abc import Generator
from typing import Final

from msgspec import structs

from bench.machine.clock import now
from bench.process import ask
from bench.process.forkserver import ForkServer, ServerLost, WorkerDied
from bench.process.protocol import Failed
from bench.process.training.client import TrainingClient
from bench.process.training.messages import PlanTrainings, TrainingChoice
from bench.schedule.plan import TRAINING_SUITE, default_threads
from bench.schedule.progress import Note, Planned, Progress, Show, ignore
from bench.schedule.run import Interrupted, Stopped, private_folder
from bench.schedule.training.interrupts import Interrupts
from bench.schedule.training.plan import TrainingFiles, TrainingPlan
from bench.schedule.training.session import TrainingSession
from results.analysis.convergence.curves import check_accuracy
from results.errors import InputError
from results.schema.lines.run import Environment, RunHeader
from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.storage.reader import Records, RunFile, load
from results.storage.writer import Writer, new_run_id

_ASKED: Final = "it was interrupted"
_LATE: Final = "the time limit came first"
_RESUMABLE: Final = ("interrupted", "error")
"""Ends after which a training goes on from its checkpoint: what failed, such as a full disk, may be mended."""


def train(
    choice: TrainingChoice,
    *,
    device: str,
    out: str | pathlib.Path,
    workers: int = 0,
    until: float | None = None,
    timeout_s: float = 600.0,
    time_limit_s: float | None = None,
    show: Show = ignore,
) -> Records:
    """Train what is chosen into a new run file under `out`, and return what the file holds.

    Args:
        choice: models, seeds, data, recipe, and how to compute.
        device: ``auto``, ``cpu``, ``cuda:0``…
        out: folder of run files; checkpoints and trained networks go there too.
        workers: processes that load images.
        until: validation accuracy at which a training stops.
        timeout_s: seconds without an answer after which a worker counts as hung.
        time_limit_s: seconds after which the run stops; `resume_training` continues it.
        show: takes every `bench.schedule.progress.Event`.

    Raises:
        InputError: a choice is wrong, or the data are not there; nothing was trained.
        Interrupted: somebody stopped the run; `resume_training` continues its file.
        Stopped: the process that starts workers was lost; `resume_training` continues the file.
    """
    began = time.perf_counter()
    if until is not None:
        check_accuracy(until)
    with ForkServer() as server:
        (full_name,), environment = ask.environment(server, {device})
        request = PlanTrainings(choice=choice, device=full_name, threads=default_threads(environment))
        plan = TrainingPlan(
            trainings=_planned(server, request, timeout_s),
            data=choice.data,
            workers=workers,
            until=until,
            timeout_s=timeout_s,
            time_limit_s=time_limit_s,
        )
        header = _header(environment)
        with Writer.create(out, header) as writer:
            files = TrainingFiles(writer.path)
            files.write(plan)
            return _record(server, plan, files, writer, _Past(header, began=began), show)


def resume_training(path: str | pathlib.Path, *, show: Show = ignore) -> Records:
    """Continue an unfinished run file of trainings from its checkpoints, and return what it holds.

    Raises:
        InputError: the run cannot go on; the file is unchanged, or ends as one that was cut off.
        Interrupted: as `train` does.
        Stopped: as `train` does.
    """
    began = time.perf_counter()
    before = load(path).files[0]
    if before.run.suite != TRAINING_SUITE or before.run.settings is not None:
        raise InputError(f"{path} is no run of trainings; go on with `resnet-bench run --resume {path}`")
    files = TrainingFiles(before.path)
    if before.complete:
        raise InputError(f"{path} is complete; there is nothing to resume")
    plan = files.read()
    with ForkServer() as server:
        _, environment = ask.environment(server, {training.case.device for training in plan.trainings})
        writer, file = Writer.resume(path, started=now(), environment=environment)
        with writer:
            return _record(server, plan, files, writer, _Past(file.run, file, began=began), show)


def _header(environment: Environment) -> RunHeader:
    return RunHeader(
        id=new_run_id(datetime.datetime.now(datetime.UTC), TRAINING_SUITE),
        started=now(),
        suite=TRAINING_SUITE,
        settings=None,
        environment=environment,
        plan=(),
    )


class _Past:
    """What a run file held before this process: trainings that began, and trainings that ended."""

    def __init__(self, run: RunHeader, file: RunFile | None = None, *, began: float) -> None:
        self.run = run
        self.began = began
        """Reading of `time.perf_counter` at which the command began."""
        begun: tuple[Training, ...] = () if file is None else file.bodies("training")
        ends: tuple[TrainingEnd, ...] = () if file is None else file.bodies("training-end")
        self.begun = {training.number for training in begun}
        self.ended = {end.training for end in ends if end.status not in _RESUMABLE}


def _planned(server: ForkServer, request: PlanTrainings, timeout_s: float) -> tuple[Training, ...]:
    """Return the trainings of a request. Raises `InputError`."""
    try:
        return ask.ask_fresh(server, request, timeout_s).trainings
    except Failed as refusal:
        raise InputError(refusal.cause) from None
    except WorkerDied as death:
        raise InputError(f"the trainings cannot be planned: {death}") from None


def _record(
    server: ForkServer, plan: TrainingPlan, files: TrainingFiles, writer: Writer, past: _Past, show: Show
) -> Records:
    """Write and show the events of the trainings, and return the file as read back."""
    show(Planned(run=past.run, path=writer.path, trainings=plan.trainings))
    left = {training.number for training in plan.trainings} - past.ended
    try:
        with Interrupts() as interrupts, contextlib.closing(_events(server, plan, files, past, interrupts)) as events:
            for event in events:
                if not isinstance(event, Note | Progress):
                    writer.append(event)
                if isinstance(event, TrainingEnd) and event.status not in _RESUMABLE:
                    left.discard(event.training)
                show(event)
        writer.end("interrupted" if left else "complete")
    except KeyboardInterrupt:
        writer.end("interrupted")
        raise Interrupted(writer.path, "interrupted") from None
    except ServerLost as loss:
        writer.end("interrupted")
        raise Stopped(writer.path, str(loss)) from loss
    if not left:
        files.clean()
    elif interrupts.asked:
        raise Interrupted(writer.path, "interrupted")
    return load(writer.path)


def _events(
    server: ForkServer, plan: TrainingPlan, files: TrainingFiles, past: _Past, interrupts: Interrupts
) -> Generator[Note | Progress | Training | Epoch | TrainingEnd, None, None]:
    """Train what has not ended yet, each training in a worker of its own."""

    def halt() -> str | None:
        if interrupts.asked:
            return _ASKED
        late = plan.time_limit_s is not None and time.perf_counter() - past.began >= plan.time_limit_s
        return _LATE if late else None

    said: set[str] = set()
    with private_folder() as folder:
        for training in plan.trainings:
            if training.number in past.ended:
                continue
            if halt() is not None:
                return
            if training.number not in past.begun:
                yield structs.replace(training, started=now("milliseconds"))
                yield from (Note(note) for note in training.notes if note not in said)
                said.update(training.notes)
            cache = pathlib.Path(folder, str(training.number))
            cache.mkdir(mode=0o700)  # a cache of its own: each seed pays for its compilation
            worker = TrainingClient(server, training, timeout_s=plan.timeout_s)
            try:
                yield from TrainingSession(worker, training, plan=plan, files=files, halt=halt).events(cache)
            finally:
                worker.close()
