"""Batches of a split, shuffled, augmented and normalised on their device."""

import functools
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from resnet.data.augmentation import Draws, crop, draw, erase, flip
from resnet.data.dataset import DataSet, FileSplit, Split
from resnet.data.decoding import FileLoader
from resnet.data.policy import Augmentation

MEMORY_FORMATS: Final = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
"""Memory formats by the names of the layouts."""
_ORDER: Final = 2**16
"""Stream of random numbers of the order, apart from those of the augmentation: recipes share the order of a seed."""


class Batches:
    """Batches of a split, epoch by epoch.

    Order and augmentation depend on seed, epoch and position only. So a resumed run sees the same images to the bit,
    and so does a run with another number of workers. Images in memory go to the device once, as uint8; each batch is
    a slice of them. Files are decoded by `workers` processes.

    Args:
        split: The images.
        data: The set of the split; its mean and standard deviation normalise the images.
        batch_size: Images of a batch; the last one may have fewer, unless `drop_last`.
        augmentation: What happens to images at random; None for nothing, as in validation.
        seed: An integer of at least 0.
        device: Where the batches are needed.
        layout: ``nchw``, or ``nhwc`` for channels_last.
        shuffle: Draw a new order in each epoch, else keep the order of the split.
        drop_last: Leave out the images that fill no batch.
        workers: Processes that decode files; images in memory need none.

    Raises:
        ValueError: An argument is out of range, or does not fit the others.
    """

    def __init__(
        self,
        split: Split | FileSplit,
        data: DataSet,
        *,
        batch_size: int,
        augmentation: Augmentation | None = None,
        seed: int,
        device: str | torch.device = "cpu",
        layout: str = "nchw",
        shuffle: bool,
        drop_last: bool,
        workers: int = 0,
    ) -> None:
        _check(batch_size, seed, layout, workers)
        if drop_last and len(split) < batch_size:
            raise ValueError(
                f"{len(split)} training images of {data.name!r} are fewer than one batch of {batch_size}; "
                "choose a smaller batch size"
            )
        self.augmentation = augmentation or Augmentation()
        self._count, self._batch_size, self._seed = len(split), batch_size, seed
        self._shuffle, self._drop_last = shuffle, drop_last
        self._device = torch.device(device)
        self._format = MEMORY_FORMATS[layout]
        self._image_size = data.image_size
        self._labels = split.labels.to(self._device)
        self._scale, self._offset = self._normalisation(data)
        if isinstance(split, FileSplit):
            self._source: FileLoader | Tensor = FileLoader(
                split,
                image_size=data.image_size,
                random_crop=self.augmentation.random_resized_crop,
                seed=seed,
                workers=workers,
                pin=self._device.type == "cuda",
            )
        elif self.augmentation.random_resized_crop:
            raise ValueError("random_resized_crop needs a folder of images; for images in memory choose crop_padding")
        else:
            self._source = split.images.to(self._device)

    def _normalisation(self, data: DataSet) -> tuple[Tensor, Tensor]:
        """Return factor and summand of each channel that make normalised pixels of those from 0 to 255."""
        mean, std = (np.array(values)[:, None, None] for values in (data.mean, data.std))
        scale, offset = 1 / (255 * std), -mean / std
        return tuple(torch.from_numpy(each).float().to(self._device) for each in (scale, offset))  # type: ignore[return-value]

    def __len__(self) -> int:
        """Return the batches of an epoch."""
        return self._count // self._batch_size if self._drop_last else -(-self._count // self._batch_size)

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the images and labels of an epoch's batches from batch `start` on, which costs no earlier batch.

        Images are normalised float32 of shape (n, channels, height, width), labels int64 of shape (n,).

        Raises:
            ValueError: `number` or `start` is out of range, or a file cannot be decoded.
        """
        if number < 0 or not 0 <= start <= len(self):
            raise ValueError(f"no batch {start} in epoch {number}; an epoch has {len(self)} batches")
        return self._batches(number, start)

    def _batches(self, number: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = self._order(number)
        draws = draw(self.augmentation, order, image_size=self._image_size, seed=self._seed, epoch=number)
        draws = draws.to(self._device)
        parts = self._parts(order.to(self._device), start)
        if isinstance(self._source, Tensor):
            stored: Iterator[Tensor] = map(functools.partial(torch.index_select, self._source, 0), parts)
        else:
            stored = self._source.batches(number, self._parts(order, start))
        for index, (images, part) in enumerate(zip(stored, parts, strict=True), start=start):
            begin = index * self._batch_size
            moved = images.to(self._device, non_blocking=True)
            yield self._augmented(moved, draws.part(begin, begin + len(part))), self._labels[part]

    def _parts(self, order: Tensor, start: int) -> tuple[Tensor, ...]:
        """Return the indices of each batch from `start` on."""
        size = self._batch_size
        return tuple(order[begin : begin + size] for begin in range(start * size, len(self) * size, size))

    def _augmented(self, images: Tensor, draws: Draws) -> Tensor:
        """Return uint8 images as a batch for the network."""
        if draws.shifts is not None:
            images = crop(images, draws.shifts, self.augmentation.crop_padding)
        if draws.flips is not None:
            images = flip(images, draws.flips)
        images = images.float().mul_(self._scale).add_(self._offset)
        if draws.boxes is not None:
            images = erase(images, draws.boxes)
        return images.contiguous(memory_format=self._format)

    def _order(self, number: int) -> Tensor:
        if not self._shuffle:
            return torch.arange(self._count)
        return torch.from_numpy(np.random.default_rng((self._seed, _ORDER, number)).permutation(self._count))


def _check(batch_size: int, seed: int, layout: str, workers: int) -> None:
    for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0), ("workers", workers, 0)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
    if layout not in MEMORY_FORMATS:
        raise ValueError(f"unknown layout {layout!r} (choices: {', '.join(MEMORY_FORMATS)})")
