"""A training from its beginning, or its checkpoint, to its end: what its worker is asked, and what is recorded."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, Protocol

from bench.process.protocol import Failed, Refused
from bench.process.training.messages import DataChoice, TrainedOn, TrainingBegun
from bench.schedule.progress import Note, Progress
from bench.schedule.training.plan import TrainingFiles, TrainingPlan
from results.errors import InputError
from results.schema.lines.training import Epoch, Training, TrainingEnd

LOOK_S: Final = 1.0
"""Seconds that a worker trains between two answers, so that a person sees progress and Ctrl-C is soon obeyed."""
SAVE_S: Final = 60.0
"""Seconds after which a checkpoint is written inside an epoch."""
_LONGEST: Final = 4096

TrainingStatus = Literal["ok", "stopped early", "diverged", "interrupted", "error"]


class TrainingWorker(Protocol):
    """A worker that trains, as `bench.process.training.client.TrainingClient` is; its methods raise `Failed`."""

    def begin(self, data: DataChoice, *, workers: int, checkpoint: str | None, cache: str) -> TrainingBegun:
        """Build the training, or go on from a checkpoint."""

    def go_on(self, seconds: float) -> TrainedOn:
        """Train for some seconds, or to the end of the epoch."""

    def save(self, path: str) -> None:
        """Write a checkpoint."""

    def save_network(self, path: str) -> None:
        """Write the trained network."""


class TrainingSession:
    """A training that goes on until its end, or until something halts it."""

    def __init__(
        self,
        worker: TrainingWorker,
        training: Training,
        *,
        plan: TrainingPlan,
        files: TrainingFiles,
        halt: Callable[[], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a training.

        Args:
            worker: its worker.
            training: what it trains.
            plan: the plan of the run.
            files: the files of the run.
            halt: returns why the training must be interrupted, None as long as it may go on.
            clock: returns seconds.
        """
        self._worker = worker
        self._training = training
        self._plan = plan
        self._files = files
        self._halt = halt
        self._clock = clock
        self._epochs = 0

    def events(self, cache: Path) -> Iterator[Note | Progress | Epoch | TrainingEnd]:
        """Train; the last event is the end. `cache` is a private folder of the compiler."""
        try:
            yield from self._train(cache)
        except Failed as failure:
            yield self._end("error", f"{failure.status}: {failure.cause}")

    def _begin(self, cache: Path) -> tuple[str, ...]:
        """Build the training in its worker, or go on from its checkpoint; return notes.

        Raises:
            InputError: the checkpoint is damaged, or of another training.
            Failed: the worker cannot build the training.
        """
        checkpoint = str(self._checkpoint) if self._checkpoint.exists() else None
        try:
            begun = self._worker.begin(
                self._plan.data, workers=self._plan.workers, checkpoint=checkpoint, cache=str(cache)
            )
        except Refused as refusal:
            if checkpoint is None or refusal.status != "error":
                raise
            raise InputError(refusal.cause) from None  # a person may bring back what is missing, and go on then
        self._epochs = begun.epochs
        if checkpoint is None:
            return begun.notes
        return (f"{self._name} goes on after {begun.epochs} of {self._training.epochs} epochs", *begun.notes)

    @property
    def _name(self) -> str:
        return f"{self._training.case.model}, seed {self._training.seed}"

    @property
    def _checkpoint(self) -> Path:
        return self._files.checkpoint(self._training.number)

    def _train(self, cache: Path) -> Iterator[Note | Progress | Epoch | TrainingEnd]:
        yield from (Note(note) for note in self._begin(cache))
        began, first, saved = self._clock(), None, self._clock()
        while True:
            state = self._worker.go_on(LOOK_S)
            if state.ended is not None:
                yield self._finish(state.ended, state.cause)
                return
            done = self._count(state)
            first = done if first is None else first
            yield self._progress(state, done, (done - first, self._clock() - began))
            if state.finished is not None:
                yield state.finished  # before the checkpoint: a run that goes on trains an epoch again, and loses none
            if (reached := self._reached(state)) is not None:
                yield self._finish("stopped early", reached)
                return
            halted = self._halt()
            if state.finished is not None or halted or self._clock() - saved >= SAVE_S:
                self._worker.save(str(self._checkpoint))
                saved = self._clock()
            if halted:
                yield self._end("interrupted", halted)
                return

    def _count(self, state: TrainedOn) -> float:
        """Count the epochs so far, and return them with the part of the last."""
        if state.finished is not None:
            self._epochs = state.finished.epoch
            return float(self._epochs)
        return max(0, state.epoch - 1) + state.step / state.steps

    def _progress(self, state: TrainedOn, done: float, pace: tuple[float, float]) -> Progress:
        """Return the progress; `pace` is epochs and their seconds, as this process trained them."""
        epochs, seconds = pace
        later = sum(training.epochs for training in self._plan.trainings if training.number > self._training.number)
        left = None if epochs <= 0 else (self._training.epochs - done + later) * seconds / epochs
        rate = "" if state.images_per_s is None else f"{state.images_per_s:,.0f} img/s"
        loss = "" if state.loss is None else f"loss {state.loss:.3f}"
        return Progress(
            phase="training",
            case=self._name,
            steps=state.step,
            detail="  ".join(filter(None, (rate, loss))),
            done=self._epochs,
            total=self._training.epochs,
            seconds_left=left,
        )

    def _reached(self, state: TrainedOn) -> str | None:
        """Return why the training may stop, None where it has not reached the accuracy that somebody asked for."""
        until, epoch = self._plan.until, state.finished
        if until is None or epoch is None or epoch.validation_accuracy < until:
            return None
        return f"it reached {until:.4g} on the validation images, as was asked"

    def _finish(self, status: TrainingStatus, cause: str | None) -> TrainingEnd:
        """Save the trained network of a training that has ended; one that diverged has none."""
        if status == "diverged":
            return self._end(status, cause)
        path = self._files.network(self._training.number)
        self._worker.save_network(str(path))
        self._checkpoint.unlink(missing_ok=True)
        return TrainingEnd(
            training=self._training.number,
            status=status,
            cause=cause,
            epochs=self._epochs,
            checkpoint=self._files.name(path),
        )

    def _end(self, status: TrainingStatus, cause: str | None) -> TrainingEnd:
        """Return the end of a training whose checkpoint, if there is one, stays."""
        return TrainingEnd(
            training=self._training.number,
            status=status,
            cause=None if cause is None else cause[:_LONGEST],
            epochs=self._epochs,
            checkpoint=self._files.name(self._checkpoint) if self._checkpoint.exists() else None,
        )
