"""A search for the fastest configuration: what was asked, and what became of each candidate."""

from typing import Annotated, Literal

from msgspec import Meta

from results.schema.case import Case
from results.schema.types import Count, Name, Seconds, Share, Stored, Text

Fate = Literal[
    "stayed",
    "slower",
    "too-slow",
    "too-large",
    "disagrees",
    "wrong",
    "cannot-win",
    "failed",
    "unsupported",
    "no-time",
]
"""``stayed``: it may be the fastest. ``slower``: than the leader beyond doubt. ``too-slow``, ``too-large``,
``disagrees``: beyond a bound that was asked for. ``wrong``: its result is. ``cannot-win``: it was not started, as what
was measured of others bounds it. ``no-time``: the time limit came before it."""


class Candidate(Stored, frozen=True, kw_only=True):
    """A candidate of a search and its fate."""

    case: Case
    fate: Fate
    reason: Text | None = None
    """In words, None for ``stayed``."""
    round: Count | None = None
    """Rounds of the race that it took part in, None where it took part in none."""
    left_s: Seconds | None = None
    """Seconds from the start of the search to its end."""


class Search(Stored, frozen=True, kw_only=True):
    """A search. A bound that was not asked for is None; the records of the same file have the times."""

    max_latency_s: Seconds | None = None
    """Seconds of a step at most."""
    max_memory_bytes: Count | None = None
    """Memory of the process, or of the accelerator, at most."""
    min_agreement: Share | None = None
    """Share of the images whose top class is that of fp32, at least."""
    min_accuracy: Share | None = None
    """Published ImageNet top-1 of the models, at least; a smaller accuracy was no candidate."""
    time_limit_s: Seconds
    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=4096)]
    """In the order in which they were tried."""
    winner: Case | None
    """None if no candidate meets the bounds."""
    reason: Text | None = None
    """Why the search ended, and without a winner which bound no candidate meets."""
    nearest: Case | None = None
    """Without a winner: the candidate that comes nearest to the bound."""
    started: Name
    """ISO 8601, UTC."""
    duration_s: Seconds
