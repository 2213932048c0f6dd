"""Folders of images, one folder a class, as torchvision's ImageFolder and ImageNet have them."""

import os
import pathlib
from typing import Final

import torch

from resnet.data.dataset import FileSplit
from resnet.data.sources.content import Content, Request

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""What image files end in; other files are ignored."""
IMAGENET_STATISTICS: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's channels, as torchvision has them; any folder is normalised by them."""
PHOTOGRAPH_SIZE: Final = 224
_MOST_NAMES: Final = 3
"""Class folders that a message names."""


def load_folder(request: Request) -> Content:
    """Return the class folders of ``train/`` and ``val/``; without ``train/``, those of the folder itself.

    Raises:
        ValueError: There is no such folder, a class has no image, or ``val/`` has other classes than ``train/``.
    """
    if request.path is None:
        raise ValueError("give the path of the folder that has the class folders in train/ and val/")
    root = request.path
    if not root.is_dir():
        raise ValueError(
            f"no folder {str(root)!r}; give the path of a folder that has class folders in train/ and val/"
        )
    train_root = root / "train" if (root / "train").is_dir() else root
    classes = _classes(train_root)
    validation = None
    if train_root != root and (root / "val").is_dir():
        _check_same(classes, _classes(root / "val"), root)
        validation = _files(root / "val", classes)
    return Content(
        classes=classes,
        train=_files(train_root, classes),
        validation=validation,
        in_channels=3,
        image_size=PHOTOGRAPH_SIZE,
    )


def _classes(folder: pathlib.Path) -> tuple[str, ...]:
    """Return the sorted names of the class folders."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise ValueError(f"cannot read {str(folder)!r}: {error.strerror}") from error
    if not names:
        raise ValueError(f"{str(folder)!r} has no class folders; make a folder of images for each class")
    if len(names) == 1:
        raise ValueError(f"{str(folder)!r} has one class folder, {names[0]!r}; a classifier needs two classes or more")
    return tuple(names)


def _check_same(train: tuple[str, ...], validation: tuple[str, ...], root: pathlib.Path) -> None:
    differences = [
        f"only in {part}: {', '.join(names[:_MOST_NAMES])}{' …' if len(names) > _MOST_NAMES else ''}"
        for part, names in (
            ("train", sorted(set(train) - set(validation))),
            ("val", sorted(set(validation) - set(train))),
        )
        if names
    ]
    if differences:
        raise ValueError(f"train and val of {str(root)!r} have different class folders ({'; '.join(differences)})")


def _files(folder: pathlib.Path, classes: tuple[str, ...]) -> FileSplit:
    """Return the image files of each class folder and its subfolders, in the order of their names."""
    paths: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        files = sorted(
            str(pathlib.Path(parent, file))
            for parent, _, names in os.walk(folder / name, followlinks=True)
            for file in names
            if file.lower().endswith(IMAGE_SUFFIXES)
        )
        if not files:
            raise ValueError(
                f"the class folder {str(folder / name)!r} has no image; put images into it, or remove it "
                f"(images end in {', '.join(IMAGE_SUFFIXES)})"
            )
        paths += files
        labels += [label] * len(files)
    return FileSplit(paths=tuple(paths), labels=torch.tensor(labels))
