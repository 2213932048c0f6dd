"""Accuracy against throughput as a plain SVG, for readers without JavaScript."""

import dataclasses
import itertools
import math
from typing import Final

import pandas as pd

from reports.chapters.tradeoffs.fronts import on_front
from reports.style.measures import THROUGHPUT

WIDTH: Final = 640
HEIGHT: Final = 360
MARGIN: Final = 48


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One variant in the drawing; x and y in the pixels of a `WIDTH` by `HEIGHT` canvas."""

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
    width: int = WIDTH
    height: int = HEIGHT
    margin: int = MARGIN


def drawing(frame: pd.DataFrame) -> Drawing:
    """Lay out comparable rows with ``throughput_img_per_s`` and ``imagenet_top1``, and mark the front among them."""
    frame = frame.assign(front=on_front(frame, THROUGHPUT))
    rows = frame.sort_values(["throughput_img_per_s", "model"])
    speeds, tops = rows["throughput_img_per_s"].tolist(), rows["imagenet_top1"].tolist()
    slow, fast, least, best = min(speeds), max(speeds), min(tops), max(tops)

    def place(value: float, low: float, high: float, pixels: int) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(MARGIN + share * (pixels - 2 * MARGIN), 1)

    dots = tuple(
        Dot(
            name=str(name),
            x=place(math.log(speed), math.log(slow), math.log(fast), WIDTH),
            y=HEIGHT - place(top1, least, best, HEIGHT),
            front=bool(front),
        )
        for name, speed, top1, front in zip(rows["model"], speeds, tops, rows["front"], strict=True)
    )
    front = [dot for dot in dots if dot.front]
    # Between two of them the slower one is out of reach, so the line falls before it goes on.
    corners = [f"{one.x},{other.y} {other.x},{other.y}" for one, other in itertools.pairwise(front)]
    return Drawing(
        dots=dots,
        line=" ".join([f"{front[0].x},{front[0].y}", *corners]),
        throughput=(slow, fast),
        accuracy=(least, best),
    )
