"""Loading data, a kind of line of a run file: how fast images come, and how fast a network takes them."""

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from results.schema.case import Case
from results.schema.types import Count, Name, Seconds, Size, StepSeconds, Stored, Text

LOADING_STAGES: Final = ("read", "decode", "transform", "collate", "transfer", "augment")
"""The stages of loading a batch, in their order: the bytes of each file, its pixels, its crop at the right size; then
one tensor of the batch, its copy on the device, and there its mirroring and normalisation."""

ImageSeconds = Annotated[tuple[StepSeconds, ...], Meta(min_length=2)]
"""Seconds of an image, a mean in each repetition. All figures of a line have the same repetitions, in this order."""


class LoadingStage(Stored, frozen=True, kw_only=True):
    """The cost of a stage in a single process with a single thread."""

    name: Literal[LOADING_STAGES]  # type: ignore[valid-type] # the choices are declared once
    image_s: ImageSeconds | None
    """None where the data or the device has no such stage; `Loading.nulls` has the reason under its name."""


class LoadingRate(Stored, frozen=True, kw_only=True):
    """The rate of all stages together, on a path."""

    path: Literal["DataLoader", "slices"]
    """``slices``: whole batches are cut from a tensor that holds all images, without a `DataLoader`."""
    workers: Count
    """Processes of the `DataLoader`; 0: the process that trains loads the images itself."""
    first_batch_s: Annotated[tuple[Seconds, ...], Meta(min_length=2)]
    """Seconds until the first batch, which starts the workers, in each repetition; `image_s` leaves them out."""
    image_s: ImageSeconds


class Loading(Stored, frozen=True, kw_only=True):
    """The loading of a data set, and the need of a network on this device."""

    data: Name
    """Name of the data set, or of the folder."""
    images: Size
    """Images of the data set."""
    sample: Size
    """Images that were loaded, in turns; all had been read before, so that the system's cache holds their files."""
    image_bytes: Size | None
    """Mean size of a file; None for images in memory."""
    decoder: Name | None
    """Decoder with its version; None for images in memory."""
    network: Case
    """The network that trains on these images, and how it is computed; it has the batch size of the loader."""
    network_image_s: ImageSeconds | None
    """Seconds of an image in a training step on random images that lie on the device: nothing is loaded."""
    stages: tuple[LoadingStage, ...]
    rates: Annotated[tuple[LoadingRate, ...], Meta(min_length=1)]
    left_out: tuple[Count, ...] = ()
    """Numbers of workers that were not measured, as fewer workers were slower already than still fewer."""
    started: Name
    """ISO 8601, UTC."""
    duration_s: Seconds
    notes: tuple[Text, ...] = ()
    nulls: dict[str, Text] = field(default_factory=dict)
    """Reason of each value that is missing."""
