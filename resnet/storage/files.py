"""Weights files: what a file is, by what it begins with, and what it holds. No pickle is ever run."""

import pathlib
import struct
import zipfile
from collections.abc import Callable
from typing import Final

from resnet.storage.archives import LEGACY, read_legacy, read_zip

EXPECTED: Final = "expected a state dict, alone or in a checkpoint, that torch.save or safetensors wrote"
FOREIGN: Final = (
    (0, b"version https://git-lfs", "a pointer of Git LFS instead of the file; get the file with git lfs pull"),
    (0, b"\x1f\x8b", "compressed by gzip; unpack it first"),
    (0, b"BZh", "compressed by bzip2; unpack it first"),
    (0, b"\xfd7zXZ", "compressed by xz; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (0, b"Rar!", "a RAR archive; unpack it first"),
    (257, b"ustar", "a tar archive; unpack it first"),
    (0, b"\x89HDF", "an HDF5 file, as Keras writes it"),
    (0, b"\x93NUMPY", "an array of NumPy"),
    (0, b"GGUF", "a GGUF file"),
    (4, b"TFL3", "a model of TensorFlow Lite"),
    (0, b"\x80", "a pickle, but not of torch.save"),
)
"""Offset and bytes by which files are known that hold no weights for us, and what they are."""


def read(path: pathlib.Path) -> object:
    """Return what a file of torch or safetensors holds, told apart by content and not by suffix.

    Raises:
        ValueError: The file is something else, or damaged; the message says which.
    """
    start = f"cannot read weights {str(path)!r}:"
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ValueError(f"{start} {error.strerror}") from error
    try:
        kind = _kind(path, head)
    except Exception as error:  # a damaged archive raises more than BadZipFile
        raise ValueError(f"{start} damaged: it begins as a zip archive, but ends in {reason(error)}") from error
    if kind not in READERS:
        raise ValueError(f"{start} it is {kind}; {EXPECTED}")
    try:
        return READERS[kind](path)
    except ImportError as error:
        raise ValueError(f"{start} it needs the package safetensors; pip install safetensors") from error
    # On a damaged file readers raise many kinds of errors: KeyError, IndexError, struct.error…
    except Exception as error:
        raise ValueError(f"{start} damaged: it begins as a file of {kind}, but ends in {reason(error)}") from error


def _kind(path: pathlib.Path, head: bytes) -> str:
    """Return a key of `READERS`, or what else the file is, in words."""
    if not head:
        return "empty"
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if LEGACY in head[:32]:
        return "an older torch.save"
    if head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] < 2**27:
        return "safetensors"
    for offset, magic, words in FOREIGN:
        if head[offset:].startswith(magic):
            return words
    return _kind_of_text(head)


def _kind_of_zip(path: pathlib.Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    bases = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in bases:
        return "a TorchScript archive, which is a program"
    if "data.pkl" in bases:
        return "torch.save"
    if any(name.endswith(".npy") for name in names):
        return "a zip archive of NumPy arrays"
    return f"a zip archive of something else (it holds {', '.join(map(repr, names[:3])) or 'nothing'})"


def _kind_of_text(head: bytes) -> str:
    text = head.decode(errors="replace").rstrip("\N{REPLACEMENT CHARACTER}")  # the cut may be within a letter
    words = " ".join(text.split())
    if not words.isprintable() or "\N{REPLACEMENT CHARACTER}" in words:
        return f"of no known kind (it begins with the bytes {head[:8].hex(' ')})"
    if words.lower().startswith(("<!doctype", "<html", "<?xml", "<head")):
        return "a web page instead of the file; download the file itself"
    return f"text that begins with {words[:30]!r}"


def _read_safetensors(path: pathlib.Path) -> object:
    import safetensors.torch  # noqa: PLC0415 - a measuring process need not have it

    return safetensors.torch.load_file(path)


READERS: Final[dict[str, Callable[[pathlib.Path], object]]] = {
    "torch.save": read_zip,
    "an older torch.save": read_legacy,
    "safetensors": _read_safetensors,
}
"""What reads a file of a kind."""


def reason(error: Exception) -> str:
    """Return an error's type and the first line of what it says."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
