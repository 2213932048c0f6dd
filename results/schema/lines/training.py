"""Training to an accuracy: what is trained, its epochs, and how it ended. Each is a kind of line of a run file."""

from typing import Annotated, Literal

from msgspec import Meta, field

from results.schema.case import Case
from results.schema.types import Count, Name, Seconds, Share, Size, Stored, Text, Value


class Expected(Stored, frozen=True, kw_only=True):
    """The accuracy that somebody published for a recipe."""

    accuracy: Share
    source: Text


class Training(Stored, frozen=True, kw_only=True):
    """A training that began: a network, its data, its recipe and its seed."""

    number: Size
    """Number of the training in its file; its epochs and its end state it."""
    case: Case
    """The network and how it is computed; its task is ``training``."""
    data: Name
    """Name of the data set, such as ``fashion-mnist``."""
    data_digest: Name
    """SHA-256 of the images and labels, or of the files' names and sizes."""
    classes: Size
    train_images: Size
    validation_images: Size
    validation: Literal["official", "held out"]
    """``official``: the split that the data set comes with; ``held out``: a part of its training images."""
    recipe: Name
    recipe_digest: Name
    """SHA-256 of the recipe's values."""
    recipe_text: Text
    """The recipe with all its values, as TOML."""
    expected: Expected | None
    seed: Count
    epochs: Size
    deterministic: bool
    started: Name
    """ISO 8601, UTC."""
    notes: tuple[Text, ...] = ()
    """Warnings about the recipe and the network, such as a 7×7 stem on small images."""


class Epoch(Stored, frozen=True, kw_only=True):
    """An epoch of a training, with the validation after it."""

    training: Size
    """`Training.number`."""
    epoch: Size
    """From 1."""
    step: Size
    """Optimizer steps since the training began."""
    learning_rate: Value
    """Of the epoch's last step."""
    train_loss: Value
    """Mean over the images of the epoch, as augmented, while the weights moved."""
    train_accuracy: Share
    validation_loss: Value
    validation_accuracy: Share
    validation_correct: Count
    """Images classified right, of `Training.validation_images`."""
    images: Size
    """Training images of the epoch."""
    seconds: Seconds
    """Data, computing and validation together, without checkpoints."""
    data_s: Seconds
    """Waiting for images and augmenting them."""
    compute_s: Seconds
    """Forward, backward and optimizer."""
    validation_s: Seconds
    elapsed_s: Seconds
    """Seconds of this and all earlier epochs, of earlier processes too, and the first step's compilation."""
    peak_memory_bytes: Count | None
    energy_j: Annotated[float, Meta(ge=0)] | None = None
    """Joules of the epoch, where the device has a counter."""
    nulls: dict[str, Text] = field(default_factory=dict)
    """Reason of each value that is missing."""


class TrainingEnd(Stored, frozen=True, kw_only=True):
    """How a training ended."""

    training: Size
    status: Literal["ok", "stopped early", "diverged", "interrupted", "error"]
    cause: Text | None = None
    """What happened and what to do, where the status is not ``ok``."""
    epochs: Count
    """Epochs that were trained."""
    checkpoint: Text | None = None
    """Name of the checkpoint's file in the folder of the run file."""
