"""Labelled images as people have them, splits and pairs of tensors, as a data set."""

from typing import Final

from torch import Tensor

from resnet.data.dataset import DataSet, FileSplit, Split, digest_of

Labelled = Split | FileSplit | tuple[Tensor, Tensor]
"""Images with labels: a split, or a tensor uint8 (n, channels, height, width) with int64 (n,)."""
COLOURS: Final = 3
"""Channels of an image file, which is read as RGB."""


def as_split(labelled: Labelled) -> Split | FileSplit:
    """Return labelled images as a split.

    Raises:
        ValueError: Images and labels do not fit each other.
    """
    if isinstance(labelled, Split | FileSplit):
        return labelled
    images, labels = labelled
    return Split(images=images, labels=labels)


def as_data(
    train: Split | FileSplit,
    validation: Split | FileSplit,
    *,
    classes: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    image_size: int,
) -> DataSet:
    """Return a data set of two splits.

    Args:
        train: Images to train with.
        validation: Images to validate with.
        classes: Name of each class.
        mean: Mean of each channel, where pixels lie in [0, 1].
        std: Standard deviation of each channel, likewise.
        image_size: Height and width in pixels to which files are cut; images in memory have their own.

    Raises:
        ValueError: A split is empty, its images are not square or of other channels, or a label is out of range.
    """
    if isinstance(train, FileSplit) and len(mean) != COLOURS:
        raise ValueError(f"image files have {COLOURS} channels, and the network takes {len(mean)}; give tensors")
    return DataSet(
        name="images",
        classes=classes,
        train=train,
        validation=validation,
        mean=mean,
        std=std,
        image_size=int(train.images.shape[-1]) if isinstance(train, Split) else image_size,
        in_channels=len(mean),
        digest=digest_of(train, validation),
        held_out=False,
    )


def check_classes(classes: tuple[str, ...], data: DataSet) -> None:
    """Raise `ValueError` where a data set has other labels than a classifier of these `classes`.

    Other names for as many classes are fine, but not the same names in another order.
    """
    if len(data.classes) != len(classes):
        raise ValueError(f"{data.name} has {len(data.classes)} classes, the classifier {len(classes)}")
    if data.classes != classes and set(data.classes) == set(classes):
        index = next(index for index, name in enumerate(classes) if data.classes[index] != name)
        raise ValueError(
            f"{data.name} has the classes in another order: its label {index} is {data.classes[index]!r}, and that of "
            f"the classifier {classes[index]!r}"
        )
