"""timm's ``results-imagenet.csv``: the accuracy of its weights on ImageNet's validation set.

timm has tables of the same form for other test sets, whose accuracy must not pass as that on ImageNet.
"""

import re
from pathlib import Path
from typing import Final

from results.errors import InputError
from results.importers.reading import Content, Tell, positions_text, read_content
from results.importers.rows import csv_rows, quoted
from results.importers.timm_names import architecture
from results.text import printable

Accuracy = dict[tuple[str, int | str], tuple[float, str]]
"""Best top-1 as a fraction and the weights that reach it, by architecture and image size."""

_RIGHT: Final = "--accuracy takes timm's results-imagenet.csv"
_COLUMNS: Final = ("model", "img_size", "top1")
_DIFFERENCES: Final = ("top1_diff", "top5_diff", "rank_diff")
"""Columns that timm adds to tables of other test sets: the differences from ImageNet."""
_SETS: Final = {
    "ImageNet-A": re.compile(r"imagenet[-_ ]?a(?![a-z0-9])"),
    "ImageNet-R": re.compile(r"imagenet[-_ ]?r(?![a-z0-9])"),
    "ImageNet-ReaL": re.compile(r"imagenet[-_ ]?real(?![a-z0-9])"),
    "ImageNetV2": re.compile(r"imagenet[-_ ]?v2|matched[-_ ]?frequency"),
    "ImageNet-Sketch": re.compile(r"sketch"),
    "a part of ImageNet": re.compile(r"imagenet.*clean"),
}
"""Other test sets, by what the names of files say."""
_KNOWN: Final = {
    ("resnet18.tv_in1k", 224): 69.8,
    ("resnet34.tv_in1k", 224): 73.3,
    ("resnet50.tv_in1k", 224): 76.1,
    ("resnet101.tv_in1k", 224): 77.4,
    ("resnet152.tv_in1k", 224): 78.3,
    ("resnet50.tv2_in1k", 224): 80.9,
    ("resnet50.a1_in1k", 224): 80.2,
    ("vgg16.tv_in1k", 224): 71.6,
    ("tv_resnet34", 224): 73.3,
    ("tv_resnet50", 224): 76.1,
    ("tv_resnet101", 224): 77.4,
    ("tv_resnet152", 224): 78.3,
}
"""Top-1 in percent of well-known weights on ImageNet, by timm's names of today and of before 2023."""
_TOLERANCE: Final = 2.0
"""Percentage points by which interpolation and precision may change an accuracy. Other sets differ by 5 and more."""


def accuracy_of(path: Path, tell: Tell) -> Accuracy:
    """Return the best accuracy of each architecture at each image size.

    Raises:
        InputError: The file is no such table, or that of another test set, by its columns, name or values.
    """
    content = read_content(path)
    heads, rows = csv_rows(content)
    _check_columns(content, heads)
    best: Accuracy = {}
    highest = 0.0
    empty: list[str] = []
    for row in rows:
        size, top1, name = row.whole("img_size"), row.number("top1", 0, 100), row.cells["model"].strip()
        if size is None or top1 is None:
            empty.append(row.position)
            continue
        known = _KNOWN.get((name, size))
        if known is not None and abs(top1 - known) > _TOLERANCE:
            raise row.error(
                "top1", f"{top1:g} for {printable(name)}, which has {known:g} on ImageNet: another test set; {_RIGHT}"
            )
        highest = max(highest, top1)
        key = (architecture(name), size)
        if key not in best or top1 / 100 > best[key][0]:
            best[key] = (top1 / 100, quoted(name))
    if best and highest <= 1:
        raise InputError(f"{content.name}: top1: no value is above 1, so these are no percentages; {_RIGHT}")
    if empty:
        tell(f"{content.name}: left out, without top1 or img_size: {positions_text(empty)}")
    return best


def _check_columns(content: Content, heads: tuple[str, ...]) -> None:
    missing = [column for column in _COLUMNS if column not in heads]
    if missing:
        raise InputError(f"{content.name} line 1: no column {missing[0]!r}; {_RIGHT}")
    stem = content.path.stem.lower()
    named = next((test for test, pattern in _SETS.items() if pattern.search(stem)), None)
    difference = next((column for column in _DIFFERENCES if column in heads), None)
    if difference is not None:
        other = named or "another test set than ImageNet"
        raise InputError(
            f"{content.name} line 1: the column {difference!r} says that this is accuracy on {other}; {_RIGHT}"
        )
    if named is not None:
        raise InputError(f"{content.name}: its name says that this is accuracy on {named}; {_RIGHT}")
