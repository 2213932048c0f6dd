"""Images with labels: a split in memory, a split of files, and the data set of two splits."""

import dataclasses
import hashlib
import pathlib

import torch
from torch import Tensor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Images in memory, all of a size.

    Raises:
        ValueError: Images and labels do not fit each other.
    """

    images: Tensor
    """uint8 of shape (n, channels, height, width)."""
    labels: Tensor
    """int64 of shape (n,)."""

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                "images must be uint8 of shape (n, channels, height, width), "
                f"not {self.images.dtype} of shape {tuple(self.images.shape)}"
            )
        _check_labels(self.labels, len(self.images))

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor) -> "Split":
        """Return the images at `indices`."""
        return Split(images=self.images[indices], labels=self.labels[indices])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileSplit:
    """Image files, which are decoded when a batch needs them."""

    paths: tuple[str, ...]
    labels: Tensor
    """int64 of shape (n,)."""

    def __post_init__(self) -> None:
        _check_labels(self.labels, len(self.paths))

    def __len__(self) -> int:
        return len(self.paths)

    def subset(self, indices: Tensor) -> "FileSplit":
        """Return the files at `indices`."""
        return FileSplit(paths=tuple(self.paths[index] for index in indices.tolist()), labels=self.labels[indices])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataSet:
    """Images to train a classifier on, and images to validate it on.

    Raises:
        ValueError: A split is empty, there is only one class, or a label is out of range.
    """

    name: str
    classes: tuple[str, ...]
    """Name of each class; a label is its index."""
    train: Split | FileSplit
    validation: Split | FileSplit
    mean: tuple[float, ...]
    """Mean of each channel of the training images, where pixels lie in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation of each channel, likewise."""
    image_size: int
    """Height and width of the images in pixels, after resizing."""
    in_channels: int
    digest: str
    """SHA-256 of the images and labels; of a folder, of the labels and the files' names and sizes."""
    held_out: bool
    """Whether the validation images are a part of the training images, and not a split that somebody published."""
    note: str | None = None
    """What people must know of the set before they read a result."""

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise ValueError(
                f"the data set {self.name!r} has {len(self.classes)} class; a classifier needs two or more"
            )
        for kind, split in (("training", self.train), ("validation", self.validation)):
            if len(split) == 0:
                raise ValueError(f"the data set {self.name!r} has no {kind} images")
            self._check_range(kind, split.labels)
            if isinstance(split, Split):
                self._check_shape(kind, split.images)
        if not len(self.mean) == len(self.std) == self.in_channels:
            raise ValueError(
                f"the data set {self.name!r} needs a mean and a standard deviation of each of its "
                f"{self.in_channels} channels, not {len(self.mean)} and {len(self.std)}"
            )

    def _check_range(self, kind: str, labels: Tensor) -> None:
        wrong = (labels < 0) | (labels >= len(self.classes))
        if wrong.any():
            index = int(wrong.nonzero()[0])
            raise ValueError(
                f"the data set {self.name!r} has labels out of range: the label of {kind} image {index} is "
                f"{int(labels[index])}, and {len(self.classes)} classes have labels from 0 to {len(self.classes) - 1}"
            )

    def _check_shape(self, kind: str, images: Tensor) -> None:
        shape = (self.in_channels, self.image_size, self.image_size)
        if tuple(images.shape[1:]) != shape:
            raise ValueError(
                f"the data set {self.name!r} has {kind} images of shape {tuple(images.shape[1:])}, expected {shape}"
            )


def digest_of(*splits: Split | FileSplit) -> str:
    """Return the SHA-256 of images and labels; of files, of their labels, names and sizes.

    Raises:
        ValueError: A file cannot be read.
    """
    digest = hashlib.sha256()
    for split in splits:
        digest.update(split.labels.numpy().tobytes())
        if isinstance(split, Split):
            digest.update(repr(tuple(split.images.shape)).encode())
            digest.update(split.images.numpy().tobytes())
        else:
            for path in split.paths:
                file = pathlib.Path(path)
                digest.update(f"{file.name}\0{_size(file)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _size(path: pathlib.Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ValueError(f"cannot read {str(path)!r}: {error.strerror}") from error


def _check_labels(labels: Tensor, count: int) -> None:
    if labels.dtype != torch.int64 or tuple(labels.shape) != (count,):
        raise ValueError(
            f"labels must be int64 of shape ({count},), as many as images, not {labels.dtype} of shape "
            f"{tuple(labels.shape)}"
        )
