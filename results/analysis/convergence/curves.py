"""The curves of trainings: a training with its epochs and its end, and groups of seeds."""

import dataclasses
import functools
import math
import tomllib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, Literal, NamedTuple

from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.run import RunHeader
from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.storage.reader import Records, RunFile

CurveStatus = Literal["ok", "stopped early", "diverged", "interrupted", "error", "unfinished"]

FINISHED: Final = ("ok", "stopped early")
"""Ends of trainings that came to a final accuracy."""
_STEP: Final = 0.005
"""Accuracies that are chosen by default are multiples of this."""
_PATIENCE: Final = 10
"""The patience of early stopping where a recipe does not state it, as in `resnet.training.EarlyStopping`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A training with its epochs."""

    run: RunHeader
    training: Training
    epochs: tuple[Epoch, ...]
    """In their order; of an epoch that was repeated after a break, the last."""
    end: TrainingEnd | None
    """None where the run was cut off."""

    @property
    def status(self) -> CurveStatus:
        """How the training ended; ``unfinished`` where its end is not in the file."""
        return "unfinished" if self.end is None else self.end.status

    @property
    def final(self) -> Epoch | None:
        """The epoch of the final accuracy, None unless the training came to its end.

        It is the last epoch, not the best, which would be chosen on the validation images; only with early stopping it
        is the epoch that the recipe chose, whose weights are in the trained network.
        """
        if self.status not in FINISHED or not self.epochs:
            return None
        stopping = _early_stopping(self.training.recipe_text)
        return self.epochs[-1] if stopping is None else self.epochs[_best(self.epochs, stopping)]

    @property
    def cut_short(self) -> bool:
        """Whether somebody ended the training at an accuracy (``--until``), and not its recipe."""
        if self.status != "stopped early":
            return False
        if not self.epochs:
            return True
        if self.epochs[-1].epoch >= self.training.epochs:
            return False
        stopping = _early_stopping(self.training.recipe_text)
        return stopping is None or len(self.epochs) - 1 - _best(self.epochs, stopping) < stopping.patience

    def first(self, accuracy: float) -> Epoch | None:
        """Return the first epoch with this validation accuracy or more, None where there is none."""
        return next((epoch for epoch in self.epochs if epoch.validation_accuracy >= accuracy), None)

    def before(self, epoch: Epoch) -> Epoch | None:
        """Return the epoch before `epoch`, None for the first."""
        return next((known for known in reversed(self.epochs) if known.epoch < epoch.epoch), None)

    def time_to(self, accuracy: float) -> float | None:
        """Return the seconds until the end of the first epoch with this accuracy.

        Infinity where the training came to its end, or diverged, without it; None where nobody knows, because the
        training was cut off or cut short before.
        """
        epoch = self.first(accuracy)
        if epoch is not None:
            return epoch.elapsed_s
        ended = self.status in {*FINISHED, "diverged"} and not self.cut_short
        return math.inf if ended else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurveGroup:
    """The seeds of a recipe on the same network, data and machine, by the same version of torch."""

    machine: str
    """The device that trained, for people."""
    curves: tuple[Curve, ...]
    """One a seed: of several trainings with a seed, the last that came to its end."""

    @property
    def training(self) -> Training:
        """The training of the first seed; all share its case, data and recipe."""
        return self.curves[0].training

    @property
    def case(self) -> Case:
        """The network, and how it is trained."""
        return self.training.case

    @property
    def finished(self) -> tuple[Curve, ...]:
        """The seeds that came to their end."""
        return tuple(curve for curve in self.curves if curve.final is not None)


def curves(records: Records) -> list[Curve]:
    """Return the trainings of all files in their order, each with its epochs and its end."""
    return list(chain.from_iterable(map(_of_file, records.files)))


def curve_groups(curves: Iterable[Curve]) -> list[CurveGroup]:
    """Return the curves by machine, version of torch, case, data and recipe, in the order of the first seeds."""
    groups: dict[tuple[object, ...], dict[int, Curve]] = {}
    for curve in curves:
        training = curve.training
        key = (
            _machine(curve.run, training.case.device),
            curve.run.environment.torch,
            training.deterministic,
            training.case,
            *(training.data, training.data_digest, training.validation, training.validation_images),
            *(training.recipe, training.recipe_digest),
        )
        seeds = groups.setdefault(key, {})
        known = seeds.get(training.seed)
        if known is None or curve.final is not None or known.final is None:
            seeds[training.seed] = curve
    return [CurveGroup(machine=str(key[0]), curves=tuple(seeds.values())) for key, seeds in groups.items()]


def common_accuracy(groups: Sequence[CurveGroup]) -> float | None:
    """Return the highest multiple of 0.5 % that every finished training reached, None where there is none."""
    best = [max(epoch.validation_accuracy for epoch in curve.epochs) for group in groups for curve in group.finished]
    if not best:
        return None
    return round(math.floor(min(best) / _STEP + 1e-9) * _STEP, 6) or None


def check_accuracy(accuracy: float) -> None:
    """Raise `InputError` unless `accuracy` is above 0 and at most 1."""
    if not 0 < accuracy <= 1:
        raise InputError(f"accuracy {accuracy:g} is not above 0 and at most 1 (0.93 is 93 %)")


def _of_file(file: RunFile) -> Iterable[Curve]:
    epochs: dict[int, dict[int, Epoch]] = {}
    for epoch in file.bodies("epoch"):
        epochs.setdefault(epoch.training, {})[epoch.epoch] = epoch
    ends = {end.training: end for end in file.bodies("training-end")}
    started = {training.number: training for training in file.bodies("training")}
    for number, training in started.items():
        end = ends.get(number)
        known = epochs.get(number, {})
        yield Curve(run=file.run, training=training, epochs=tuple(known[epoch] for epoch in sorted(known)), end=end)


def _machine(run: RunHeader, device: str) -> str:
    cards = {card.device: card.name for card in run.environment.accelerators}
    cores = run.environment.usable_cores
    cpu = f"{run.environment.cpu or 'unknown CPU'}{f', {cores} cores' if cores else ''}"
    return cards.get(device, f"{device} of {run.id}") if device != "cpu" else cpu


class _EarlyStopping(NamedTuple):
    """Early stopping, as a recipe states it."""

    monitor: str
    patience: int


@functools.lru_cache(maxsize=256)
def _early_stopping(recipe_text: str) -> _EarlyStopping | None:
    """Return the early stopping of a recipe, None where it has none or cannot be read."""
    try:
        stopping = tomllib.loads(recipe_text).get("early_stopping")
    except tomllib.TOMLDecodeError:
        return None
    if not isinstance(stopping, dict):
        return None
    patience = stopping.get("patience")
    return _EarlyStopping(str(stopping.get("monitor", "loss")), patience if isinstance(patience, int) else _PATIENCE)


def _best(epochs: Sequence[Epoch], stopping: _EarlyStopping) -> int:
    """Return the index of the epoch that early stopping chose: the first of the best."""
    if stopping.monitor == "accuracy":
        return max(range(len(epochs)), key=lambda index: epochs[index].validation_accuracy)
    return min(range(len(epochs)), key=lambda index: epochs[index].validation_loss)
