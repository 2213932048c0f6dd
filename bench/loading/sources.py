"""Open a data set for timing: the stages of its images, and its batches on each path."""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from torch.utils.data import DataLoader, default_collate

from bench.loading.decoders import open_decoder
from bench.loading.images import FileImages, MemoryImages, StagedImages, image_files
from bench.loading.timing import AHEAD, Stage
from bench.machine.device_names import is_cpu
from bench.process.loading import DataOpened, OpenData
from resnet.data import SETS, Augmentation, Batches, DataSet, FileSplit, Split, load_data
from resnet.data.augmentation import flip
from results.errors import InputError, suggestion
from results.schema.types import Text

_SEED: Final = 0
MOST_SAMPLE: Final = 512
"""The most files that are loaded, in turns: to decode all of a large folder once would take hours."""
EPOCH: Final = 1000
"""Batches of an epoch of files: workers run dry at its end, which must not come while batches are timed."""
IMAGE_SIZE: Final = 224
"""Pixels a side of images from a folder by default."""
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's channels: their values do not change the speed."""
PILLOW: Final = "pillow"
"""The decoder of `resnet.data.Batches`."""
_IN_MEMORY: Final = "the images lie in memory, decoded"
_ON_CPU: Final = "the CPU is the device: nothing is transferred"
_WITH_IMAGE: Final = "images in memory are augmented one by one, in the stage transform"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An open data set."""

    images: StagedImages
    data: DataSet
    batch_size: int
    device: str
    own_loader: bool
    """Whether batches come from a loader of this module, and not from that of `resnet.data.Batches`."""

    @property
    def image(self) -> tuple[Stage, ...]:
        """The stages of an image."""
        return self.images.stages

    @property
    def batch(self) -> tuple[Stage, ...]:
        """The stages of a batch."""
        stages = [Stage("collate", default_collate)]
        if not is_cpu(self.device):
            stages.append(Stage("transfer", lambda batch: self._moved([part.pin_memory() for part in batch])))
        if isinstance(self.images, FileImages):
            stages.append(Stage("augment", self._normaliser()))
        return tuple(stages)

    def order(self) -> Iterator[list[int]]:
        """Yield the indices of the images of each batch, without end: every image once before any comes again."""
        generator = torch.Generator().manual_seed(_SEED)
        count = len(self.images)  # type: ignore[arg-type] # torch declares no length
        rounds = (torch.randperm(count, generator=generator).tolist() for _ in itertools.count())
        indices = itertools.chain.from_iterable(rounds)
        while True:
            yield list(itertools.islice(indices, self.batch_size))

    def batches(self, path: str, workers: int) -> Iterator[int]:
        """Load batches on a path, without end; yield the number of images of each, once it is normalised on the device.

        Args:
            path: ``DataLoader``, or ``slices`` for images in memory.
            workers: processes of the `DataLoader`.
        """
        batches = self._own_batches(workers) if path == "DataLoader" and self.own_loader else self._batches(workers)
        for images, _ in batches:
            yield len(images)

    def _batches(self, workers: int) -> Iterator[Any]:
        """Yield the batches of a training."""
        files = isinstance(self.data.train, FileSplit)
        padded = 0 if files else padding(self.data.image_size)
        batches = Batches(
            self.data.train,
            self.data,
            batch_size=self.batch_size,
            augmentation=Augmentation(crop_padding=padded, flip=True, random_resized_crop=files),
            seed=_SEED,
            device=self.device,
            shuffle=True,
            drop_last=True,
            workers=workers,
        )
        return itertools.chain.from_iterable(batches.epoch(number) for number in itertools.count())

    def _own_batches(self, workers: int) -> Iterator[Any]:
        """Yield batches of images that a `DataLoader` loads one by one."""
        loader: DataLoader[Any] = DataLoader(
            self.images,
            batch_sampler=_Endless(self.order),
            num_workers=workers,
            prefetch_factor=AHEAD if workers else None,
            pin_memory=not is_cpu(self.device),
            multiprocessing_context="fork" if workers else None,  # the stages are functions, which no pickle can hold
        )
        finish = self._normaliser() if isinstance(self.images, FileImages) else lambda batch: batch
        return (finish(self._moved(batch)) for batch in loader)

    def _moved(self, batch: list[torch.Tensor]) -> list[torch.Tensor]:
        return [part.to(self.device, non_blocking=True) for part in batch]

    def _normaliser(self) -> Callable[[list[torch.Tensor]], list[torch.Tensor]]:
        """Return the function that mirrors and normalises a batch of uint8 on the device, as `Batches` does."""
        mean, std = (
            torch.tensor(values, device=self.device)[:, None, None] for values in (self.data.mean, self.data.std)
        )
        scale, offset = 1 / (255 * std), -mean / std

        def normalised(batch: list[torch.Tensor]) -> list[torch.Tensor]:
            images, labels = batch
            mirrored = flip(images, torch.rand(len(images), device=images.device) < 0.5)
            return [mirrored.float().mul_(scale).add_(offset), labels]

        return normalised


class _Endless:
    """An order of batches that never ends, as `DataLoader` takes it."""

    def __init__(self, order: Callable[[], Iterator[list[int]]]) -> None:
        self._order = order

    def __iter__(self) -> Iterator[list[int]]:
        return self._order()


def padding(image_size: int) -> int:
    """Return the pixels around an image before a random crop: 4 of 32 (He 2015, section 4.2), others in proportion."""
    return max(1, image_size // 8)


def open_source(request: OpenData) -> tuple[Source, DataOpened]:
    """Open the data set of `request`, and load every image of its sample once.

    Raises:
        InputError: the data set does not exist or is empty, or a file is no image.
    """
    if request.data not in SETS:
        folder = pathlib.Path(request.data)
        if not folder.is_dir():
            near = suggestion(request.data, SETS)
            known = ", ".join(SETS)
            raise InputError(f"no folder and no data set {request.data[:80]!r}{near} (data sets: {known})")
        return _open_files(request, request.data, image_files(folder), IMAGE_SIZE)
    try:
        data = load_data(request.data, path=request.path, image_size=request.image_size)
    except ValueError as error:
        raise InputError(str(error)) from error
    if isinstance(data.train, FileSplit):
        return _open_files(request, data.name, data.train.paths, data.image_size)
    return _open_memory(request, data, data.train)


def _open_memory(request: OpenData, data: DataSet, split: Split) -> tuple[Source, DataOpened]:
    if len(split) < request.batch_size:
        raise InputError(f"{len(split)} images are fewer than a batch of {request.batch_size}; give --batch-size")
    source = Source(
        images=MemoryImages(data, split, padding(data.image_size)),
        data=data,
        batch_size=request.batch_size,
        device=request.device,
        own_loader=True,
    )
    opened = DataOpened(
        images=len(split),
        sample=len(split),
        image_size=data.image_size,
        in_channels=data.in_channels,
        image_bytes=None,
        decoder=None,
        paths=("DataLoader", "slices"),
        nulls={"read": _IN_MEMORY, "decode": _IN_MEMORY, "augment": _WITH_IMAGE, **_transfer_nulls(request)},
    )
    return source, opened


def _open_files(request: OpenData, name: str, paths: tuple[str, ...], usual_size: int) -> tuple[Source, DataOpened]:
    size = request.image_size or usual_size
    decoder = open_decoder(request.decoder)
    chosen = torch.randperm(len(paths), generator=torch.Generator().manual_seed(_SEED))[:MOST_SAMPLE]
    sample = tuple(paths[index] for index in chosen.tolist())
    images = FileImages(sample, decoder, size)
    for index in range(len(sample)):
        _ = images[index]
    repeated = sample * -(-EPOCH * request.batch_size // len(sample))
    split = FileSplit(paths=repeated, labels=torch.zeros(len(repeated), dtype=torch.int64))
    data = DataSet(
        name=name,
        classes=("images", "none"),  # nobody learns from them here, but a data set has two
        train=split,
        validation=split,
        mean=MEAN,
        std=STD,
        image_size=size,
        in_channels=len(MEAN),
        digest="",
        held_out=False,
    )
    source = Source(
        images=images,
        data=data,
        batch_size=request.batch_size,
        device=request.device,
        own_loader=request.decoder != PILLOW,
    )
    opened = DataOpened(
        images=len(paths),
        sample=len(sample),
        image_size=size,
        in_channels=len(MEAN),
        image_bytes=max(1, sum(pathlib.Path(path).stat().st_size for path in sample) // len(sample)),
        decoder=decoder.name,
        paths=("DataLoader",),
        nulls=_transfer_nulls(request),
    )
    return source, opened


def _transfer_nulls(request: OpenData) -> dict[str, Text]:
    return {"transfer": _ON_CPU} if is_cpu(request.device) else {}
