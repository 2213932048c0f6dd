"""The largest count that fits, with few questions: from a guess in growing strides, then by halves."""

from collections.abc import Callable
from typing import Final

MOST_BATCH: Final = 1 << 20
"""The largest batch that is tried."""
_STRIDE: Final = 16
"""The first stride is this part of the guess."""


def largest_fit(fits: Callable[[int], bool], guess: int) -> int | None:
    """Return the largest count from 1 on for which `fits` is true, None if 1 does not fit.

    Args:
        fits: says whether a count fits; true up to some count, and false from there on.
        guess: where to begin.
    """
    low, high, count, stride = 0, MOST_BATCH + 1, min(max(1, guess), MOST_BATCH), max(1, guess // _STRIDE)
    while high - low > 1:
        if fits(count):
            low = count
        else:
            high = count
        ahead, behind = low + stride, high - stride
        if high > MOST_BATCH and ahead <= MOST_BATCH:
            count, stride = ahead, 2 * stride
        elif low == 0 and behind > 1:
            count, stride = behind, 2 * stride
        else:
            count = (low + high) // 2 or 1
    return low or None
