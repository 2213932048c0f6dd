"""Statistics of seeds: intervals of accuracies, and whether two sides of seeds differ.

A seed gives a number that is known between two bounds only: the time to an accuracy lies between two validations, and
an accuracy is a count of images. A difference counts only where all numbers between the bounds show it.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final, Literal

from results.statistics.intervals import CONFIDENCE, Interval

Direction = Literal["more", "less"]

LEAST_SEEDS: Final = 2
"""Fewer seeds have no spread."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The number of a seed, and the bounds between which it is known; infinite where the seed never got there."""

    low: float
    value: float
    high: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What two sides of seeds show."""

    direction: Direction
    """Direction of new against base for which there is more evidence."""
    p: float
    """Two-sided chance of such numbers if the true difference lies within the margin."""
    equivalent: bool
    """Whether the 95 % interval of the difference lies inside the margin, for all numbers between the bounds."""
    interval: Interval | None
    """Mean of new less mean of base with its 95 % interval; None where a seed has no finite number."""
    test: Literal["Welch", "ranks"]


def wilson(correct: int, count: int) -> Interval:
    """Return the share of `correct` among `count` trials with its 95 % binomial interval (Wilson 1927)."""
    from scipy.special import ndtri  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    z2 = float(ndtri((1 + CONFIDENCE) / 2)) ** 2
    share = correct / count
    center = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2 * share * (1 - share) / count + z2**2 / (4 * count**2)) / (1 + z2 / count)
    return Interval(share, max(0.0, center - half), min(1.0, center + half))


def mean_over_seeds(values: Sequence[float]) -> Interval | None:
    """Return the arithmetic mean of the seeds with its t-interval; None below `LEAST_SEEDS` seeds."""
    if len(values) < LEAST_SEEDS:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415 (as above)

    mean = math.fsum(values) / len(values)
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * math.sqrt(_variance(values) / len(values))
    return Interval(mean, mean - half, mean + half)


def contrast(base: Sequence[Bracket], new: Sequence[Bracket], margin: float) -> Contrast:
    """Compare two sides of `LEAST_SEEDS` seeds or more; `margin` is the difference that does not matter.

    Where all numbers are finite: Welch's t test, in which the variance of a side is at least that of numbers spread
    evenly between their bounds. Else the exact permutation test of the sum of ranks (Pitman 1937; Wilcoxon 1945), in
    which a seed that never got there has the last rank.
    """
    known = all(math.isfinite(seed.value) for seed in (*base, *new))
    chance = _welch_chance if known else rank_chance
    more = chance([seed.high for seed in base], [seed.low for seed in new], margin, _floors(base, new))
    less = chance([-seed.low for seed in base], [-seed.high for seed in new], margin, _floors(base, new))
    return Contrast(
        direction="more" if more <= less else "less",
        p=min(more, less),
        equivalent=known and _equivalent(base, new, margin),
        interval=_shift([seed.value for seed in base], [seed.value for seed in new]).interval() if known else None,
        test="Welch" if known else "ranks",
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Shift:
    """The mean of new less the mean of base."""

    value: float
    error: float
    degrees: float

    def interval(self) -> Interval:
        from scipy.special import stdtrit  # noqa: PLC0415 (as above)

        half = float(stdtrit(self.degrees, (1 + CONFIDENCE) / 2)) * self.error
        return Interval(self.value, self.value - half, self.value + half)


def _shift(base: Sequence[float], new: Sequence[float], floors: tuple[float, float] = (0.0, 0.0)) -> _Shift:
    shares = [max(_variance(values), floor) / len(values) for values, floor in zip((base, new), floors, strict=True)]
    total = sum(shares)
    means = [math.fsum(values) / len(values) for values in (base, new)]
    parts = [share**2 / (len(values) - 1) for share, values in zip(shares, (base, new), strict=True)]
    degrees = total**2 / sum(parts) if total else 1.0
    return _Shift(means[1] - means[0], math.sqrt(total), degrees)


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _floors(base: Sequence[Bracket], new: Sequence[Bracket]) -> tuple[float, float]:
    """Return the least variance of each side: a number is known no better than its bounds."""

    def floor(seeds: Sequence[Bracket]) -> float:
        widths = [seed.high - seed.low for seed in seeds if math.isfinite(seed.low) and math.isfinite(seed.high)]
        return (math.fsum(widths) / len(widths)) ** 2 / 12 if widths else 0.0

    return floor(base), floor(new)


def _welch_chance(base: Sequence[float], new: Sequence[float], margin: float, floors: tuple[float, float]) -> float:
    """Return the two-sided chance of a mean of new so far above that of base if it lies within the margin."""
    from scipy.special import stdtr  # noqa: PLC0415 (as above)

    if not all(map(math.isfinite, (*base, *new))):  # a bound is open, so nothing is known of the difference
        return 1.0
    shift = _shift(base, new, floors)
    beyond = shift.value - margin
    if shift.error == 0:
        return 0.0 if beyond > 0 else 1.0
    return min(1.0, 2 * float(stdtr(shift.degrees, -beyond / shift.error)))


def _equivalent(base: Sequence[Bracket], new: Sequence[Bracket], margin: float) -> bool:
    floors = _floors(base, new)
    least = _shift([seed.high for seed in base], [seed.low for seed in new], floors)
    most = _shift([seed.low for seed in base], [seed.high for seed in new], floors)
    if not all(map(math.isfinite, (least.value, most.value))):
        return False
    return least.interval().low >= -margin and most.interval().high <= margin


def rank_chance(base: Sequence[float], new: Sequence[float], margin: float = 0.0, *_: object) -> float:
    """Return the exact two-sided chance of ranks of `new` so high among all numbers, of which any may be infinite.

    Every division of the numbers into two sides is as likely as any other, if new exceeds base by the margin at most.
    """
    shifted = [value + margin for value in base]
    ranks = _double_ranks([*shifted, *new])
    observed = sum(ranks[len(base) :])
    sums: list[dict[int, int]] = [{0: 1}, *({} for _ in new)]
    for rank in ranks:
        for size in range(len(new), 0, -1):
            for total, ways in sums[size - 1].items():
                sums[size][total + rank] = sums[size].get(total + rank, 0) + ways
    as_high = sum(ways for total, ways in sums[-1].items() if total >= observed)
    return min(1.0, 2 * as_high / math.comb(len(ranks), len(new)))


def _double_ranks(values: Sequence[float]) -> list[int]:
    """Return twice the rank of each value; equal values share the mean of their ranks."""
    return [sum(other < value for other in values) + sum(other <= value for other in values) + 1 for value in values]
