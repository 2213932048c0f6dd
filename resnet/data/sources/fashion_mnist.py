"""Fashion-MNIST (Xiao 2017): 70,000 grey images of clothes, 28 pixels a side, in ten classes. Licence: MIT."""

import pathlib
from typing import Final

from resnet.data.dataset import Split
from resnet.data.sources.content import DOWNLOADS, Content, Request, fetch, first_folder
from resnet.data.sources.idx import read_idx

GARMENTS: Final = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
DEBIAN: Final = pathlib.Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist has the files."""
RAW: Final = pathlib.Path("FashionMNIST", "raw")
"""Where torchvision puts the files in its folder."""
FIRST_FILE: Final = "train-images-idx3-ubyte"


def load_fashion_mnist(request: Request) -> Content:
    """Return the official split, from the path that is asked for, Debian's package, or torchvision's folder.

    Raises:
        ValueError: The files are not there, or damaged.
    """
    folder = _folder(request)
    if folder is None and request.download:
        from torchvision.datasets import FashionMNIST  # noqa: PLC0415 - slow to import, and seldom needed

        root = request.path or DOWNLOADS
        fetch(FashionMNIST, root)
        folder = root / RAW
    if folder is None:
        where = "here" if request.path is None else f"in {str(request.path)!r}"
        raise ValueError(
            f"no files of Fashion-MNIST {where}: install Debian's package dataset-fashion-mnist, give the path of a "
            f"folder with {FIRST_FILE}.gz and its three companions, or let torchvision download it (--download)"
        )
    return Content(
        classes=GARMENTS,
        train=_split(folder, "train"),
        validation=_split(folder, "t10k"),
        in_channels=1,
        image_size=28,
    )


def _folder(request: Request) -> pathlib.Path | None:
    if request.path is None:
        folders: tuple[pathlib.Path, ...] = (DEBIAN, DOWNLOADS / RAW)
    else:
        folders = (request.path, request.path / "raw", request.path / RAW)
    return first_folder(folders, (FIRST_FILE, f"{FIRST_FILE}.gz"))


def _split(folder: pathlib.Path, part: str) -> Split:
    images_path = _file(folder, f"{part}-images-idx3-ubyte")
    labels_path = _file(folder, f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{str(images_path)!r} has {len(images)} images, but {labels_path.name!r} {len(labels)} labels"
        )
    return Split(images=images[:, None], labels=labels.long())


def _file(folder: pathlib.Path, name: str) -> pathlib.Path:
    stored = next((each for each in (name, f"{name}.gz") if (folder / each).is_file()), None)
    if stored is None:
        raise ValueError(f"{str(folder)!r} lacks {name!r}, alone or with .gz; get the file again")
    return folder / stored
