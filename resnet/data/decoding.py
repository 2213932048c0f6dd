"""Files to images: decode with Pillow, resize and crop, in worker processes of torch's DataLoader."""

import os
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from resnet.config import SMALL_IMAGE
from resnet.data.dataset import FileSplit

CROPPED_AREA: Final = (0.08, 1.0)
"""Least and greatest share of an image that a random resized crop cuts out (Szegedy 2014)."""
CROPPED_RATIO: Final = (3 / 4, 4 / 3)
"""Least and greatest width over height of the cut."""
CROP_ATTEMPTS: Final = 10
"""Random boxes to try, as torchvision does, before the largest box in the middle is taken."""


def open_image(path: str) -> Image.Image:
    """Return a file's image as RGB.

    Raises:
        ValueError: The file is no image, or damaged; the message names it.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except UnidentifiedImageError as error:
        raise ValueError(f"cannot decode {path!r}: Pillow knows no such format; remove or replace the file") from error
    # On a damaged file Pillow raises many kinds of errors: OSError, SyntaxError, struct.error…
    except Exception as error:
        words = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"cannot decode {path!r}: {words}; remove or replace the file") from error


def sampled_images(files: FileSplit, size: int, count: int) -> Tensor:
    """Return the middles of up to `count` files, evenly spaced: uint8 (n, 3, size, size), the same in each process."""
    chosen = np.linspace(0, len(files) - 1, min(count, len(files))).round().astype(int)
    crops = [np.asarray(center_crop(open_image(files.paths[index]), size)) for index in chosen]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


def center_crop(image: Image.Image, size: int) -> Image.Image:
    """Return the middle of an image, `size` pixels a side, after resizing its shorter side to 8/7 of that.

    224 pixels of 256 are what ImageNet's published accuracies mean. Up to `SMALL_IMAGE` pixels, images lose no margin.
    """
    shorter = size if size <= SMALL_IMAGE else round(size * 256 / 224)
    scale = shorter / min(image.size)
    resized = image.resize(
        (max(shorter, int(image.width * scale)), max(shorter, int(image.height * scale))), Image.Resampling.BILINEAR
    )
    left, top = round((resized.width - size) / 2), round((resized.height - size) / 2)
    return resized.crop((left, top, left + size, top + size))


def random_resized_crop(image: Image.Image, size: int, random: np.random.Generator) -> Image.Image:
    """Return a random box of an image, resized to `size` pixels a side (Szegedy 2014; torchvision's procedure)."""
    left, top, width, height = _random_box(image.width, image.height, random)
    return image.crop((left, top, left + width, top + height)).resize((size, size), Image.Resampling.BILINEAR)


def _random_box(width: int, height: int, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Return left, top, width and height."""
    for _ in range(CROP_ATTEMPTS):
        area = width * height * random.uniform(*CROPPED_AREA)
        ratio = np.exp(random.uniform(*np.log(CROPPED_RATIO)))
        box_width, box_height = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if 0 < box_width <= width and 0 < box_height <= height:
            left = int(random.integers(0, width - box_width, endpoint=True))
            top = int(random.integers(0, height - box_height, endpoint=True))
            return left, top, box_width, box_height
    box_width = min(width, round(height * CROPPED_RATIO[1]))
    box_height = min(height, round(width / CROPPED_RATIO[0]))
    return (width - box_width) // 2, (height - box_height) // 2, box_width, box_height


def to_tensor(image: Image.Image) -> Tensor:
    """Return an image as uint8 of shape (channels, height, width)."""
    return torch.from_numpy(np.atleast_3d(np.array(image))).permute(2, 0, 1).contiguous()


class FileLoader:
    """Decodes files in batches; workers live on from epoch to epoch.

    Args:
        split: The files.
        image_size: Height and width in pixels to which images are cut.
        random_crop: Cut a random resized crop, else the middle.
        seed: With epoch and index of an image, decides its crop, whatever process decodes it.
        workers: Processes that decode; 0 decodes in this one.
        pin: Put batches into pinned memory, from which an accelerator copies asynchronously.
    """

    def __init__(
        self, split: FileSplit, *, image_size: int, random_crop: bool, seed: int, workers: int, pin: bool
    ) -> None:
        self._requests = _Requests()
        self._loader: DataLoader[Tensor | str] = DataLoader(
            _Images(split.paths, image_size, seed if random_crop else None),
            batch_sampler=self._requests,
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=_stack,
            pin_memory=pin,
            generator=torch.Generator(),  # else each epoch would draw a number from the generator of the training
        )

    def batches(self, epoch: int, parts: tuple[Tensor, ...]) -> Iterator[Tensor]:
        """Yield uint8 images of shape (n, 3, height, width) for the indices in each of `parts`.

        Raises:
            ValueError: A file cannot be decoded; the message names it.
        """
        self._requests.epoch, self._requests.parts = epoch, parts
        for images in self._loader:
            if isinstance(images, str):
                raise ValueError(images)  # noqa: TRY004 - the message of a file that cannot be decoded
            yield images


class _Requests(Sampler[list[tuple[int, int]]]):
    """What the loader decodes next: an epoch, and indices of images for each batch."""

    epoch = 0
    parts: tuple[Tensor, ...] = ()

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for part in self.parts:
            yield [(self.epoch, index) for index in part.tolist()]


class _Images(Dataset[Tensor | str]):
    """Images by epoch and index; a message in place of an image that cannot be decoded."""

    def __init__(self, paths: tuple[str, ...], size: int, crop_seed: int | None) -> None:
        # An array, as counting references to a million strings would copy their memory into every worker.
        self.paths = np.array([os.fsencode(path) for path in paths])
        self.size = size
        self.crop_seed = crop_seed

    def __getitem__(self, request: tuple[int, int]) -> Tensor | str:
        epoch, index = request
        try:
            image = open_image(os.fsdecode(self.paths[index]))
        except ValueError as error:  # raised in a worker it would come with the worker's traceback
            return str(error)
        if self.crop_seed is None:
            return to_tensor(center_crop(image, self.size))
        return to_tensor(random_resized_crop(image, self.size, np.random.default_rng((self.crop_seed, epoch, index))))


def _stack(items: list[Tensor | str]) -> Tensor | str:
    messages = [item for item in items if isinstance(item, str)]
    return messages[0] if messages else torch.stack([item for item in items if isinstance(item, Tensor)])
