"""Whose is each moment of a timeline on which spans overlap: `owned`."""

import dataclasses
import heapq
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A span that claims its time; of those at the same moment, the least `rank` owns it."""

    start: int
    end: int
    rank: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """A time that nobody claims."""

    start: int
    end: int
    following: int | None
    """Index of the claim that ends it; None at the end of the timeline."""


def owned(claims: Sequence[Claim], start: int, end: int) -> tuple[list[int], list[Gap]]:
    """Return the time that each claim owns between `start` and `end`, and the gaps; together they are that time.

    Of claims of equal rank the earlier in `claims` owns the time.
    """
    own = [0] * len(claims)
    gaps: list[Gap] = []
    waiting: list[tuple[tuple[int, ...], int]] = []
    now = start
    order = sorted(range(len(claims)), key=lambda index: claims[index].start)
    for index in [*order, None]:
        until = end if index is None else min(end, max(start, claims[index].start))
        while waiting and now < until:
            owner = waiting[0][1]
            stop = min(claims[owner].end, until)
            own[owner] += max(0, stop - now)
            now = max(now, stop)
            if claims[owner].end <= now:
                heapq.heappop(waiting)
        if now < until:
            gaps.append(Gap(now, until, index))
            now = until
        if index is not None:
            heapq.heappush(waiting, (claims[index].rank, index))
    return own, gaps
