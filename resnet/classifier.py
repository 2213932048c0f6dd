"""A classifier to use: make it, train it, ask it, evaluate it, save it."""

import dataclasses
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Final, Literal, Self

import torch
from torch import Tensor

from resnet.config import ResNetConfig
from resnet.data import Batches, DataSet
from resnet.data.inputs import Picture, pictures_to_batch
from resnet.data.labelled import Labelled, as_data, as_split, check_classes
from resnet.data.sets import split_statistics
from resnet.data.sources.folder import IMAGENET_STATISTICS
from resnet.storage.saved import read_network, save_network
from resnet.training import EpochResult, Progress, Recipe, Trainer, load_recipe, recipe_warnings
from resnet.training.learner import resized
from resnet.training.lengths import with_epochs
from resnet.training.schedules import validation_size
from resnet.variants import create, for_image_size

_AUTOCAST: Final = {"fp32": None, "amp-bf16": torch.bfloat16, "amp-fp16": torch.float16}
"""Precisions that `Classifier.fit` trains in."""
ASKED: Final = 256
"""Images of a forward pass when a classifier is asked."""


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest classes of an image, best first."""

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def best(self) -> str:
        """The likeliest class."""
        return self.classes[0]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a classifier gets right of labelled images."""

    images: int
    correct: int
    accuracy: float
    per_class: dict[str, float | None]
    """Share of the images of each class that are classified right; None for a class without images."""
    confusion: Tensor
    """Images by true class (rows) and predicted class (columns): int64 of shape (classes, classes)."""


class Classifier:
    """A ResNet that tells classes of images apart.

    >>> classifier = resnet.Classifier("cifar_resnet20", classes=["cat", "dog"], in_channels=1, image_size=28)
    >>> classifier.fit(train, validation, recipe="fast")
    >>> classifier.predict("photo.png").best
    >>> classifier.save("pets.safetensors")

    Args:
        model: A key of `VARIANTS`, or a configuration. A variant with a 7x7 stem becomes its twin with the stem for
            small images, where `image_size` is at most 64.
        classes: Names of the classes, in the order of the labels.
        in_channels: Channels of the images.
        image_size: Height and width of the images in pixels; None for those of the images that `fit` is given, and
            the model's usual size before.
        weights: Weights to begin with, as `create` takes them; a classifier of another size is left out, one of as
            many classes is kept.
        freeze: ``all but head`` trains the last layer only; batch norms then keep their statistics.

    Raises:
        ValueError: An argument is out of range, or the weights do not fit.
    """

    _unsized: str | ResNetConfig | None = None
    """The model where nobody chose the size of its images, until `fit` knows it."""

    def __init__(
        self,
        model: str | ResNetConfig,
        *,
        classes: Sequence[str],
        in_channels: int = 3,
        image_size: int | None = None,
        weights: str | os.PathLike[str] | None = None,
        freeze: Literal["all but head"] | None = None,
    ) -> None:
        if freeze not in {None, "all but head"}:
            raise ValueError(f"unknown freeze {freeze!r} (choices: all but head)")
        if len(set(classes)) < max(2, len(classes)):
            raise ValueError("a classifier needs two or more classes, each with a name of its own")
        # Published weights are those of the variant with its own stem.
        named = model if weights is not None or image_size is None else for_image_size(model, image_size)
        if (weights, image_size, freeze) == (None, None, None):
            self._unsized = model
        self.classes = tuple(classes)
        self.network = create(named, num_classes=len(classes), in_channels=in_channels, weights=weights)
        self.image_size = image_size or self.network.config.image_size
        self.mean, self.std = _usual_statistics(in_channels)
        self._pretrained = weights is not None
        if freeze is not None:
            self.network.requires_grad_(False)
            self.network.fc.requires_grad_(True)
        self.network.eval()

    def fit(
        self,
        train: DataSet | Labelled,
        validation: Labelled | None = None,
        *,
        recipe: str | Recipe = "fast",
        epochs: int | None = None,
        seed: int = 0,
        device: str | None = None,
        workers: int = 0,
        show: Callable[[Progress | EpochResult], object] | None = None,
    ) -> list[EpochResult]:
        """Train, and return what each epoch gave.

        Args:
            train: A data set, such as `resnet.data.load_data` returns, or labelled images.
            validation: Labelled images to validate with, where `train` is no data set.
            recipe: Name of a recipe, path of a TOML file, or a `Recipe`.
            epochs: Epochs in place of the recipe's.
            seed: Decides order and augmentation of the images.
            device: Where to train; None for the accelerator of this machine, or the CPU.
            workers: Processes that decode image files.
            show: Called after each optimizer step and each epoch.

        Raises:
            ValueError: The images, the recipe or its values do not fit, or the loss is no number any more.
        """
        data = self._data(train, validation)
        if self._pretrained and data.in_channels == len(self.mean):
            data = dataclasses.replace(data, mean=self.mean, std=self.std)  # as the weights know images
        self._adapt(data.image_size)
        chosen = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
        chosen = chosen if epochs is None else with_epochs(chosen, epochs)
        for warning in recipe_warnings(chosen, self.network.config, data.image_size):
            warnings.warn(warning, stacklevel=2)
        trainer = self._trainer(data, chosen, seed=seed, device=device or _device(), workers=workers)
        self.mean, self.std, self.image_size = data.mean, data.std, data.image_size
        results = []
        for event in trainer.run():
            if isinstance(event, EpochResult):
                results.append(event)
            if show is not None:
                show(event)
        self.network.eval()
        self.image_size = validation_size(chosen, max(0, trainer.epochs - 1), data.image_size)
        if trainer.ended == "diverged":
            raise ValueError(str(trainer.cause))
        return results

    def _adapt(self, image_size: int) -> None:
        """Give a fresh network for which nobody chose a size the stem for these images; refuse images too small."""
        model, self._unsized = self._unsized, None
        if model is not None and (twin := for_image_size(model, image_size)) != model:
            config = self.network.config
            self.network = create(twin, num_classes=config.num_classes, in_channels=config.in_channels)
        least = self.network.config.minimum_image_size
        if image_size < least:
            raise ValueError(f"images of {image_size} pixels are too small for this network, which needs {least}")

    def _trainer(self, data: DataSet, recipe: Recipe, *, seed: int, device: str, workers: int) -> Trainer:
        if recipe.precision not in _AUTOCAST:
            raise ValueError(f"cannot train in precision {recipe.precision!r} here (choices: {', '.join(_AUTOCAST)})")
        return Trainer(
            self.network,
            data,
            recipe,
            seed=seed,
            device=device,
            autocast=_AUTOCAST[recipe.precision],
            scale_loss=recipe.precision == "amp-fp16",
            layout=recipe.layout,
            compile=recipe.compile,
            workers=workers,
        )

    def predict(self, images: Picture | Sequence[Picture], *, top: int = 1) -> Prediction | list[Prediction]:
        """Return the likeliest classes of an image, or a list of them for several.

        Args:
            images: A path, a PIL image or a tensor (channels, height, width), uint8 or in [0, 1]; or a sequence of
                these, or a tensor (n, channels, height, width).
            top: Classes of each prediction, at most.

        Raises:
            ValueError: An image cannot be read, or has other channels.
        """
        if top < 1:
            raise ValueError(f"top must be at least 1, not {top}")
        several = isinstance(images, list | tuple) or (isinstance(images, Tensor) and images.ndim == 4)
        pictures = list(images) if several else [images]  # type: ignore[arg-type]
        predictions = [
            prediction
            for start in range(0, len(pictures), ASKED)
            for prediction in self._asked(pictures[start : start + ASKED], min(top, len(self.classes)))  # type: ignore[arg-type]
        ]
        return predictions if several else predictions[0]

    def _asked(self, pictures: Sequence[Picture], top: int) -> list[Prediction]:
        batch = pictures_to_batch(pictures, image_size=self.image_size, mean=self.mean, std=self.std)
        self.network.eval()
        with torch.inference_mode():
            scores = self.network(batch.to(next(self.network.parameters()).device)).float().softmax(1).cpu()
        best = scores.topk(top)
        return [
            Prediction(tuple(self.classes[index] for index in indices), tuple(values))
            for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]

    def evaluate(self, data: DataSet | Labelled) -> Evaluation:
        """Return accuracy, accuracy by class and the confusion matrix of labelled images.

        Args:
            data: Labelled images; of a data set, its validation images. They are resized where the network takes
                another size.

        Raises:
            ValueError: There are no images, or they have other channels, labels or classes than the network.
        """
        if isinstance(data, DataSet):
            check_classes(self.classes, data)
        split = data.validation if isinstance(data, DataSet) else as_split(data)
        asked = as_data(split, split, classes=self.classes, mean=self.mean, std=self.std, image_size=self.image_size)
        device = next(self.network.parameters()).device
        batches = Batches(split, asked, batch_size=ASKED, seed=0, device=device, shuffle=False, drop_last=False)
        count = len(self.classes)
        confusion = torch.zeros(count * count, dtype=torch.int64)
        self.network.eval()
        with torch.inference_mode():
            for images, labels in batches.epoch(0):
                guesses = self.network(resized(images, self.image_size)).argmax(1)
                confusion += torch.bincount((labels * count + guesses).cpu(), minlength=count * count)
        confusion = confusion.view(count, count)
        hits, totals = confusion.diagonal().tolist(), confusion.sum(1).tolist()
        return Evaluation(
            images=sum(totals),
            correct=sum(hits),
            accuracy=sum(hits) / sum(totals),
            per_class={
                name: hit / total if total else None
                for name, hit, total in zip(self.classes, hits, totals, strict=True)
            },
            confusion=confusion,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write weights, configuration, classes and normalisation into a single file of safetensors.

        Raises:
            ValueError: The file cannot be written; an earlier file stays.
        """
        save_network(path, self.network, classes=self.classes, mean=self.mean, std=self.std, image_size=self.image_size)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the classifier of a file that `save` or `resnet-bench train` wrote. The file needs no trust.

        Raises:
            ValueError: The file is damaged, or holds something else.
        """
        network, facts = read_network(path)
        classifier = cls.__new__(cls)
        classifier._pretrained = True  # noqa: SLF001 - it is our own
        classifier.network, classifier.classes = network, facts.classes
        classifier.image_size, classifier.mean, classifier.std = facts.image_size, facts.mean, facts.std
        return classifier

    def _data(self, train: DataSet | Labelled, validation: Labelled | None) -> DataSet:
        """Return what is given as a data set, or raise `ValueError`."""
        if isinstance(train, DataSet):
            if validation is not None:
                raise ValueError("the data set has validation images already; leave out `validation`")
            check_classes(self.classes, train)
            return train
        if validation is None:
            raise ValueError("give labelled images to validate with, or a data set")
        images, others = as_split(train), as_split(validation)
        mean, std = split_statistics(images, self.image_size)
        return as_data(images, others, classes=self.classes, mean=mean, std=std, image_size=self.image_size)


def _usual_statistics(in_channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if in_channels == len(IMAGENET_STATISTICS[0]):
        return IMAGENET_STATISTICS
    return (0.5,) * in_channels, (0.5,) * in_channels


def _device() -> str:
    device = torch.accelerator.current_accelerator(check_available=True)
    return "cpu" if device is None or device.type == "mps" else str(device)
