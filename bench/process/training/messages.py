"""What parent and worker say about training: for each verb a request and an answer."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from bench.process.messages import Request
from results.schema.lines.training import Epoch, Training
from results.schema.types import Count, Name, Patience, Size, Text, Value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataChoice:
    """The images to train with, as `resnet.data.load_data` takes them."""

    name: Text
    """A data set of `resnet.data.SETS`, or a folder of images."""
    path: str | None = None
    """Where the data set lies."""
    image_size: Size | None = None
    """Pixels a side; None for the data set's own."""
    limit: Size | None = None
    """The most training images, and the most validation images."""
    download: bool = False
    """Whether torchvision may download the data set if its files are missing."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingChoice:
    """What somebody chose for trainings; None leaves a choice to the recipe, the model or the data."""

    models: tuple[Name, ...]
    seeds: tuple[Count, ...]
    data: DataChoice
    recipe: Text = "fast"
    """A built-in recipe, or the path of a TOML file."""
    epochs: Size | None = None
    batch_size: Size | None = None
    hold_out: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """Share of the training images to validate with in place of the official validation images; 0 takes those."""
    precision: Name | None = None
    runtime: Name | None = None
    layout: Name | None = None
    threads: Size | None = None
    stem: Literal["cifar", "imagenet"] | None = None
    """None for the cifar stem on small images, and the model's own on others."""
    deterministic: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingsPlanned:
    """The trainings of a choice, complete but for the time at which they start."""

    trainings: tuple[Training, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlanTrainings(Request[TrainingsPlanned]):
    """Complete the choices by the data, the recipe and the models, and check that they fit."""

    choice: TrainingChoice
    device: Name
    """Full name of the device."""
    threads: Size
    """Threads where the choice states none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBegun:
    """The training that goes on with `TrainOn`."""

    epochs: Count
    """Epochs that its checkpoint has trained."""
    notes: tuple[Text, ...]
    identity: Name | None = None
    """The UUID by which NVIDIA's driver knows its device, None for other devices. It is not stored."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BeginTraining(Request[TrainingBegun]):
    """Load the data and build the network, or restore a checkpoint."""

    training: Training
    data: DataChoice
    workers: Count
    """Processes that load images."""
    checkpoint: str | None
    """Path of the checkpoint to go on from."""
    cache: str
    """Private folder of the compiler's artefacts."""
    token: str
    """Returned in every later answer, to identify the training that answers."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """How far the training is."""

    epoch: Count
    """The epoch of the last step, from 1; 0 before the first."""
    step: Count
    """Steps of this epoch so far."""
    steps: Size
    """Steps of an epoch."""
    images_per_s: Value | None = None
    """Training images a second of this epoch so far."""
    loss: Value | None = None
    """A recent training loss, None where none is known yet."""
    finished: Epoch | None = None
    """The epoch that has just ended; its validation is done."""
    ended: Literal["ok", "stopped early", "diverged"] | None = None
    """How the training ended, None while it goes on."""
    cause: Text | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainOn(Request[TrainedOn]):
    """Train for some seconds, but not beyond the end of an epoch, and at least a step."""

    seconds: Patience


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSaved:
    """A checkpoint is on the disk."""

    size: Count
    """Its bytes; 0 where there is none, because no state with finite weights was ever saved."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SaveTraining(Request[TrainingSaved]):
    """Write the state to go on from; an earlier file stays until the new file is complete."""

    path: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSaved:
    """The trained network is on the disk."""

    size: Count
    """Its bytes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SaveNetwork(Request[NetworkSaved]):
    """Write the trained network with its classes and its normalisation."""

    path: str
