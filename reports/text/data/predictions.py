"""The answers of a classifier as text: image, rank, class, probability."""

from collections.abc import Sequence
from typing import Final

from reports.text.grid import check_format, grid_text
from results.metrics.rows import json_text
from results.text import csv_text

_HEADS: Final = ("image", "rank", "class", "probability")


def predictions_text(rows: Sequence[tuple[str, int, str, float]], form: str) -> str:
    """Return rows of image, rank, class and probability, ending in a newline.

    ``table`` and ``markdown`` round probabilities to a tenth of a percent; ``json`` and ``csv`` hold them as they are.

    Raises:
        InputError: the format does not exist.
    """
    check_format(form)
    if form == "json":
        return json_text([dict(zip(_HEADS, row, strict=True)) for row in rows])
    if form == "csv":
        return csv_text(list(_HEADS), [list(row) for row in rows])
    cells = [[image if rank == 1 else "", name, f"{probability:.1%}"] for image, rank, name, probability in rows]
    return grid_text(["image", "class", "probability"], cells, form, numbers_from=2)
