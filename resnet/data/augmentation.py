"""Augmentation of whole batches on their device. The random numbers of an epoch are drawn at once, on the CPU.

Drawing ahead makes an image's augmentation a function of seed, epoch and position, on every device, and spares an
accelerator a synchronisation in each batch.
"""

import dataclasses
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from resnet.data.policy import Augmentation

ERASED_AREA: Final = (0.02, 0.33)
"""Least and greatest share of an image that random erasing blanks, as torchvision has it."""
ERASED_RATIO: Final = (0.3, 3.3)
"""Least and greatest height over width of the blanked box (Zhong 2017)."""
_FLIP, _CROP, _ERASE, _ALTERNATE = range(4)
"""Streams of random numbers: a step of the augmentation draws the same, whatever other steps there are."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Random numbers of an epoch for the images in their order; None for a step that there is not."""

    flips: Tensor | None
    """bool of shape (n,): whether an image is mirrored."""
    shifts: Tensor | None
    """int64 of shape (n, 2): first row and column of the window in the padded image."""
    boxes: Tensor | None
    """int64 of shape (n, 4): top, left, height and width of the blanked box; height 0 for none."""

    def part(self, start: int, stop: int) -> "Draws":
        """Return the random numbers of the images from `start` to `stop`."""
        return Draws(**{name: None if all_ is None else all_[start:stop] for name, all_ in self._items()})

    def to(self, device: torch.device) -> "Draws":
        """Return the random numbers on a device."""
        return Draws(**{name: None if all_ is None else all_.to(device) for name, all_ in self._items()})

    def _items(self) -> tuple[tuple[str, Tensor | None], ...]:
        return (("flips", self.flips), ("shifts", self.shifts), ("boxes", self.boxes))


def draw(augmentation: Augmentation, order: Tensor, *, image_size: int, seed: int, epoch: int) -> Draws:
    """Return the random numbers of an epoch, on the CPU.

    Args:
        augmentation: The steps that need random numbers.
        order: Indices of the images in the order of the epoch, int64 of shape (n,).
        image_size: Height and width of an image in pixels.
        seed: With `epoch`, decides the numbers.
        epoch: Number of the epoch.
    """
    count = len(order)
    flips = shifts = boxes = None
    if augmentation.flip:
        flips = torch.from_numpy(_random(seed, _FLIP, epoch).random(count) < 0.5)
    if augmentation.alternating_flip:
        first = _random(seed, _ALTERNATE).random(count) < 0.5
        flips = torch.from_numpy(first ^ bool(epoch % 2))[order]
    if augmentation.crop_padding:
        most = 2 * augmentation.crop_padding
        shifts = torch.from_numpy(_random(seed, _CROP, epoch).integers(0, most, (count, 2), endpoint=True))
    if augmentation.erasing:
        boxes = _boxes(_random(seed, _ERASE, epoch), count, augmentation.erasing, image_size)
    return Draws(flips=flips, shifts=shifts, boxes=boxes)


def _random(*words: int) -> np.random.Generator:
    # numpy hashes the words to a state, so that neighbouring seeds have nothing in common.
    return np.random.default_rng(words)


def _boxes(random: np.random.Generator, count: int, probability: float, image_size: int) -> Tensor:
    happens, area, ratio, top, left = random.random((5, count))
    pixels = image_size**2 * (ERASED_AREA[0] + area * (ERASED_AREA[1] - ERASED_AREA[0]))
    shape = np.exp(np.log(ERASED_RATIO[0]) + ratio * np.log(ERASED_RATIO[1] / ERASED_RATIO[0]))
    height = np.clip(np.round(np.sqrt(pixels * shape)), 1, image_size) * (happens < probability)
    width = np.clip(np.round(np.sqrt(pixels / shape)), 1, image_size)
    boxes = (top * (image_size - height + 1), left * (image_size - width + 1), height, width)
    return torch.from_numpy(np.stack(boxes, axis=1).astype(np.int64))


def crop(images: Tensor, shifts: Tensor, padding: int) -> Tensor:
    """Return the window of each image that its shift chooses, after padding with black.

    Args:
        images: Shape (n, channels, height, width), as the result has it.
        shifts: int64 of shape (n, 2), from 0 to 2 · `padding`; `padding` leaves an image where it is.
        padding: Pixels on each side.
    """
    count, channels, height, width = images.shape
    padded = functional.pad(images, (padding,) * 4)
    of_image, of_channel, of_row, of_column = padded.stride()
    numbers = torch.arange(count, device=images.device)
    first = numbers * of_image + shifts[:, 0] * of_row + shifts[:, 1] * of_column
    # A view of the windows that begin at each pixel. To select from it copies rows, and is several times faster than
    # indexing, which looks each pixel up.
    reach = (channels - 1) * of_channel + (height - 1) * of_row + (width - 1) * of_column
    windows = padded.as_strided((padded.numel() - reach, channels, height, width), (1, of_channel, of_row, of_column))
    return windows.index_select(0, first)


def flip(images: Tensor, flips: Tensor) -> Tensor:
    """Return images of shape (n, channels, height, width), mirrored left and right where `flips` says so."""
    both = torch.cat((images, images.flip(-1)))
    numbers = torch.arange(len(images), device=images.device)
    return both.index_select(0, numbers + len(images) * flips)  # copies whole images: faster than torch.where


def erase(images: Tensor, boxes: Tensor) -> Tensor:
    """Return normalised images with 0, the mean colour, in the box of each image."""
    top, left, height, width = (column[:, None] for column in boxes.unbind(1))
    rows = torch.arange(images.shape[2], device=images.device)
    columns = torch.arange(images.shape[3], device=images.device)
    in_rows = ((rows >= top) & (rows < top + height)).to(images.dtype)
    in_columns = ((columns >= left) & (columns < left + width)).to(images.dtype)
    inside = in_rows[:, None, :, None] * in_columns[:, None, None, :]  # of 0 and 1: faster than booleans on a CPU
    return images * (1 - inside)
