"""What a person reads of trainings while they run: a line for each epoch, and for each beginning and end."""

from bench.schedule.progress import Event, Note, Planned, Progress, duration
from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.text import printable


class TrainingLines:
    """Words the lines of a run that trains."""

    def __init__(self) -> None:
        self._trainings: dict[int, Training] = {}
        self._left_s: float | None = None

    def of(self, event: Event) -> str | None:
        """Return the line of an event, None for an event without a line."""
        line: str | None = None
        match event:
            case Planned(trainings=trainings, path=path):
                self._trainings = {training.number: training for training in trainings}
                line = f"{len(trainings)} to train, into {path}"
            case Note(line=line):
                pass
            case Progress(seconds_left=left):
                self._left_s = left
            case Training():
                self._left_s = None
                line = self._beginning(event)
            case Epoch():
                line = self._epoch(event)
            case TrainingEnd():
                line = self._end(event)
        return None if line is None else printable(line)

    def _beginning(self, training: Training) -> str:
        what = f"{training.train_images:,} images of {training.data}, {training.epochs} epochs of {training.recipe}"
        expected = training.expected
        published = "" if expected is None else f"; published: {expected.accuracy:.2%} ({expected.source})"
        return f"{self._name(training.number)}: {what}, {training.case.key}{published}"

    def _epoch(self, epoch: Epoch) -> str:
        training = self._trainings[epoch.training]
        trained_s = epoch.data_s + epoch.compute_s
        rate = f", {epoch.images / trained_s:,.0f} img/s" if trained_s > 0 else ""
        left = "" if self._left_s is None else f", about {duration(self._left_s)} left"
        return (
            f"{self._name(epoch.training)}: epoch {epoch.epoch}/{training.epochs}: loss {epoch.train_loss:.4g}, "
            f"validation {epoch.validation_accuracy:.2%}{rate}, {duration(epoch.elapsed_s)}{left}"
        )

    def _end(self, end: TrainingEnd) -> str:
        cause = "" if end.cause is None else f": {end.cause}"
        return f"{self._name(end.training)}: {end.status} after {end.epochs} epochs{cause}"

    def _name(self, number: int) -> str:
        training = self._trainings[number]
        return f"[{number}/{len(self._trainings)}] {training.case.model}, seed {training.seed}"
