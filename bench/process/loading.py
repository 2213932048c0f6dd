"""What parent and worker say about loading data: for each verb a request and an answer."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from bench.process.messages import Request
from results.schema.types import Name, Patience, Seconds, Size, StepSeconds, Text

LoaderWorkers = Annotated[int, Meta(ge=0, le=4096)]
"""Processes of a `DataLoader`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataOpened:
    """A data set whose sample was read, decoded and transformed once."""

    images: Size
    """Images of the data set."""
    sample: Size
    """Images that are loaded from now on."""
    image_size: Size
    in_channels: Size
    image_bytes: Size | None
    """Mean size of a file of the sample; None for images in memory."""
    decoder: Name | None
    """The decoder with its version; None for images in memory."""
    paths: tuple[Literal["DataLoader", "slices"], ...]
    """Paths on which its batches can be loaded."""
    nulls: dict[str, Text]
    """Reason of each stage that the data or the device lacks."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenData(Request[DataOpened]):
    """Open a data set, and load a sample of it once, so that the system's cache holds its files."""

    data: Text
    """Name of a data set, or a folder of images."""
    path: Text | None
    """Folder of the data set's files; None for the usual one."""
    image_size: Size | None
    batch_size: Size
    device: Name
    threads: Size
    decoder: Name


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StagesTimed:
    """The cost of the stages."""

    image_s: dict[str, StepSeconds]
    """Seconds of an image in each stage."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TimeStages(Request[StagesTimed]):
    """Time each stage on the same images, in a single process with a single thread."""

    seconds: Patience


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BatchesTimed:
    """The rate of a path."""

    first_batch_s: Seconds
    image_s: StepSeconds
    """Seconds of an image once batches come steadily."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TimeBatches(Request[BatchesTimed]):
    """Load batches from a fresh start on, first untimed, then timed."""

    path: Literal["DataLoader", "slices"]
    workers: LoaderWorkers
    seconds: Patience
