"""Images to train on: `load_data` reads a set, `Batches` yields augmented and normalised batches of it.

Example:
    >>> from resnet.data import Augmentation, Batches, load_data
    >>> data = load_data("fake", image_size=32)
    >>> batches = Batches(data.train, data, batch_size=128, augmentation=Augmentation(crop_padding=4, flip=True),
    ...                   seed=0, shuffle=True, drop_last=True)
    >>> images, labels = next(batches.epoch(1))
    >>> images.shape
    torch.Size([128, 3, 32, 32])
"""

import importlib
from typing import TYPE_CHECKING, Final

from resnet.data.policy import Augmentation

if TYPE_CHECKING:
    from resnet.data.batches import Batches
    from resnet.data.dataset import DataSet, FileSplit, Split
    from resnet.data.labels import class_weights
    from resnet.data.sets import SETS, load_data

__all__ = ["SETS", "Augmentation", "Batches", "DataSet", "FileSplit", "Split", "class_weights", "load_data"]

_HOMES: Final = {
    "SETS": "sets",
    "Batches": "batches",
    "DataSet": "dataset",
    "FileSplit": "dataset",
    "Split": "dataset",
    "class_weights": "labels",
    "load_data": "sets",
}
"""Modules of the names that need torch, which takes seconds to import; a recipe needs the augmentation only."""


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(f"resnet.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'resnet.data' has no attribute {name!r}")
