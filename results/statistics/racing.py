"""A race: of many candidates that take turns, those leave that cannot be the fastest any more.

This is successive elimination (Even-Dar, Mannor and Mansour 2006) on paired differences: the candidates of a round
share the machine's state, so the logarithm of a candidate's time over the leader's is free of drift. Rounds are looked
at one by one; look n may use the share 1 / (n (n + 1)) of the error, and all shares add up to 1, so that all looks
together at all candidates send the best away with a chance of at most `ERROR`.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from results.statistics.intervals import CONFIDENCE

ERROR: Final = 1 - CONFIDENCE
"""Chance that the fastest candidate leaves."""
LEAST_ROUNDS: Final = 3
"""Rounds before the first look: fewer tell nothing of the spread."""
WARM_ROUNDS: Final = 2
"""First rounds of a candidate that do not count, as it warms up."""

Key = TypeVar("Key", bound=Hashable)


class Lag(NamedTuple):
    """How much slower a candidate is than the leader, as the logarithm of the ratio, with the interval of this look."""

    log: float
    low: float
    high: float


def leader(times: Mapping[Key, Mapping[int, float]]) -> Key:
    """Return the candidate with the least mean logarithm in the rounds that it shares with all others that are warm.

    Args:
        times: for each candidate its time by round. Candidates may join late, and lead only once they are warm.
    """
    warm = {key: known for key, own in times.items() if len(known := set(_warm(own))) >= LEAST_ROUNDS}
    if not warm:
        return min(times, key=lambda key: min(times[key].values(), default=math.inf))
    shared = set.intersection(*warm.values())
    return min(warm, key=lambda key: _mean(times[key], shared or warm[key]))


def lags(times: Mapping[Key, Mapping[int, float]], best: Key) -> dict[Key, Lag]:
    """Return the lag of each other candidate to `best`, where the rounds suffice for one."""
    from scipy.special import stdtrit  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    known = {}
    for key, own in times.items():
        rounds = sorted(set(_warm(own)) & set(_warm(times[best])))
        if key == best or len(rounds) < LEAST_ROUNDS:
            continue
        count, look = len(rounds), len(rounds) - LEAST_ROUNDS + 1
        logs = [math.log(own[number] / times[best][number]) for number in rounds]
        mean = math.fsum(logs) / count
        spread = math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / (count - 1))
        share = ERROR / (len(times) - 1) / (look * (look + 1))
        half = float(stdtrit(count - 1, 1 - share / 2)) * spread / math.sqrt(count)
        known[key] = Lag(mean, mean - half, mean + half)
    return known


def beaten(known: Mapping[Key, Lag]) -> list[Key]:
    """Return the candidates that are slower than the leader beyond doubt."""
    return [key for key, lag in known.items() if lag.low > 0]


def settled(known: Mapping[Key, Lag], margin: float) -> bool:
    """Return whether every candidate is within `margin` of the leader, either way: more rounds would change nothing."""
    return all(max(abs(lag.low), abs(lag.high)) <= math.log1p(margin) for lag in known.values())


def _warm(times: Mapping[int, float]) -> Sequence[int]:
    """Return the rounds of a candidate after its warm-up."""
    return sorted(times)[WARM_ROUNDS:]


def _mean(times: Mapping[int, float], rounds: set[int]) -> float:
    return math.fsum(math.log(times[number]) for number in rounds) / len(rounds)
