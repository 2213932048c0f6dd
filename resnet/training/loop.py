"""The loop of a training: epochs of steps, each with its validation; it can be saved and restored at every step."""

import contextlib
import dataclasses
import functools
import math
import os
import time
from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor, nn

from resnet.checkpointing import checkpoint_activations
from resnet.data.batches import MEMORY_FORMATS, Batches
from resnet.data.dataset import DataSet
from resnet.data.labels import class_weights
from resnet.training.averaging import MovingAverage, cloned
from resnet.training.events import EpochResult, Progress, peak_memory, restart_peak
from resnet.training.learner import Learner, be_deterministic, resized, train_mode
from resnet.training.recipe import Recipe
from resnet.training.schedules import learning_rate, progressive_size, validation_size
from resnet.training.state import (
    Position,
    all_finite,
    optimizer_tensors,
    random_states,
    read_state,
    restore_optimizer,
    restore_random,
    shapes_digest,
    write_state,
)

_LOOK_S: Final = 0.5
"""Seconds between two looks at the loss of an accelerator, as each waits for all queued work."""


class Trainer:
    """A training of a network on a data set, as a recipe says.

    The network itself is trained: it moves to `device`, and holds the trained weights in the end: those of the best
    epoch with early stopping, the average with ``average``. Give it its initial weights with the same seed before.

    Args:
        network: Takes images (batch, channels, height, width), returns logits (batch, classes).
        data: Images to train on and to validate with.
        recipe: All other choices.
        seed: Decides order and augmentation of the images.
        device: Where to compute.
        autocast: Type in which autocast computes; None for float32.
        scale_loss: Scale the loss, as float16 needs it.
        compile: Compile the network and its loss.
        layout: ``nchw``, or ``nhwc`` for channels_last.
        deterministic: Let torch, in the whole process, use algorithms only that repeat to the bit.
        workers: Processes that decode image files.

    Raises:
        ValueError: The arguments do not fit each other.
    """

    ended: str | None = None
    """``ok``, ``stopped early`` or ``diverged`` when `run` has come to an end."""
    cause: str | None = None
    """What happened and what to do, where `ended` is not ``ok`` and nobody called `finish`."""

    def __init__(
        self,
        network: nn.Module,
        data: DataSet,
        recipe: Recipe,
        *,
        seed: int,
        device: str | torch.device = "cpu",
        autocast: torch.dtype | None = None,
        scale_loss: bool = False,
        compile: bool = False,  # noqa: A002 - the name of the option everywhere
        layout: str = "nchw",
        deterministic: bool = False,
        workers: int = 0,
    ) -> None:
        _check(network, data, recipe, compiled=compile)
        if deterministic:
            be_deterministic()
        torch.manual_seed(seed)
        self.network, self.recipe, self._device = network, recipe, torch.device(device)
        network.to(device=self._device, memory_format=MEMORY_FORMATS[layout])  # type: ignore[call-overload]
        if recipe.grad_checkpointing:
            checkpoint_activations(network)
        weights = None
        if recipe.class_weights == "inverse-frequency":
            weights = class_weights(data.train.labels, len(data.classes)).to(self._device)
        self._learner = Learner(
            network, recipe, autocast=autocast, scale_loss=scale_loss, compiled=compile, class_weights=weights
        )
        self._average = MovingAverage(network, recipe.average_decay) if recipe.average == "ema" else None
        self._best: dict[str, Tensor] = {}
        batches = functools.partial(Batches, data=data, seed=seed, device=self._device, layout=layout, workers=workers)
        # Whole batches only, as batch norm works best with them and compiled code is for one size.
        size, augmentation = min(recipe.batch_size, len(data.train)), recipe.augmentation
        self._batches = batches(data.train, batch_size=size, augmentation=augmentation, shuffle=True, drop_last=True)
        self._validation = batches(data.validation, batch_size=recipe.batch_size, shuffle=False, drop_last=False)
        accurate = torch.float64 if self._device.type in {"cpu", "cuda"} else torch.float32  # others lack float64
        self._sums = torch.zeros(2, dtype=accurate, device=self._device)
        """Of the epoch so far: losses of the images, and images that were classified right."""
        self._position = Position()
        self._identity = {"recipe": recipe.digest, "data": data.digest, "network": shapes_digest(network), "seed": seed}
        if deterministic:
            computation = (device, autocast, layout, f"compile {compile}", f"{torch.get_num_threads()} threads")
            self._identity["computation"] = ", ".join(map(str, computation))

    @property
    def epochs(self) -> int:
        """Epochs that ended, with their validation."""
        return self._position.epoch

    def run(self) -> Iterator[Progress | EpochResult]:
        """Train until the end, from where the training is; yield after each optimizer step and each validation.

        The time between two values is not counted, and `save` works there.
        """
        while self.ended is None and self.epochs < self.recipe.epochs and not self._stops_early():
            yield from self._train_epoch()
            result = self._finish_epoch() if self.ended is None else None
            if result is not None:
                yield result
        self.finish()

    def _train_epoch(self) -> Iterator[Progress]:
        position, steps = self._position, len(self._batches)
        train_mode(self.network)
        restart_peak(self._device)
        batches = self._batches.epoch(position.epoch, position.batch)
        looked, loss, accuracy = -math.inf, None, None
        while True:
            began = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                return
            position.data_s += time.perf_counter() - began
            self._step(*batch)
            if self._device.type == "cpu" or time.perf_counter() - looked > _LOOK_S:
                loss, accuracy = _means(self._sums, position.images)
                looked = time.perf_counter()
            position.train_s += time.perf_counter() - began
            if loss is not None and self._diverged(loss):
                return
            yield Progress(
                epoch=position.epoch + 1,
                step=position.batch,
                steps=steps,
                images=position.images,
                loss=loss,
                accuracy=accuracy,
                seconds=position.train_s,
            )

    def _step(self, images: Tensor, labels: Tensor) -> None:
        position = self._position
        rate = learning_rate(self.recipe, position.step, len(self._batches))
        size = progressive_size(self.recipe, self.epochs, images.shape[-1])
        self._sums += self._learner.step(resized(images, size), labels, rate)
        position.step, position.batch = position.step + 1, position.batch + 1
        position.images += len(labels)
        if self._average:
            self._average.update(self.network, position.step)

    def _diverged(self, loss: float) -> bool:
        """Return whether a loss is no number, and end the training if so."""
        if math.isfinite(loss):
            return False
        self.ended = "diverged"
        self.cause = (
            f"the loss was {loss} in epoch {self.epochs + 1}, by step {self._position.step}: choose a lower "
            f"learning rate than {self.recipe.learning_rate:g}, a longer warm-up, or clip_norm"
        )
        return True

    def _finish_epoch(self) -> EpochResult | None:
        """Validate and go on to the next epoch; return None where the loss is no number."""
        position = self._position
        began = time.perf_counter()
        train_loss, train_accuracy = _means(self._sums, position.images)  # waits for an accelerator
        position.train_s += time.perf_counter() - began
        began = time.perf_counter()
        sums, images = self._validate()
        (loss, accuracy), validation_s = _means(sums, images), time.perf_counter() - began
        if self._diverged(train_loss) or self._diverged(loss):
            return None
        self._note_best(loss, accuracy)
        seconds = position.train_s + validation_s
        memory, reason = peak_memory(self._device)
        result = EpochResult(
            epoch=position.epoch + 1,
            step=position.step,
            learning_rate=learning_rate(self.recipe, position.step - 1, len(self._batches)),
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=loss,
            validation_accuracy=accuracy,
            validation_correct=int(sums[1]),
            images=position.images,
            seconds=seconds,
            data_s=position.data_s,
            compute_s=position.train_s - position.data_s,
            validation_s=validation_s,
            elapsed_s=position.elapsed_s + seconds,
            peak_memory_bytes=memory,
            nulls={} if reason is None else {"peak_memory_bytes": reason},
        )
        self._sums.zero_()
        self._position = position.next_epoch(result.elapsed_s)
        return result

    def _validate(self) -> tuple[Tensor, int]:
        """Return the sums over the validation images, and their number."""
        self.network.eval()
        with self._average.applied(self.network) if self._average else contextlib.nullcontext():
            return self._learner.validate(
                (resized(images, validation_size(self.recipe, self.epochs, images.shape[-1])), labels)
                for images, labels in self._validation.epoch(0)
            )

    def _note_best(self, loss: float, accuracy: float) -> None:
        """Keep the weights of the epoch if no other was as good."""
        stopping = self.recipe.early_stopping
        if stopping is not None and self._position.is_best(loss if stopping.monitor == "loss" else -accuracy):
            self._best = cloned(self._average.state if self._average else self.network.state_dict())

    def _stops_early(self) -> bool:
        stopping = self.recipe.early_stopping
        return stopping is not None and self._position.worse_epochs >= stopping.patience

    def finish(self) -> None:
        """End the training here, as `run` does after the last epoch, and give the network its final weights."""
        if self.ended is not None:
            return
        self.ended = "ok" if self.epochs == self.recipe.epochs else "stopped early"
        if self._stops_early() and self.ended != "ok":
            self.cause = f"the validation was no better in {self._position.worse_epochs} epochs"
        if final := self._best or (self._average.state if self._average else {}):
            self.network.load_state_dict(final)
        self.network.eval()

    def save(self, path: str | os.PathLike[str]) -> bool:
        """Save the state of the training atomically, unless its weights are not finite.

        Returns:
            Whether it was saved: the state before a divergence is the state to go back to.

        Raises:
            ValueError: The file cannot be written; an older file is as it was.
        """
        weights = self.network.state_dict()
        if self.ended == "diverged" or not all_finite(weights):
            return False
        tensors = {"sums": self._sums} | random_states(self._device)
        parts = {"network": weights, "optimizer": optimizer_tensors(self._learner.optimizer), "best": self._best}
        parts["average"] = self._average.state if self._average else {}
        for prefix, part in parts.items():
            tensors |= {f"{prefix}:{key}": value for key, value in part.items()}
        facts = {"identity": self._identity, "position": dataclasses.asdict(self._position)}
        write_state(path, tensors, facts | {"scaler": self._learner.scaler.state_dict()})
        return True

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Go on from a state that `save` wrote, with the next `run`.

        Raises:
            ValueError: The file cannot be read, or is of another training: network, data, recipe or seed differ.
        """
        saved = read_state(path, self._identity)
        self._position = saved.position(path)
        self.network.load_state_dict(saved.part("network"))
        restore_optimizer(self._learner.optimizer, saved.part("optimizer"))
        self._best = {key: value.to(self._device) for key, value in saved.part("best").items()}
        for key, value in saved.part("average").items():
            if self._average:
                self._average.state[key].copy_(value)
        self._sums.copy_(saved.tensors["sums"])
        self._learner.scaler.load_state_dict(saved.facts["scaler"])
        restore_random(saved.tensors, self._device)


def _check(network: nn.Module, data: DataSet, recipe: Recipe, *, compiled: bool) -> None:
    """Raise `ValueError` where a training cannot work."""
    if recipe.grad_checkpointing and compiled:
        raise ValueError("grad_checkpointing and compile exclude each other: choose one")
    config = getattr(network, "config", None)
    for name, wanted in (("num_classes", len(data.classes)), ("in_channels", data.in_channels)):
        given = getattr(config, name, wanted)
        if given != wanted:
            raise ValueError(f"the network has {name}={given}, but {data.name} needs {wanted}")


def _means(sums: Tensor, images: int) -> tuple[float, float]:
    """Return loss and accuracy an image."""
    loss, hits = sums.tolist()
    return loss / images, hits / images
