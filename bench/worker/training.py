"""The worker of a training: plan trainings, begin a training or restore it, train on, save.

`resnet.data` and `resnet.training` do the work. This module speaks the words of the benchmark: labels of precisions and
runtimes, and epochs as run files hold them.
"""

import math
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal

import torch

from bench.machine.cpu import taken_cores
from bench.machine.device_names import is_cpu
from bench.measure import precision
from bench.measure.device import open_device
from bench.process.training.messages import (
    BeginTraining,
    NetworkSaved,
    PlanTrainings,
    SaveNetwork,
    SaveTraining,
    TrainedOn,
    TrainingBegun,
    TrainingSaved,
    TrainingsPlanned,
    TrainOn,
)
from bench.worker.describe import nvidia_identity
from bench.worker.training_plan import bad_input, load_images, network_config, planned_trainings
from resnet.data import DataSet, FileSplit
from resnet.model import ResNet
from resnet.storage.saved import save_network
from resnet.training.events import EpochResult, Progress
from resnet.training.loop import Trainer
from resnet.training.recipe_files import parse_recipe
from resnet.training.schedules import validation_size
from results.errors import InputError
from results.schema.labels import PROMISES, RUNTIMES
from results.schema.lines.training import Epoch, Training
from results.schema.types import known

_NUMBERED: Final = {"training", "energy_j"}
"""Fields of `Epoch` that the trainer does not know."""


_END: Final[dict[str | None, Literal["ok", "stopped early", "diverged"]]] = {
    "ok": "ok",
    "stopped early": "stopped early",
    "diverged": "diverged",
}
"""How a trainer ends, in the words of `results.schema.lines.training.TrainingEnd`."""


class TrainingVerbs:
    """The verbs of a worker that trains: at most a single training, which `begin_training` builds."""

    token: str | None = None
    _training: Training
    _data: DataSet
    _network: ResNet
    _trainer: Trainer
    _events: Iterator[Progress | EpochResult]
    _train_clock: Callable[[], float] = staticmethod(time.perf_counter)
    _latest: Progress | None = None

    def plan_trainings(self, request: PlanTrainings) -> TrainingsPlanned:
        """Return the trainings of a choice."""
        return TrainingsPlanned(trainings=planned_trainings(request))

    def begin_training(self, request: BeginTraining) -> TrainingBegun:
        """Load the data and build the network, or restore a checkpoint."""
        self.token = request.token
        self._training = training = request.training
        with bad_input():
            recipe = parse_recipe(training.recipe_text)
        self._data = load_images(request.data, recipe)
        if self._data.digest != training.data_digest:
            raise InputError(
                f"the images of {training.data} have changed since the training was planned; start it again"
            )
        case = training.case
        open_device(case.device)
        torch.set_num_threads(known(case.threads))
        precision.set_kernels(case)
        if RUNTIMES[case.runtime].compiles:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = request.cache
            os.environ["TRITON_CACHE_DIR"] = str(pathlib.Path(request.cache, "triton"))
        torch.manual_seed(training.seed)
        promise = PROMISES[case.precision]
        with bad_input():
            self._network = ResNet(network_config(training))
            self._trainer = Trainer(
                self._network,
                self._data,
                recipe,
                seed=training.seed,
                device=case.device,
                autocast=None if promise.autocast is None else getattr(torch, promise.autocast),
                scale_loss=promise.grad_scaler,
                compile=RUNTIMES[case.runtime].compiles,
                layout=case.layout,
                deterministic=training.deterministic,
                workers=request.workers,
            )
            if request.checkpoint is not None:
                self._trainer.restore(request.checkpoint)
        self._events = self._trainer.run()
        notes = tuple(filter(None, (taken_cores(), decoding_note(self._data, request.workers))))
        identity = None if is_cpu(case.device) else nvidia_identity(case.device)
        return TrainingBegun(epochs=self._trainer.epochs, notes=notes, identity=identity)

    def train_on(self, request: TrainOn) -> TrainedOn:
        """Train for some seconds, at least a step and at most to the end of an epoch."""
        began = self._train_clock()
        latest: Progress | None = None
        finished: Epoch | None = None
        ended = False
        while finished is None and not ended:
            event = next(self._events, None)
            if isinstance(event, Progress):
                latest = self._latest = event
            elif event is not None:
                finished = self._epoch(event)
            ended = event is None
            if self._train_clock() - began >= request.seconds:
                break
        known_loss = latest is not None and latest.loss is not None and math.isfinite(latest.loss)
        return TrainedOn(
            epoch=0 if self._latest is None else self._latest.epoch,
            step=0 if self._latest is None else self._latest.step,
            steps=1 if self._latest is None else self._latest.steps,
            images_per_s=latest.images / latest.seconds if latest is not None and latest.seconds > 0 else None,
            loss=latest.loss if latest is not None and known_loss else None,
            finished=finished,
            ended=_END[self._trainer.ended] if ended else None,
            cause=self._trainer.cause if ended else None,
        )

    def save_training(self, request: SaveTraining) -> TrainingSaved:
        """Write a checkpoint."""
        path = pathlib.Path(request.path)
        with bad_input():
            self._trainer.save(path)
        return TrainingSaved(size=path.stat().st_size if path.exists() else 0)

    def save_network(self, request: SaveNetwork) -> NetworkSaved:
        """Write the trained network, with the weights and the size of the images that the validation judged."""
        path = pathlib.Path(request.path)
        data, trainer = self._data, self._trainer
        trainer.finish()  # the parent may end a training at an accuracy, before its last epoch
        size = validation_size(trainer.recipe, max(0, trainer.epochs - 1), data.image_size)
        with bad_input():
            save_network(
                path,
                self._network,
                classes=data.classes,
                mean=data.mean,
                std=data.std,
                image_size=max(size, self._network.config.minimum_image_size),
            )
        return NetworkSaved(size=path.stat().st_size)

    def _epoch(self, result: EpochResult) -> Epoch:
        fields = {name: getattr(result, name) for name in Epoch.__struct_fields__ if name not in _NUMBERED}
        return Epoch(training=self._training.number, **fields)


def decoding_note(data: DataSet, workers: int) -> str | None:
    """Return a note where a training decodes its image files between steps, None elsewhere."""
    if workers or not isinstance(data.train, FileSplit):
        return None
    return (
        "image files are decoded between steps: --workers lets processes decode meanwhile, and `resnet-bench loader` "
        "advises how many"
    )
