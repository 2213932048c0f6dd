"""Workers that train made-up networks, without torch: an epoch of two steps, each step an answer."""

import json
import pathlib

from bench.process.training.messages import NetworkSaved, TrainedOn, TrainingBegun, TrainingSaved, TrainingsPlanned
from tests.bench.fakes import FakeWorker
from tests.conftest import _case
from tests.trainings import made_epochs, made_training

STEPS = 2
"""Steps of an epoch."""


def make_training(number=1, *, epochs=3, **fields):
    return made_training(_case, number, epochs=epochs, **fields)


def make_epoch(training, number):
    (epoch,) = made_epochs(training, first=number, last=number)
    return epoch


class Trainee(FakeWorker):
    """Trains at once; its checkpoint is a number of steps."""

    identity = None

    def plan_trainings(self, request):
        choice = request.choice
        pairs = [(model, seed) for model in choice.models for seed in choice.seeds]
        return TrainingsPlanned(
            trainings=tuple(
                make_training(number, seed=seed, model=model, epochs=choice.epochs or 3)
                for number, (model, seed) in enumerate(pairs, start=1)
            )
        )

    def begin_training(self, request):
        self.token, self.case, self.training = request.token, request.training.case, request.training
        self.steps = 0 if request.checkpoint is None else json.loads(pathlib.Path(request.checkpoint).read_text())
        return TrainingBegun(epochs=self.steps // STEPS, notes=("a note",), identity=self.identity)

    def train_on(self, request):
        if self.steps >= STEPS * self.training.epochs:
            return TrainedOn(epoch=self.training.epochs, step=STEPS, steps=STEPS, ended="ok")
        self.steps += 1
        epoch, step = divmod(self.steps - 1, STEPS)
        finished = make_epoch(self.training, epoch + 1) if step + 1 == STEPS else None
        return TrainedOn(epoch=epoch + 1, step=step + 1, steps=STEPS, images_per_s=100.0, loss=0.5, finished=finished)

    def save_training(self, request):
        return TrainingSaved(size=pathlib.Path(request.path).write_text(json.dumps(self.steps)))

    def save_network(self, request):
        return NetworkSaved(size=pathlib.Path(request.path).write_text("a network"))
