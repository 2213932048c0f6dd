"""Synthetic series of step times whose right class and true level are known.

Each is noise times a shape times a level. The noise is correlated from step to step (0 to 0.5), 0.3 to 3 % of the step,
with 2 % of spikes of up to four times the step.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy
import numpy.typing
from scipy.signal import lfilter

Floats = numpy.typing.NDArray[numpy.float64]


def autoregressive(rng: numpy.random.Generator, size: int, correlation: float) -> Floats:
    """Return standard normal noise of which neighbours correlate so much."""
    noise = rng.normal(size=size + 200)
    return lfilter([math.sqrt(1 - correlation**2)], [1, -correlation], noise)[200:]


def _flat(rng: numpy.random.Generator, size: int) -> Floats:
    return numpy.ones(size)


def _step(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a warm-up that ends at once, slower than the rest or faster."""
    level = rng.uniform(1.1, 3) if rng.random() < 0.8 else rng.uniform(0.6, 0.9)
    return numpy.where(numpy.arange(size) < rng.integers(3, size * 0.35), level, 1.0)


def _ramp_down(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a warm-up that fades away, straight or exponentially."""
    along = numpy.arange(size) / rng.integers(5, size * 0.35)
    down = numpy.clip(1 - along, 0, 1) if rng.random() < 0.5 else numpy.exp(-5 * along)
    return 1 + rng.uniform(0.1, 2) * down


def _cyclic(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a cycle that is short against the series."""
    period = rng.integers(2, max(3, size // 12))
    return 1 + rng.uniform(0.02, 0.2) * numpy.sin(2 * numpy.pi * numpy.arange(size) / period)


def _ramp_up(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a machine that grows hot: slower to the end, straight or ever less so, at times after a slow start."""
    along = numpy.arange(size) / size
    rise = along if rng.random() < 0.5 else (1 - numpy.exp(-2 * along)) / (1 - math.exp(-2))
    start = 1.5 if rng.random() < 0.3 else 1.0
    return numpy.exp(rng.uniform(0.15, 1) * rise) * numpy.where(numpy.arange(size) < size // 20, start, 1.0)


def _slide_down(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a warm-up that has not ended yet."""
    return numpy.exp(-rng.uniform(0.15, 1) * numpy.arange(size) / size)


def _random_walk(rng: numpy.random.Generator, size: int) -> Floats:
    return numpy.exp(numpy.cumsum(rng.normal(0, rng.uniform(0.15, 0.6) / math.sqrt(size), size)))


def _levels(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a load that comes and goes: six levels, each for about a sixth of the series."""
    ends = numpy.arange(1, 6) / 6 + rng.uniform(-0.05, 0.05, 5)
    return numpy.exp(rng.normal(0, 0.2, 6))[numpy.searchsorted(ends, numpy.arange(size) / size)]


def _late_step(rng: numpy.random.Generator, size: int) -> Floats:
    """Return a load that sets in near the end and stays: slower at once, and not ever more so."""
    return numpy.where(numpy.arange(size) > size * rng.uniform(0.6, 0.9), rng.uniform(1.15, 2), 1.0)


KINDS: Final[dict[str, tuple[Callable[[numpy.random.Generator, int], Floats], str]]] = {
    "flat": (_flat, "steady"),
    "step": (_step, "steady"),
    "ramp-down": (_ramp_down, "steady"),
    "cyclic": (_cyclic, "steady"),
    "ramp-up": (_ramp_up, "slowing"),
    "slide-down": (_slide_down, "never steady"),
    "random-walk": (_random_walk, "never steady"),
    "levels": (_levels, "never steady"),
    "late-step": (_late_step, "never steady"),
}
"""Every shape with the class that is right for it."""


def series(kind: str, rng: numpy.random.Generator) -> tuple[Floats, str, float]:
    """Return step times in seconds (60 to 1,000 of them), their right class and the true median of the steady part.

    The level is that of the shape without noise, and NaN where nothing is steady.
    """
    shape, right = KINDS[kind]
    size = int(rng.integers(60, 1000))
    noise = numpy.exp(rng.uniform(0.003, 0.03) * autoregressive(rng, size, rng.uniform(0, 0.5)))
    spikes = rng.random(size) < 0.02
    noise = numpy.where(spikes, noise * rng.uniform(1.3, 4, size), noise)
    level = float(numpy.exp(rng.uniform(math.log(1e-3), math.log(10))))
    return level * noise * shape(rng, size), right, level if right == "steady" else math.nan
