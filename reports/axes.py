"""Logarithmic axes with whole numbers at their ticks, and names of points that do not cover one another."""

import math
from collections.abc import Sequence
from typing import Any, Final

# Pixels of the drawing that names are laid out for: the page at its full width.
WIDTH: Final = 1000
HEIGHT: Final = 370
_LETTER: Final = 6.3
_LINE: Final = 14
_MARKER: Final = 7
_POSITIONS: Final = ("top right", "bottom left", "top center", "bottom center", "bottom right", "top left")

Box = tuple[float, float, float, float]


def log_axis(values: Sequence[float], **axis: Any) -> dict[str, Any]:
    """Return a logarithmic Plotly axis around `values`, labelled at 1, 2 and 5 of each decade.

    Plotly's own labels are the bare digits ``2`` and ``5`` between decades, which readers take for values.
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    pad = max(0.06 * (high - low), 0.05)
    decades = range(math.floor(low - pad), math.ceil(high + pad) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in range(1, 10)]
    # Less than about three of 1, 2, 5 are in sight over half a decade: there every digit is labelled.
    labelled = range(1, 10) if high - low + 2 * pad < 0.6 else (1, 2, 5)
    return {
        **axis,
        "type": "log",
        "range": [low - pad, high + pad],
        "tickvals": ticks,
        "ticktext": [
            f"{tick:,.6g}" if digit in labelled else ""
            for tick, digit in zip(ticks, [*range(1, 10)] * len(decades), strict=True)
        ],
    }


def place(x: Sequence[float], y: Sequence[float], names: Sequence[str], first: Sequence[bool]) -> list[str]:
    """Return for each point where its name may stand (a Plotly ``textposition``), empty where there is no room.

    Greedy from left to right, those marked `first` before the others. `x` and `y` are in the axis' own
    scale (logarithms on a logarithmic axis).
    """
    across, up = _pixels(x, WIDTH), _pixels(y, HEIGHT)
    taken: list[Box] = [
        (px - _MARKER, py - _MARKER, px + _MARKER, py + _MARKER) for px, py in zip(across, up, strict=True)
    ]
    found = [""] * len(names)
    for index in sorted(range(len(names)), key=lambda index: (not first[index], x[index])):
        for position in _POSITIONS:
            box = _box(across[index], up[index], _LETTER * len(names[index]), position)
            if box[0] > -20 and box[2] < WIDTH + 20 and not any(_overlap(box, other) for other in taken):
                found[index] = position
                taken.append(box)
                break
    return found


def _pixels(values: Sequence[float], size: int) -> list[float]:
    low, high = min(values), max(values)
    # The axis reaches a little beyond its outermost points.
    return [size * (0.05 + 0.9 * ((value - low) / (high - low) if high > low else 0.5)) for value in values]


def _box(x: float, y: float, width: float, position: str) -> Box:
    vertical, horizontal = position.split()
    bottom = y + _MARKER if vertical == "top" else y - _MARKER - _LINE
    left = {"left": x - width, "center": x - width / 2, "right": x}[horizontal]
    # A pixel less on each side: neighbours may touch.
    return left + 1, bottom + 1, left + width - 1, bottom + _LINE - 1


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
