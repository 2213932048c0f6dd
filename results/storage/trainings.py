"""The order of the lines of trainings in a run file: a training, its epochs one after another, its end."""

from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.schema.types import Stored


class Trainings:
    """The trainings of a file while it is read."""

    def __init__(self) -> None:
        self._epochs: dict[int, int] = {}
        """The highest epoch of each training so far."""
        self._ends: set[int] = set()

    @property
    def started(self) -> int:
        """Number of trainings that began."""
        return len(self._epochs)

    @property
    def ended(self) -> int:
        """Number of trainings that came to an end after which nothing follows."""
        return len(self._ends)

    def misplaced(self, body: Stored) -> str | None:
        """Return why a line of a training cannot follow the lines before it, None where it can.

        After a break, epochs since the last checkpoint are trained again: their numbers may repeat.
        """
        if isinstance(body, Training):
            return f"a second training {body.number}" if body.number in self._epochs else None
        if not isinstance(body, Epoch | TrainingEnd):
            return None
        last = self._epochs.get(body.training)
        if last is None:
            return f"belongs to training {body.training}, of which no line says that it began"
        if isinstance(body, TrainingEnd) or body.epoch <= last + 1:
            return None
        return f"epoch {body.epoch} of training {body.training} follows epoch {last}; epochs between them are missing"

    def take(self, body: Stored) -> None:
        """Count a line; others than those of trainings are ignored."""
        if isinstance(body, Training):
            self._epochs.setdefault(body.number, 0)
        elif isinstance(body, Epoch) and body.training in self._epochs:
            self._epochs[body.training] = max(body.epoch, self._epochs[body.training])
            self._ends.discard(body.training)
        elif isinstance(body, TrainingEnd) and body.training in self._epochs:
            self._ends.add(body.training)
