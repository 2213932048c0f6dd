"""Numbers as a person reads them: a handy unit, and no more digits than their interval deserves."""

import math
from numbers import Real
from typing import Final

NONE: Final = "\N{EN DASH}"
"""What stands where a value could not be had; the reason stands beside it."""
SPACE: Final = "\N{NO-BREAK SPACE}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
"""The unit of a speed-up."""

# Unit in storage → (factor, unit shown), largest first.
SCALES: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "FLOP/s": ((1e12, "TFLOP/s"), (1e9, "GFLOP/s"), (1e6, "MFLOP/s")),
    "FLOP": ((1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP")),
    "MAC": ((1e9, "GMAC"), (1e6, "MMAC")),
    "MAC/s": ((1e12, "TMAC/s"), (1e9, "GMAC/s"), (1e6, "MMAC/s")),
    "Hz": ((1e9, "GHz"), (1e6, "MHz")),
    "": ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")),
}
SIGNIFICANT: Final = 3
"""Digits of a value that has no interval."""


def number(value: object) -> float | None:
    """Return `value` as a float, None where it is no finite number (None, NaN, pandas' NA, text)."""
    return float(value) if isinstance(value, Real) and math.isfinite(value) else None


def half_width(value: object, low: object, high: object) -> float | None:
    """Return the larger half of the interval, so that a skewed one is never shown tighter than it is."""
    center, bottom, top = number(value), number(low), number(high)
    if center is None or bottom is None or top is None:
        return None
    return max(top - center, center - bottom)


def decimals(value: float, uncertainty: float | None) -> int:
    """Return how many decimals `value` deserves: to the place of its uncertainty's first digit."""
    if value == 0:
        return 0
    by_size = max(0, SIGNIFICANT - 1 - math.floor(math.log10(abs(value))))
    if not uncertainty or uncertainty <= 0:
        return by_size
    # An interval of almost nothing (few samples, a coarse clock) must not print a dozen digits.
    return min(max(0, -math.floor(math.log10(uncertainty))), by_size + 2)


def quantity(value: object, unit: str, low: object = None, high: object = None) -> str:
    """Return ``12.3 ms`` for 0.01234 s within ±0.1 ms; `NONE` where there is no value."""
    center = number(value)
    if center is None:
        return NONE
    scales = SCALES.get(unit, ((1.0, unit),))
    factor, shown = next((step for step in scales if abs(center) >= step[0]), scales[-1])
    half = half_width(center, low, high)
    places = decimals(center / factor, half and half / factor)
    return f"{center / factor:,.{places}f}{'' if shown in {'', TIMES} else SPACE}{shown}"


def spread(value: object, low: object, high: object) -> str:
    """Return the interval's half-width as ``±0.8 %`` of the value, empty where there is no interval."""
    center, half = number(value), half_width(value, low, high)
    if not center or half is None:
        return ""
    percent = 100 * half / abs(center)
    return f"±{percent:.{0 if percent >= 9.95 else 1 if percent >= 0.095 else 2}f}{SPACE}%"
