"""The data sets by name, and how a set becomes what a training takes: split, limited, resized, counted."""

import dataclasses
import math
import os
import pathlib
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from resnet.config import near
from resnet.data.dataset import DataSet, FileSplit, Split, digest_of
from resnet.data.decoding import sampled_images
from resnet.data.labels import stratified
from resnet.data.sources.cifar import load_cifar10, load_cifar100
from resnet.data.sources.content import Content, Request
from resnet.data.sources.digits import load_digits
from resnet.data.sources.fake import make_fake
from resnet.data.sources.fashion_mnist import load_fashion_mnist
from resnet.data.sources.folder import IMAGENET_STATISTICS, load_folder


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the images of a set come from."""

    summary: str
    load: Callable[[Request], Content]
    takes_path: bool = True
    downloads: bool = False
    """Whether torchvision can download the set."""


SETS: Final[dict[str, Source]] = {
    "fashion-mnist": Source(
        summary="70,000 grey images of clothes, 28 pixels, 10 classes",
        load=load_fashion_mnist,
        downloads=True,
    ),
    "cifar10": Source(summary="60,000 colour images, 32 pixels, 10 classes", load=load_cifar10, downloads=True),
    "cifar100": Source(summary="60,000 colour images, 32 pixels, 100 classes", load=load_cifar100, downloads=True),
    "imagenet": Source(summary="1.3 million photographs in the folders train and val, 1,000 classes", load=load_folder),
    "digits": Source(summary="1,797 grey digits of scikit-learn, 8 pixels", load=load_digits, takes_path=False),
    "fake": Source(summary="noise: for throughput only, nothing can be learned", load=make_fake, takes_path=False),
}
"""Data sets by name; the path of a folder with class folders is a set too."""
IMAGENET: Final = "imagenet"
"""The set whose statistics are published."""
_FOLDER: Final = Source(summary="a folder of images", load=load_folder)
_RESIZED_AT_ONCE: Final = 4096
_MEASURED_FILES: Final = 256
"""Files that give the statistics of a folder: a sample of 256 photographs knows a mean to about 1 % of the range."""


def load_data(
    name: str,
    *,
    path: str | os.PathLike[str] | None = None,
    image_size: int | None = None,
    hold_out: float = 0.0,
    limit: int | None = None,
    seed: int = 0,
    download: bool = False,
) -> DataSet:
    """Return a data set.

    Args:
        name: A name of `SETS`, or the path of a folder with class folders in ``train/`` and ``val/``.
        path: Folder of the set's files, where they are not in a usual one.
        image_size: Height and width in pixels to resize images to; None keeps the usual size of the set.
        hold_out: Share of the training images to validate on instead of the official validation images. Classes keep
            their proportions. 0 takes the official images; ``digits`` has none, and holds out a fifth.
        limit: At most this many training and this many validation images, with the classes in proportion.
        seed: Decides which images are held out or left out, and the noise of ``fake``.
        download: Let torchvision download the set if its files are missing.

    Raises:
        ValueError: The data are not there, or damaged, or an argument is out of range; the message says what to do.
    """
    _check(image_size, hold_out, limit, seed)
    source, title, folder = _source(name, path, download=download)
    content = source.load(Request(path=folder, download=download, image_size=image_size, seed=seed))
    train, validation, held_out = _divided(content, title, hold_out, seed)
    if limit is not None:
        train = train.subset(stratified(train.labels, limit, seed))
        validation = validation.subset(stratified(validation.labels, limit, seed))
    size = image_size or content.image_size
    train, validation = _resized(train, size), _resized(validation, size)
    mean, std = IMAGENET_STATISTICS if name == IMAGENET else split_statistics(train, size)
    return DataSet(
        name=title,
        classes=content.classes,
        train=train,
        validation=validation,
        mean=mean,
        std=std,
        image_size=size,
        in_channels=content.in_channels,
        digest=digest_of(train, validation),
        held_out=held_out,
        note=content.note,
    )


def _check(image_size: int | None, hold_out: float, limit: int | None, seed: int) -> None:
    for word, value, least in (("image_size", image_size, 1), ("limit", limit, 1), ("seed", seed, 0)):
        if value is not None and value < least:
            raise ValueError(f"{word} must be at least {least}, not {value}")
    if not 0 <= hold_out < 1:
        raise ValueError(f"hold_out must be a share of at least 0 and below 1, not {hold_out}")


def _source(
    name: str, path: str | os.PathLike[str] | None, *, download: bool
) -> tuple[Source, str, pathlib.Path | None]:
    """Return the source of a set, the set's name, and the folder of its files if it is given."""
    choices = [key for key, source in SETS.items() if source.downloads]
    if download and name not in choices:
        raise ValueError(f"torchvision cannot download {name!r} (choices: {', '.join(choices)})")
    if name in SETS:
        if path is not None and not SETS[name].takes_path:
            raise ValueError(f"the data set {name!r} is made here and takes no path")
        return SETS[name], name, None if path is None else pathlib.Path(path)
    if os.sep not in name and not pathlib.Path(name).is_dir():
        raise ValueError(
            f"unknown data set {name!r}{near(name, tuple(SETS))} "
            f"(choices: {', '.join(SETS)}, or the path of a folder of images)"
        )
    if path is not None:
        raise ValueError(f"the data set {name!r} is a path already; leave out {os.fspath(path)!r}")
    return _FOLDER, pathlib.Path(name).resolve().name or name, pathlib.Path(name)


def _divided(
    content: Content, title: str, hold_out: float, seed: int
) -> tuple[Split | FileSplit, Split | FileSplit, bool]:
    """Return training images, validation images, and whether the latter are held out of the former."""
    if content.validation is not None and not hold_out:
        return content.train, content.validation, False
    share = hold_out or content.hold_out
    if not share:
        raise ValueError(
            f"the data set {title!r} has no validation images in a folder val/; hold out a share of the training "
            "images, such as 0.1"
        )
    labels = content.train.labels
    chosen = stratified(labels, max(1, round(share * len(labels))), seed)
    rest = torch.ones(len(labels), dtype=torch.bool)
    rest[chosen] = False
    return content.train.subset(rest.nonzero()[:, 0]), content.train.subset(chosen), True


def _resized(split: Split | FileSplit, size: int) -> Split | FileSplit:
    """Return images in memory with another height and width; files are resized when they are decoded."""
    if isinstance(split, FileSplit) or tuple(split.images.shape[2:]) == (size, size):
        return split
    parts = [
        functional.interpolate(part, (size, size), mode="bilinear", antialias=True)
        for part in (split.images[at : at + _RESIZED_AT_ONCE] for at in range(0, len(split), _RESIZED_AT_ONCE))
    ]
    return Split(images=torch.cat(parts), labels=split.labels)


def split_statistics(split: Split | FileSplit, size: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return `channel_statistics` of all images in memory, or of a sample of files at `size` pixels a side."""
    images = split.images if isinstance(split, Split) else sampled_images(split, size, _MEASURED_FILES)
    return channel_statistics(images)


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel of uint8 images, where pixels lie in [0, 1].

    The sums are integers, so the values are the same everywhere. A channel without any variation gets 1.
    """
    values = torch.arange(256)
    means, deviations = [], []
    for channel in images.unbind(1):
        counts = torch.bincount(channel.flatten(), minlength=256)
        pixels, total, squares = (int((counts * values**power).sum()) for power in range(3))
        means.append(total / pixels / 255)
        deviations.append(math.sqrt(squares * pixels - total**2) / pixels / 255 or 1.0)
    return tuple(means), tuple(deviations)
