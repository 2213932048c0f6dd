"""What is asked of `loader`, and what follows from it: numbers of workers, the network to feed, notes."""

import dataclasses
import itertools
import pathlib
from typing import Final

from bench.machine.cpu import usable_cores
from bench.machine.device_names import is_cpu
from bench.process.loading import DataOpened
from bench.suites import models
from results.errors import InputError
from results.schema.axes import BASELINE
from results.schema.case import Case

FED_MODEL: Final = "resnet18"
"""The network to feed, if nobody names another."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoadingRequest:
    """What to load, how, and for which network."""

    data: str
    """Name of a data set, or a folder of images."""
    path: pathlib.Path | None = None
    """Folder of the data set's files; None for the usual one."""
    workers: tuple[int, ...] | None = None
    """Numbers of workers, None for 0, 1, 2, 4… up to the usable cores, as long as more are faster."""
    batch_size: int = 64
    image_size: int | None = None
    """Pixels a side; None for 224 of files, and for the size of images in memory."""
    model: str | None = None
    """The network to feed; None for `FED_MODEL`. Small images feed its twin with the cifar stem, as `train` has it."""
    precision: str = "fp32"
    decoder: str = "pillow"
    seconds: float = 1.0
    """Seconds of each measurement, of which every figure has `REPETITIONS`."""

    def __post_init__(self) -> None:
        if self.workers is not None and (not self.workers or min(self.workers) < 0):
            raise InputError("workers should be whole numbers >= 0, such as 0,1,2,4")
        if self.model is not None:
            models.check(self.model)


def worker_counts(cores: int) -> tuple[int, ...]:
    """Return the numbers of workers to try by default: 0, powers of two below `cores`, and `cores`."""
    powers = itertools.takewhile(lambda count: count < cores, (2**power for power in itertools.count()))
    return (0, *powers, cores)


def network_case(request: LoadingRequest, opened: DataOpened, device: str, threads: int) -> Case:
    """Return the case of the network that the loader feeds.

    Raises:
        InputError: the images are too small for the network, or it is a peer.
    """
    model, _ = models.for_images(request.model or FED_MODEL, opened.image_size)
    return Case(
        model=model,
        task="training",
        batch_size=request.batch_size,
        image_size=opened.image_size,
        in_channels=opened.in_channels,
        device=device,
        threads=threads,
        **{**BASELINE, "precision": request.precision},  # type: ignore[arg-type] # the settings by their names
    )


def loading_notes(request: LoadingRequest, opened: DataOpened, device: str) -> tuple[str, ...]:
    """Return what a reader of the figures should know."""
    cores, most = usable_cores(), max(request.workers or (0,))
    notes = []
    if is_cpu(device):
        notes.append("the network and the workers share the cores of the CPU: together both are slower than alone")
    if opened.sample < request.batch_size:
        notes.append(f"a batch of {request.batch_size} holds the {opened.sample} images more than once")
    if most > 2 * cores:
        notes.append(f"{most} workers are more than two for each of the {cores} usable cores")
    return tuple(notes)
