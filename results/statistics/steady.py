"""The end of warm-up in a series of steps, and the steady steps of each turn. Times are compared on logarithms."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from results.statistics.intervals import MAD_TO_SD
from results.statistics.segments import Floats

MIN_STEADY: Final = 3
"""Least steady steps, even where steps are slow."""

_SHORT: Final = 15
"""A series up to this length is judged step by step, a longer series in segments."""
_SEGMENTS: Final = 8
_MIN_SEGMENT: Final = 4
_MAX_CORRELATION: Final = 0.85
"""A larger correlation of neighbouring steps is drift rather than noise."""
_SHORT_TOLERANCE: Final = 0.05
"""Difference (in logs) from the median within which a step of a short series always belongs to its level."""
_SHORT_NOISE: Final = 3.0
"""The same in standard deviations of the noise, which a busy machine makes larger."""
_LEVEL_TOLERANCE: Final = 0.03
"""Range (in logs) of the segments' means that a steady series may have: shared machines drift slowly."""
_NOISE_RANGE: Final = 5.5
"""Range of the means of `_SEGMENTS` segments, in their standard errors, that noise alone rarely exceeds (the
studentised range of 8 means passes 5.5 in fewer than 1 of 200 cases)."""
_SLOWING_FALL: Final = 0.05
"""A series that slows all the time falls back (by noise) at most by this share of its whole rise…"""
_SLOWING_JUMP: Final = 1 / 3
"""…and rises from a segment to the next at most by this share: a load that sets in is a single jump. Together the two
rules accept 97 % of ramps and 3 % of random walks (simulated)."""
_CLIP: Final = 4.0
"""Steps further than this many robust standard deviations from the later half's median count as this far."""


@dataclasses.dataclass(frozen=True, slots=True)
class Steady:
    """The end of warm-up."""

    start: int
    """Index of the first steady step; the best guess where the series is not steady."""
    steady: bool
    slowing: bool = False
    """Whether steps became slower all the time. A series that is neither steady nor slowing is never steady."""


def steady(step_s: Sequence[float]) -> Steady:
    """Find the end of warm-up in a series of step times in seconds.

    The cut is MSER (White 1997, "An effective truncation heuristic for bias reduction in simulation output"): it
    minimises the standard error of the mean of the remaining steps, on logs that are clipped so that single spikes do
    not move it. The series is steady if the cut lies in its first half (a later cut means that the series was still
    changing) and the means of eight segments of the rest agree, within the noise or within 3 %. A series with short
    cycles is steady; a cycle as long as the series looks like drift.
    A series of at most 15 steps is steady from the first step, in its first half, for which the step itself and the
    medians of both halves of the rest lie within 5 %, or within the noise, of the median of the rest. The noise follows
    from differences of neighbours, on which a trend has little influence. The start of a series that is not steady is
    its second half, the best guess.
    The series is slowing if, after its first eighth, the segments' medians rise all the time (see `_slowing`), as on a
    machine that heats up. A load that sets in suddenly, or comes and goes, is not slowing.

    O(n log n) for n steps.
    """
    log = np.log(np.asarray(step_s, dtype=np.float64))
    start, is_steady = _steady_short(log) if log.size <= _SHORT else _steady_long(log)
    return Steady(start, is_steady, slowing=not is_steady and _slowing(log))


def _steady_long(log: Floats) -> tuple[int, bool]:
    later = log[log.size // 2 :]
    centre = float(np.median(later))
    scale = _robust_sd(later)
    if scale == 0.0:  # a clock too coarse to show noise, or recorded constants
        scale = 1e-4
    clipped = np.clip(log, centre - _CLIP * scale, centre + _CLIP * scale)
    start = _mser(clipped)
    if start > log.size // 2:
        return log.size // 2, False
    return start, _level(clipped[start:])


def _steady_short(log: Floats) -> tuple[int, bool]:
    noise = _robust_sd(np.diff(log)) / math.sqrt(2) if log.size > MIN_STEADY else 0.0
    tolerance = max(_SHORT_TOLERANCE, _SHORT_NOISE * noise)
    for start in range(min(log.size - MIN_STEADY, log.size // 2) + 1):
        rest = log[start:]
        half = rest.size // 2
        level = np.median(rest)
        marks = (rest[0], np.median(rest[:half]), np.median(rest[-half:]))
        if max(abs(mark - level) for mark in marks) <= tolerance:
            return start, True
    return log.size // 2, False


def _slowing(log: Floats) -> bool:
    """Return whether a series that is not steady rises all the time, by the medians of all segments but the first."""
    if log.size < _SEGMENTS:
        return False
    size = log.size // _SEGMENTS
    marks = np.median(log[log.size - size * _SEGMENTS :].reshape(_SEGMENTS, size), axis=1)[1:]
    rise = marks[-1] - marks[0]
    fall = (np.maximum.accumulate(marks) - marks).max()
    return bool(
        rise > _LEVEL_TOLERANCE and fall <= _SLOWING_FALL * rise and np.diff(marks).max() <= _SLOWING_JUMP * rise
    )


def _mser(log: Floats) -> int:
    """Return the cut that minimises the squared standard error of the mean of the remaining steps."""
    remaining = np.arange(log.size, 0, -1, dtype=np.float64)
    centred = log - log[-1]  # keeps the sums of squares small, and with them their rounding error
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum((centred**2)[::-1])[::-1]
    variance = np.maximum(squares / remaining - (sums / remaining) ** 2, 1e-12)
    # The last steps are no candidates: the spread of a few steps may be small by chance.
    return int(np.argmin((variance / remaining)[: log.size - _SHORT // 2]))


def _level(log: Floats) -> bool:
    """Return whether the segments' means agree, within noise or within the tolerance.

    The noise is the variation within segments, enlarged for the correlation of their steps.
    """
    segments = min(_SEGMENTS, log.size // _MIN_SEGMENT)
    size = log.size // segments
    rows = log[log.size - size * segments :].reshape(segments, size)
    means = rows.mean(axis=1)
    within = rows - means[:, None]
    variance = float((within**2).sum()) / (segments * (size - 1))
    lagged = float((within[:, 1:] * within[:, :-1]).sum()) / (segments * (size - 1))
    correlation = min(max(lagged / variance + 1 / size, 0.0), _MAX_CORRELATION) if variance > 0 else 0.0
    error = math.sqrt(variance / size * (1 + correlation) / (1 - correlation))
    return float(np.ptp(means)) <= max(_LEVEL_TOLERANCE, _NOISE_RANGE * error)


def _robust_sd(values: Floats) -> float:
    return MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))
