"""The size of an image: a whole number for a square, else text such as ``224x160``, height x width in pixels.

A square has no text, so that equal sizes are equal values: 224, never ``224x224``.
"""

import re
from typing import Final

from results.errors import InputError
from results.schema.types import MOST_SIZE

_SIDES: Final = re.compile(r"(-?[0-9]{1,40})(?:x(-?[0-9]{1,40}))?")
_OTHER_CROSS: Final = re.compile("\\s*[xX*\u00d7]\\s*")
"""What people write between height and width; only a bare x is a size."""
_QUOTED: Final = 60
"""Characters of a text that a message shows."""


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


def pixels(size: int | str) -> int:
    """Return the number of pixels, by which sizes are in order."""
    height, width = sides(size)
    return height * width
