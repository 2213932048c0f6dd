"""The size of an image as other programs state it, such as ``224``, ``[224, 160]`` or timm's ``(3, 224, 160)``."""

import re
from typing import Final

from results.errors import InputError
from results.image_size import parse_image_size
from results.importers.rows import SourceRow

_NUMBERS: Final = re.compile(r"[(\[]?\s*(\d{1,10}(?:\s*,\s*\d{1,10}){1,2})\s*[)\]]?", re.ASCII)
"""Height and width, or channels, height and width."""
_WHOLE: Final = re.compile(r"(\d{1,10})\.0*", re.ASCII)
"""A whole number as programs write it that compute with floats."""


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


def row_images(row: SourceRow, column: str) -> dict[str, int | str]:
    """Return the axes of the images that a cell states, by name; none for an empty cell.

    Raises:
        InputError: as `foreign_size`, with the line.
    """
    cell = row.cells.get(column, "").strip()
    if not cell:
        return {}
    try:
        size, channels = foreign_size(cell)
    except InputError as error:
        raise row.error(column, str(error)) from None
    return {"image_size": size} | ({} if channels is None else {"in_channels": channels})
