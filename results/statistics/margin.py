"""The relative difference that does not matter."""

from typing import Final

from results.errors import InputError

MARGIN: Final = 0.02
"""Differences of less count as none, unless the caller says otherwise."""


def check_margin(margin: float) -> None:
    """Raise `InputError` unless `margin`, the relative difference that does not matter, is above 0 and below 1.

    At 0 no case is ever ``same``, so unchanged code could never pass.
    """
    if not 0 < margin < 1:
        raise InputError(f"margin {margin:g} is not between 0 and 1 (0.02 is 2 %)")
