"""What is asked of a source of images, what it gives, and where it looks for files."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, Final

from resnet.data.dataset import FileSplit, Split

DOWNLOADS: Final = pathlib.Path("data")
"""The folder, in the current one, that torchvision's examples download to."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a source."""

    path: pathlib.Path | None = None
    """Folder of the files, where they are not in a usual one."""
    download: bool = False
    """Whether torchvision may download the files if they are missing."""
    image_size: int | None = None
    """Pixels a side that images which are made should have."""
    seed: int = 0
    """Seed of images that are made."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """What a source gives: images as they are stored, and what is known of them."""

    classes: tuple[str, ...]
    train: Split | FileSplit
    validation: Split | FileSplit | None
    """Official validation images; None where the set has none."""
    in_channels: int
    image_size: int
    """Pixels a side if nobody wants another size."""
    hold_out: float = 0.0
    """Usual share of the training images to validate on, where there are no official ones; 0 for no usual share."""
    note: str | None = None


def first_folder(folders: tuple[pathlib.Path, ...], names: tuple[str, ...]) -> pathlib.Path | None:
    """Return the first folder that has a file of one of these names, or None."""
    return next((folder for folder in folders if any((folder / name).is_file() for name in names)), None)


def fetch(dataset: Callable[..., Any], root: pathlib.Path) -> None:
    """Download a set with its class in `torchvision.datasets` to a folder.

    Raises:
        ValueError: There is no network, or no such file any more, or the folder cannot be written.
    """
    try:
        dataset(root=str(root), download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a broken download is a RuntimeError
        words = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"cannot download {dataset.__name__} to {str(root)!r}: {words}") from error
