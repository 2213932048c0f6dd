"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 60,000 colour images, 32 pixels a side.

Two versions can be read: the binary one, and the one for Python that torchvision downloads. The files of the latter are
pickles; they are read without running them (`resnet.storage.inert`).
"""

import dataclasses
import io
import math
import pathlib
from typing import Any, Final

import numpy as np
import torch

from resnet.data.dataset import Split
from resnet.data.sources.content import DOWNLOADS, Content, Request, fetch, first_folder
from resnet.storage.files import reason
from resnet.storage.inert import Inert, Machine

CIFAR_SHAPE: Final = (3, 32, 32)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CifarVersion:
    """Names and layout of the files of a version."""

    folder: str
    """Folder that the archive unpacks to."""
    train: tuple[str, ...]
    validation: str
    names: str
    """File with the names of the classes."""
    label_bytes: int = 0
    """Of the binary version: bytes before the pixels of an image, the last of which is the label."""
    label_key: str = ""
    """Of the version for Python: entry with the labels."""
    name_key: str = ""
    """Of the version for Python: entry with the names of the classes."""


CIFAR_VERSIONS: Final[dict[str, tuple[CifarVersion, ...]]] = {
    "CIFAR10": (
        CifarVersion(
            folder="cifar-10-batches-bin",
            train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
            validation="test_batch.bin",
            names="batches.meta.txt",
            label_bytes=1,
        ),
        CifarVersion(
            folder="cifar-10-batches-py",
            train=tuple(f"data_batch_{number}" for number in range(1, 6)),
            validation="test_batch",
            names="batches.meta",
            label_key="labels",
            name_key="label_names",
        ),
    ),
    "CIFAR100": (
        CifarVersion(
            folder="cifar-100-binary",
            train=("train.bin",),
            validation="test.bin",
            names="fine_label_names.txt",
            label_bytes=2,
        ),
        CifarVersion(
            folder="cifar-100-python",
            train=("train",),
            validation="test",
            names="meta",
            label_key="fine_labels",
            name_key="fine_label_names",
        ),
    ),
}
"""Versions of each set, by its class in `torchvision.datasets`."""


def load_cifar10(request: Request) -> Content:
    """Return the official split of CIFAR-10.

    Raises:
        ValueError: The files are not there, or damaged.
    """
    return _load("CIFAR10", request)


def load_cifar100(request: Request) -> Content:
    """Return the official split of CIFAR-100 with its 100 fine labels.

    Raises:
        ValueError: The files are not there, or damaged.
    """
    return _load("CIFAR100", request)


def _load(name: str, request: Request) -> Content:
    located = _locate(name, request.path)
    if located is None and request.download:
        import torchvision.datasets  # noqa: PLC0415 - slow to import, and seldom needed

        root = request.path or DOWNLOADS
        fetch(getattr(torchvision.datasets, name), root)
        located = _locate(name, root)
    if located is None:
        where = "here" if request.path is None else f"in {str(request.path)!r}"
        folders = " or ".join(version.folder for version in CIFAR_VERSIONS[name])
        raise ValueError(
            f"no files of {name} {where}: get the archive from www.cs.toronto.edu/~kriz/cifar.html, unpack it, and "
            f"give the path of the folder {folders}, or let torchvision download it (--download)"
        )
    folder, version = located
    return Content(
        classes=_classes(folder / version.names, version),
        train=_split([folder / each for each in version.train], version),
        validation=_split([folder / version.validation], version),
        in_channels=CIFAR_SHAPE[0],
        image_size=CIFAR_SHAPE[1],
    )


def _locate(name: str, path: pathlib.Path | None) -> tuple[pathlib.Path, CifarVersion] | None:
    """Return the folder of the files and their version."""
    for version in CIFAR_VERSIONS[name]:
        root = path or DOWNLOADS
        folder = first_folder((root, root / version.folder), version.train)
        if folder is not None:
            return folder, version
    return None


def _classes(path: pathlib.Path, version: CifarVersion) -> tuple[str, ...]:
    if version.name_key:
        return tuple(map(_text, _entry(path, _pickled(path), version.name_key, list)))
    return tuple(_read(path).decode(errors="replace").split())


def _split(paths: list[pathlib.Path], version: CifarVersion) -> Split:
    read = _pickled_images if version.label_key else _binary_images
    images, labels = zip(*(read(path, version) for path in paths), strict=True)
    return Split(
        images=torch.from_numpy(np.concatenate(images).reshape(-1, *CIFAR_SHAPE)),
        labels=torch.from_numpy(np.concatenate(labels)),
    )


def _read(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {str(path)!r}: {error.strerror}; get the archive again") from error


def _binary_images(path: pathlib.Path, version: CifarVersion) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels of shape (n, 3072) and labels of shape (n,)."""
    data = np.frombuffer(_read(path), np.uint8)
    size = version.label_bytes + math.prod(CIFAR_SHAPE)
    if len(data) % size:
        raise ValueError(
            f"{str(path)!r} is truncated or damaged: {len(data)} bytes are no multiple of an image's {size}; "
            "get the archive again"
        )
    rows = data.reshape(-1, size)
    return rows[:, version.label_bytes :], rows[:, version.label_bytes - 1].astype(np.int64)


def _pickled_images(path: pathlib.Path, version: CifarVersion) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels of shape (n, 3072) and labels of shape (n,)."""
    content = _pickled(path)
    labels = _entry(path, content, version.label_key, list)
    array = _entry(path, content, "data", Inert)
    # The state of an array in a pickle: version, shape, type, whether Fortran's order, and the bytes.
    match array.state:
        case (_, (int() as count, int() as pixels), _, False, (str() | bytes()) as raw) if pixels == math.prod(
            CIFAR_SHAPE
        ):
            data = raw.encode("latin-1") if isinstance(raw, str) else raw
        case _:
            raise ValueError(f"{str(path)!r} has no array of n × {math.prod(CIFAR_SHAPE)} bytes; get the archive again")
    if len(data) != count * pixels or len(labels) != count:
        raise ValueError(
            f"{str(path)!r} is damaged: {count} images, {len(data)} bytes of pixels, {len(labels)} labels; "
            "get the archive again"
        )
    return np.frombuffer(data, np.uint8).reshape(count, pixels), np.array(labels, np.int64)


def _pickled(path: pathlib.Path) -> dict[str, Any]:
    """Return the dictionary of a pickle, which is not run; Python 2 wrote the keys as bytes, which read as text."""
    data = _read(path)
    try:
        return {_text(key): value for key, value in Machine(_no_storage).read(io.BytesIO(data)).items()}
    except Exception as error:  # a damaged pickle raises many kinds of errors
        raise ValueError(f"{str(path)!r} is damaged: it ends in {reason(error)}; get the archive again") from error


def _no_storage(_identifier: object) -> object:
    raise ValueError("a storage of torch")


def _text(word: str | bytes) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else word


def _entry(path: pathlib.Path, content: dict[str, Any], key: str, kind: type) -> Any:
    value = content.get(key)
    if not isinstance(value, kind):
        words = f"{str(path)!r} has no {key!r} as the files of CIFAR have it; get the archive again"
        raise ValueError(words)  # noqa: TRY004 - the file is wrong, not the caller
    return value
