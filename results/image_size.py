"""The size of an image: a whole number for a square, else text such as ``224x160``, height x width in pixels.

A square has no text, so that equal sizes are equal values: 224, never ``224x224``.
"""

import re
from typing import Final

from results.errors import InputError
from results.schema.labels import HEADS
from results.schema.types import MOST_SIZE

_SIDES: Final = re.compile(r"(-?[0-9]{1,40})(?:x(-?[0-9]{1,40}))?")
_OTHER_CROSS: Final = re.compile("\\s*[xX*\u00d7]\\s*")
"""What people write between height and width; only a bare x is a size."""
_QUOTED: Final = 60
"""Characters of a text that a message shows."""


_NUMBERS: Final = re.compile(r"[(\[]?\s*(\d{1,10}(?:\s*,\s*\d{1,10}){1,2})\s*[)\]]?", re.ASCII)
"""Height and width, or channels, height and width."""
_WHOLE: Final = re.compile(r"(\d{1,10})\.0*", re.ASCII)
"""A whole number as programs write it that compute with floats."""


def parse_image_size(text: str) -> int | str:
    """Return the size that `text` writes: 224 for ``224`` and ``224x224``, else ``224x160``.

    Raises:
        InputError: it is neither a whole number nor two, or a side is less than 1 or too large.
    """
    match = _SIDES.fullmatch(text.strip())
    if match is None:
        other = _SIDES.fullmatch(_OTHER_CROSS.sub("x", text.strip()))
        near = f"; did you mean {other[0]!r}?" if other else ""
        quoted = repr(text) if len(text) <= _QUOTED else f"{text[:_QUOTED]!r}…"
        raise InputError(
            f"{quoted} is no image size{near or ': give pixels such as 224, or height x width such as 224x160'}"
        )
    height, width = int(match[1]), int(match[2] or match[1])
    sides = "" if match[2] is None else f"{match[0]}: "
    for side in (height, width):
        if side < 1:
            raise InputError(f"{sides}{side} should be a whole number >= 1")
        if side > MOST_SIZE:
            raise InputError(f"{sides}{side} should be a whole number <= {MOST_SIZE}")
    return image_size(height, width)


def image_size(height: int, width: int) -> int | str:
    """Return the size of an image of `height` and `width`."""
    return height if height == width else f"{height}x{width}"


def sides(size: int | str) -> tuple[int, int]:
    """Return height and width."""
    if isinstance(size, str):
        height, _, width = size.partition("x")
        return int(height), int(width)
    return size, size


def network_size(size: int | str, head: str) -> int | str:
    """Return the size of the images that reach a network, whose `head` may pad them to a multiple of some pixels."""
    multiple = HEADS[head].padding
    return image_size(*(-(-side // multiple) * multiple for side in sides(size)))


def pixels(size: int | str) -> int:
    """Return the number of pixels, by which sizes are in order."""
    height, width = sides(size)
    return height * width


def foreign_size(value: object) -> tuple[int | str, int | None]:
    """Return the size of an image, and its channels where `value` states them.

    Raises:
        InputError: `value` is neither a size nor a shape: height and width, perhaps after the channels.
    """
    text = str(value).strip()
    if isinstance(value, bool):
        raise InputError(f"{text} is no image size")
    whole, numbers = _WHOLE.fullmatch(text), _NUMBERS.fullmatch(text)
    if whole:
        return parse_image_size(whole[1]), None
    if numbers is None:
        return parse_image_size(text), None
    *channels, height, width = (int(number) for number in numbers[1].split(","))
    if 0 in channels:
        raise InputError(f"{text} has no channel")
    return parse_image_size(f"{height}x{width}"), next(iter(channels), None)
