"""Accuracy against throughput as a plain SVG, for readers without JavaScript."""

import dataclasses
import itertools
import math
from typing import Final

import pandas as pd

from reports.chapters.tradeoffs.fronts import on_front
from reports.style.measures import THROUGHPUT

STILL_WIDTH: Final = 640
STILL_HEIGHT: Final = 360
STILL_MARGIN: Final = 48


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A variant in the drawing; x and y in the pixels of a `STILL_WIDTH` by `STILL_HEIGHT` canvas."""

    name: str
    x: float
    y: float
    front: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Dots, the corners of the front's line, and the ends of both axes."""

    dots: tuple[Dot, ...]
    line: str
    throughput: tuple[float, float]
    """Least and greatest images a second (logarithmic axis)."""
    accuracy: tuple[float, float]
    """Least and greatest top-1 as a fraction."""
    width: int = STILL_WIDTH
    height: int = STILL_HEIGHT
    margin: int = STILL_MARGIN


def drawing(frame: pd.DataFrame) -> Drawing:
    """Lay out comparable rows with ``throughput_img_per_s`` and ``imagenet_top1``, and mark the front among them."""
    frame = frame.assign(front=on_front(frame, THROUGHPUT))
    rows = frame.sort_values(["throughput_img_per_s", "model"])
    speeds, tops = rows["throughput_img_per_s"].tolist(), rows["imagenet_top1"].tolist()
    slow, fast, least, best = min(speeds), max(speeds), min(tops), max(tops)

    def pixel(value: float, low: float, high: float, pixels: int) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(STILL_MARGIN + share * (pixels - 2 * STILL_MARGIN), 1)

    dots = tuple(
        Dot(
            name=str(name),
            x=pixel(math.log(speed), math.log(slow), math.log(fast), STILL_WIDTH),
            y=STILL_HEIGHT - pixel(top1, least, best, STILL_HEIGHT),
            front=bool(front),
        )
        for name, speed, top1, front in zip(rows["model"], speeds, tops, rows["front"], strict=True)
    )
    front = [dot for dot in dots if dot.front]
    # The line bounds the combinations that no case reaches, so it falls before it goes to the next point.
    corners = [f"{left.x},{right.y} {right.x},{right.y}" for left, right in itertools.pairwise(front)]
    return Drawing(
        dots=dots,
        line=" ".join([f"{front[0].x},{front[0].y}", *corners]),
        throughput=(slow, fast),
        accuracy=(least, best),
    )
