"""The exception for bad input, whose message is the single line that a person reads."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """An input is invalid; the message names the problem and its remedy."""


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'resnet50'?"`` for the nearest of `choices`, or ``""`` where none is near."""
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
