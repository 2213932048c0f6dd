"""Decoders: from the bytes of an image file to its pixels."""

import importlib
import io
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import PIL.Image

from results.errors import InputError, suggestion


class Decoder(NamedTuple):
    """A decoder of image files."""

    name: str
    """Its name with its version."""
    decode: Callable[[bytes], Any]
    """From the bytes of a file to RGB pixels, a PIL image or a tensor (3, height, width) of uint8; raises any exception
    for bytes that are no image."""


def open_decoder(name: str) -> Decoder:
    """Return the decoder of that name, one of `DECODERS`.

    Raises:
        InputError: there is no such decoder, or its package is not installed.
    """
    if name not in DECODERS:
        raise InputError(f"unknown decoder {name!r}{suggestion(name, DECODERS)} (choices: {', '.join(DECODERS)})")
    return DECODERS[name]()


def _pillow() -> Decoder:
    def decode(data: bytes) -> PIL.Image.Image:
        with PIL.Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB")

    return Decoder(f"Pillow {PIL.__version__}", decode)


def _torchcodec() -> Decoder:
    try:
        module = importlib.import_module("torchcodec.decoders")
        decode_image = module.decode_image
    except (ImportError, AttributeError, OSError, RuntimeError) as error:  # it loads libraries of its own
        why = str(error).strip().partition("\n")[0]
        raise InputError(
            f"the decoder torchcodec needs torchcodec 0.16 or newer (python -m pip install torchcodec): {why}"
        ) from None
    return Decoder(f"torchcodec {version('torchcodec')}", lambda data: decode_image(data, mode="RGB"))


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {"pillow": _pillow, "torchcodec": _torchcodec}
"""Functions that return a decoder, by its name."""
