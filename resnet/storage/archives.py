"""The two formats of torch.save: zip archives, and what came before torch 1.6. No pickle in them is run."""

import io
import pathlib
import zipfile
from typing import IO, Any, Final

import torch
from torch import Tensor

from resnet.storage.inert import Inert, Machine

LEGACY: Final = b"l\xfc\x9cF\xf9 j\xa8P\x19"
"""The number near the beginning of files that are no zip archives."""
STORAGES: Final = {
    "Untyped": torch.uint8,
    "Byte": torch.uint8,
    "Char": torch.int8,
    "Short": torch.int16,
    "Int": torch.int32,
    "Long": torch.int64,
    "Bool": torch.bool,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Float": torch.float32,
    "Double": torch.float64,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
    "QUInt8": torch.uint8,
    "QInt8": torch.int8,
    "QInt32": torch.int32,
    "QUInt4x2": torch.uint8,
    "QUInt2x4": torch.uint8,
}
"""Types of torch's storages by their names, without the ``Storage`` at the end."""


def read_zip(path: pathlib.Path) -> Any:
    """Return what a zip archive of torch.save holds; checksums are compared where it has them."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.CRC == 0:  # written with torch.serialization.set_crc32_options(False)
                del entry.CRC
        (pickled,) = (name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
        root = pickled.removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("numbers of a big-endian machine")
        storages: dict[str, Tensor] = {}

        def storage(identifier: tuple[Any, ...]) -> Tensor:
            _, kind, key, _, count = identifier
            if key not in storages:
                storages[key] = _flat(kind, bytearray(archive.read(f"{root}data/{key}")))
            return storages[key][:count]

        return Machine(storage).read(io.BytesIO(archive.read(pickled)))


def _flat(kind: Inert, data: bytearray) -> Tensor:
    """Return the bytes of a storage as a flat tensor."""
    dtype = _dtype(kind)
    return torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype, device="cpu")


def _dtype(kind: Inert) -> torch.dtype:
    return STORAGES[kind.origin.rpartition(".")[2].removesuffix("Storage")]


def read_legacy(path: pathlib.Path) -> Any:
    """Return what a file of torch.save before its zip archives holds: pickles, and the storages behind them."""
    size = path.stat().st_size
    storages: dict[str, Tensor] = {}

    def storage(identifier: tuple[Any, ...]) -> object:
        if identifier[0] == "module":  # a class, with its source
            return identifier[1]
        _, kind, key, _, count, view = identifier
        dtype = _dtype(kind)
        if count * dtype.itemsize > size:
            raise ValueError(f"a storage of {count} numbers")
        whole = storages.setdefault(key, torch.empty(count, dtype=dtype, device="cpu"))
        return whole if view is None else whole[view[1] : view[1] + view[2]]

    with path.open("rb") as file:
        _, _, system = (Machine(storage).read(file) for _ in range(3))
        if not system["little_endian"]:
            raise ValueError("numbers of a big-endian machine")
        content = Machine(storage).read(file)
        for key in Machine(storage).read(file):
            _fill(storages[key], file)
    return content


def _fill(storage: Tensor, file: IO[bytes]) -> None:
    """Read the numbers of a storage, which follow their count."""
    if int.from_bytes(file.read(8), "little") != len(storage):
        raise ValueError("a storage of another length")
    data = storage.view(torch.uint8).numpy()
    if len(data) and file.readinto(data) != len(data):  # type: ignore[attr-defined]
        raise EOFError("the numbers end too early")
