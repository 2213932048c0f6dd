"""The relative difference that does not matter."""

from typing import Final

from results.errors import InputError

MARGIN: Final = 0.02
"""Margin by default: smaller differences count as none."""


def check_margin(margin: float) -> None:
    """Raise `InputError` unless `margin`, the relative difference that does not matter, is above 0 and below 1.

    A margin of 0 would never allow ``same``, so that unchanged code could not pass.
    """
    if not 0 < margin < 1:
        raise InputError(f"margin {margin:g} is not between 0 and 1 (0.02 is 2 %)")
