"""Images to load, each through its stages: from files, or from a tensor that holds them all."""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import PIL.Image
import torch
from torch.utils.data import Dataset
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms.v2 import (  # type: ignore[attr-defined] # torchvision's own way to export
    Compose,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    ToDtype,
)

from bench.loading.decoders import Decoder
from bench.loading.timing import Stage
from bench.measure.device import first_line
from resnet.data import DataSet, Split
from resnet.data.decoding import CROPPED_AREA, CROPPED_RATIO, random_resized_crop, to_tensor
from results.errors import InputError
from results.text import printable

Labelled = tuple[torch.Tensor, int]
"""An image and its label."""
_SEED: Final = 0


class StagedImages(Dataset[Labelled]):
    """Images that a `DataLoader` loads; indexing runs the stages of an image one after the other."""

    stages: tuple[Stage, ...]

    def __getitem__(self, index: int) -> Labelled:
        value: Any = index
        for stage in self.stages:
            value = stage.run(value)
        image: Labelled = value
        return image


class FileImages(StagedImages):
    """Images of files: uint8 of shape (3, size, size) from a random box, as training on a folder takes them.

    Args:
        paths: the files.
        decoder: from the bytes of a file to its pixels.
        size: height and width of an image in pixels.
    """

    def __init__(self, paths: Sequence[str], decoder: Decoder, size: int) -> None:
        self.paths = tuple(paths)
        self._decode = decoder.decode
        cut = RandomResizedCrop(size, scale=CROPPED_AREA, ratio=CROPPED_RATIO, antialias=True)
        random = np.random.default_rng(_SEED)

        def transform(pixels: Any) -> Labelled:
            if isinstance(pixels, PIL.Image.Image):
                return to_tensor(random_resized_crop(pixels, size, random)), 0
            return cut(pixels), 0

        self.stages = (Stage("read", self._read), Stage("decode", self._decoded), Stage("transform", transform))

    def __len__(self) -> int:
        return len(self.paths)

    def _read(self, index: int) -> tuple[str, bytes]:
        path = self.paths[index]
        try:
            return path, pathlib.Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {printable(path)}: {error.strerror}") from None

    def _decoded(self, file: tuple[str, bytes]) -> Any:
        path, data = file
        try:
            return self._decode(data)
        except Exception as error:  # decoders raise errors of many kinds for a damaged file
            raise InputError(
                f"cannot decode {printable(path)}: {first_line(error)}; remove or replace the file"
            ) from error


class MemoryImages(StagedImages):
    """Images in memory, cropped, mirrored and normalised one by one: what slices do to whole batches.

    Args:
        data: the data set, whose mean and standard deviation normalise the images.
        split: its images.
        padding: pixels around an image before a random crop of its size.
    """

    def __init__(self, data: DataSet, split: Split, padding: int) -> None:
        self._split = split
        transform: Callable[[torch.Tensor], torch.Tensor] = Compose(
            [
                RandomCrop(data.image_size, padding=padding),
                RandomHorizontalFlip(),
                ToDtype(torch.float32, scale=True),
                Normalize(data.mean, data.std),
            ]
        )
        self.stages = (Stage("transform", lambda index: (transform(split.images[index]), int(split.labels[index]))),)

    def __len__(self) -> int:
        return len(self._split)


def image_files(folder: pathlib.Path) -> tuple[str, ...]:
    """Return the image files below a folder, or below its subfolder ``train`` where it has one, in order.

    Raises:
        InputError: the folder holds no image.
    """
    below = folder / "train" if (folder / "train").is_dir() else folder
    files = sorted(
        os.path.join(parent, name)  # noqa: PTH118 - of a million files
        for parent, _, names in os.walk(below, followlinks=True)
        for name in names
        if name.lower().endswith(IMG_EXTENSIONS)
    )
    if not files:
        raise InputError(f"{printable(str(below))} holds no image ({', '.join(IMG_EXTENSIONS)})")
    return tuple(files)
