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

ERASED_AREA: Final = (0.02, 0.33)
"""Least and greatest share of an image that random erasing blanks, as torchvision has it."""
ERASED_RATIO: Final = (0.3, 3.3)
"""Least and greatest height over width of the blanked box (Zhong 2017)."""
_FLIP, _CROP, _ERASE, _ALTERNATE = range(4)
"""Streams of random numbers: a step of the augmentation draws the same, whatever other steps there are."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What is done to training images at random; nothing by default.

    Raises:
        ValueError: A value is out of range, or two steps exclude each other.
    """

    crop_padding: int = 0
    """Black pixels around an image, from which a window of the image's size is cut at random (He 2015, §4.2)."""
    flip: bool = False
    """Mirror left and right with probability 1/2."""
    alternating_flip: bool = False
    """Mirror every image in every other epoch; chance decides which half of the images begins (Jordan 2024)."""
    random_resized_crop: bool = False
    """Cut a random box of a file's image, and resize it (Szegedy 2014); for folders of images."""
    erasing: float = 0.0
    """Probability that a random box of an image is blanked with the mean colour (Zhong 2017)."""

    def __post_init__(self) -> None:
        if not isinstance(self.crop_padding, int) or isinstance(self.crop_padding, bool) or self.crop_padding < 0:
            raise ValueError(f"crop_padding must be an integer of at least 0, not {self.crop_padding!r}")
        if not 0 <= self.erasing <= 1:
            raise ValueError(f"erasing must be a probability from 0 to 1, not {self.erasing!r}")
        if self.flip and self.alternating_flip:
            raise ValueError("flip and alternating_flip exclude each other; choose one of them")


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
    height = np.minimum(np.round(np.sqrt(pixels * shape)), image_size) * (happens < probability)
    width = np.minimum(np.round(np.sqrt(pixels / shape)), image_size)
    boxes = (top * (image_size - height + 1), left * (image_size - width + 1), height, width)
    return torch.from_numpy(np.stack(boxes, axis=1).astype(np.int64))


def crop(images: Tensor, shifts: Tensor, padding: int) -> Tensor:
    """Return the window of each image that its shift chooses, after padding with black.

    Args:
        images: Shape (n, channels, height, width), as the result has it.
        shifts: int64 of shape (n, 2), from 0 to 2 · `padding`; `padding` leaves an image where it is.
        padding: Pixels on each side.
    """
    height, width = images.shape[2:]
    padded = functional.pad(images, (padding,) * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view of all (2 · padding + 1)² windows
    numbers = torch.arange(len(images), device=images.device)
    return windows[numbers, :, shifts[:, 0], shifts[:, 1]]


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
    in_rows = (rows >= top) & (rows < top + height)
    in_columns = (columns >= left) & (columns < left + width)
    inside = in_rows[:, :, None] & in_columns[:, None, :]
    return images * (~inside[:, None]).to(images.dtype)
