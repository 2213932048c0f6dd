"""Numbers as text for people: a suitable unit, and as many digits as their interval justifies."""

import math
from numbers import Real
from typing import Final

from results.schema.units import UNITS
from results.text import digits, half_width, is_unknown, within

NONE: Final = "\N{EN DASH}"
"""Text of a missing value, whose reason is shown with it."""
SPACE: Final = "\N{NO-BREAK SPACE}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
"""The unit of a speed-up."""
NEVER: Final = "never"
"""An infinite number of steps."""

SCALES: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    **{symbol: unit.scales for symbol, unit in UNITS.items()},
    "MAC/s": ((1e12, "TMAC/s"), (1e9, "GMAC/s"), (1e6, "MMAC/s")),
    TIMES: ((1.0, TIMES),),
}
"""Factors and names of displayed units, the largest first; some units exist only on the page."""


def number(value: object) -> float | None:
    """Return `value` as a float, None where it is no finite number (None, NaN, pandas' NA, text)."""
    if type(value) is not float and not isinstance(value, Real):  # an abstract class takes a microsecond
        return None
    return float(value) if math.isfinite(value) else None


def relative(value: object, low: object, high: object) -> float | None:
    """Return the half-width of the interval as a fraction of the value, None where either is missing or exact."""
    center, bottom, top = number(value), number(low), number(high)
    if not center or bottom is None:
        return None
    if top is None:
        return math.inf if isinstance(high, float) and math.isinf(high) else None
    return half_width(center, bottom, top) if bottom < top else None  # a baseline over itself is exactly 1


def ends(value: object, low: object, high: object) -> tuple[float | None, float | None]:
    """Return the ends of an interval for drawing, None where it is missing or wider than the number itself."""
    half = relative(value, low, high)
    return (None, None) if half is None or is_unknown(half) else (number(low), number(high))


def quantity(value: object, unit: str, low: object = None, high: object = None) -> str:
    """Return ``12.3 ms`` for 0.01234 s within ±0.1 ms; `NONE` for a missing value."""
    center = number(value)
    if center is None:
        return NONE
    scales = SCALES[unit]
    factor, shown = next((step for step in scales if abs(center) >= step[0]), scales[-1])
    whole, point, decimals = digits(center / factor, relative(center, low, high)).partition(".")
    return f"{int(whole):,}{point}{decimals}{'' if shown in {'', TIMES} else SPACE}{shown}"


def plus_minus(half: float) -> str:
    """Return a relative half-width as ``± 0.83 %``, with two digits; ``± unknown`` for more than the number itself."""
    return within(half).replace(" ", SPACE)


def spread(value: object, low: object, high: object) -> str:
    """Return the interval's half-width by `plus_minus`, empty for a missing interval."""
    half = relative(value, low, high)
    return "" if half is None else plus_minus(half)


def steps(value: object) -> str:
    """Return a number of steps with two digits, ``never`` for infinity; `NONE` for a missing value."""
    if isinstance(value, Real) and value == math.inf:
        return NEVER
    count = number(value)
    return NONE if count is None else f"{float(f'{count:.2g}'):,.0f}"
