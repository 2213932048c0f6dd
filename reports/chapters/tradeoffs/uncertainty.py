"""Which cases cannot be told apart: those whose 95 % intervals of the time of an image overlap."""

from typing import Any, Final

import pandas as pd

from reports.style.rows import each
from reports.style.units import SPACE, TIMES, number, plus_minus, quantity, relative

_MOST_NAMED: Final = 5
"""The most variants that a sentence names; the others are counted."""

Span = tuple[float, float]


def overlaps(row: Any, other: Any) -> bool:
    """Return whether the times of an image of two rows cannot be told apart.

    Cases of a run share its drift, and their relative times are free of it: so these intervals are compared where both
    are known, and those of the absolute times otherwise. A case without any interval is not judged.
    """
    first, second = (relative_span(row), relative_span(other)) if row.run == other.run else (None, None)
    if first is None or second is None:
        first, second = _image_span(row), _image_span(other)
    return first is not None and second is not None and first[0] <= second[1] and second[0] <= first[1]


def relative_span(row: Any) -> Span | None:
    """Return the interval of the relative time of a row; that of the reference is exactly 1."""
    if number(row.relative) is None:
        return None
    return (1.0, 1.0) if row.reference == row.model else _span(row.relative_low, row.relative_high)


def latency_span(row: Any) -> Span | None:
    """Return the interval of the latency of a row in seconds."""
    return _span(row.latency_low_s, row.latency_high_s)


def _image_span(row: Any) -> Span | None:
    span = latency_span(row)
    return span and (span[0] / row.batch_size, span[1] / row.batch_size)


def _span(low: object, high: object) -> Span | None:
    bottom, top = number(low), number(high)
    return None if bottom is None or top is None else (bottom, top)


def within_uncertainty(choice: Any, frame: pd.DataFrame) -> str:
    """Return the sentence on the variants of `frame` that cannot be told apart from the choice, empty without any."""
    alike = [row.model for row in each(frame.sort_values("latency_s")) if overlaps(choice, row)]
    names = [name for name in dict.fromkeys(alike) if name != choice.model]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f" Within the uncertainty: {', '.join(names[:_MOST_NAMED])}{more}." if names else ""


def relative_cost(row: Any) -> str:
    """Return the sentence on the time of a row over that of the reference, empty where its interval is not known."""
    half = relative(row.relative, row.relative_low, row.relative_high)
    if half is None or not isinstance(row.reference, str) or row.reference == row.model:
        return ""
    value = quantity(row.relative, "1", row.relative_low, row.relative_high)
    return f" {row.model} costs {value}{SPACE}{TIMES}{SPACE}{row.reference}, {plus_minus(half)}."
