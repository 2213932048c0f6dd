"""Logarithmic axes with whole numbers at their ticks, and positions of points' names without overlaps."""

import math
from collections.abc import Sequence
from typing import Any, Final

# Pixels between the axes that names are laid out for: the page at its full width.
PLOT_WIDTH: Final = 1080
PLOT_HEIGHT: Final = 340
MOST_LABELS: Final = 11
"""The most labels of an axis at the page's full width."""
_LETTER: Final = 6.3
_LINE: Final = 14
_MARKER: Final = 7
_POSITIONS: Final = ("top right", "bottom left", "top center", "bottom center", "bottom right", "top left")

Box = tuple[float, float, float, float]
Range = tuple[float, float]


def log_axis(values: Sequence[float], **axis: Any) -> dict[str, Any]:
    """Return a logarithmic Plotly axis around `values`, with at least two labels in sight.

    The labels are 1, 2 and 5 of each decade. Where these are too many, only 1 of each decade is labelled; where too
    few, every digit; and where even these are too few, evenly spaced numbers. Plotly's own labels between decades are
    the bare digits ``2`` and ``5``, which readers take for values.
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    pad = max(0.06 * (high - low), 0.05)
    low, high = low - pad, high + pad
    minor = _digits(low, high, range(1, 10))
    labelled = _digits(low, high, (1, 2, 5))
    if len(labelled) > MOST_LABELS:
        labelled = _digits(low, high, (1,))
    if len(labelled) < 3:
        labelled = minor if len(minor) > 3 else _even(10**low, 10**high)
        minor = labelled
    return {
        **axis,
        "type": "log",
        "range": [low, high],
        "tickvals": minor,
        "ticktext": [f"{tick:,.10g}" if tick in labelled else "" for tick in minor],
    }


def _digits(low: float, high: float, digits: Sequence[int]) -> list[float]:
    """Return the numbers that are a digit of `digits` followed by zeros, between 10**low and 10**high."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def _even(low: float, high: float) -> list[float]:
    """Return 3 to 15 round numbers between `low` and `high`."""
    decade = 10.0 ** math.floor(math.log10(high - low))
    steps = (decade, decade / 2, decade / 5)
    step = next((size for size in steps if math.floor(high / size) - math.ceil(low / size) >= 3), steps[-1])
    return [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def name_positions(
    x: Sequence[float],
    y: Sequence[float],
    names: Sequence[str],
    first: Sequence[bool],
    ends: tuple[Range, Range],
    height: int = PLOT_HEIGHT,
) -> list[str]:
    """Return the position of each point's name (a Plotly ``textposition``), empty for a point without room.

    The choice is greedy from left to right, points marked `first` before the others. A point without a name only takes
    room. `x` and `y`, and the `ends` of both axes, are in the axis' own scale (logarithms on a logarithmic axis).
    """
    across, up = to_pixels(x, ends[0], PLOT_WIDTH), to_pixels(y, ends[1], height)
    taken: list[Box] = [
        (px - _MARKER, py - _MARKER, px + _MARKER, py + _MARKER) for px, py in zip(across, up, strict=True)
    ]
    positions = [""] * len(names)
    named = [index for index, name in enumerate(names) if name]
    for index in sorted(named, key=lambda index: (not first[index], x[index])):
        for position in _POSITIONS:
            box = name_box(across[index], up[index], _LETTER * len(names[index]), position)
            if box[0] > 0 and box[2] < PLOT_WIDTH and not any(overlap(box, other) for other in taken):
                positions[index] = position
                taken.append(box)
                break
    return positions


def to_pixels(values: Sequence[float], ends: Range, size: int) -> list[float]:
    """Return the pixels of values on an axis of `size` pixels with these `ends`."""
    low, high = ends
    return [size * (value - low) / (high - low) for value in values]


def name_box(x: float, y: float, width: float, position: str) -> Box:
    """Return the box of a name of `width` pixels in a position of its point: left, bottom, right, top."""
    vertical, horizontal = position.split()
    bottom = y + _MARKER if vertical == "top" else y - _MARKER - _LINE
    left = {"left": x - width, "center": x - width / 2, "right": x}[horizontal]
    # A pixel less on each side: neighbours may touch.
    return left + 1, bottom + 1, left + width - 1, bottom + _LINE - 1


def overlap(box: Box, other: Box) -> bool:
    """Return whether two boxes overlap."""
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
