"""Verdicts on two sides of unpaired replicates: faster, slower, same, or inconclusive.

Separate runs share no rounds, so replicates are unpaired: the difference of the mean logs has Welch's standard error
and degrees of freedom (Welch 1947, "The generalization of 'Student's' problem").
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final, Literal

from results.statistics.intervals import CONFIDENCE, Interval

Verdict = Literal["faster", "slower", "same", "inconclusive"]

FALSE_ALARMS: Final = 0.01
"""Chance that any case of a comparison is called faster or slower although none differs by more than the margin."""

_LARGEST_LOG: Final = 709.0
"""Largest logarithm of an end of an interval: the exponential of more is infinite."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The logarithm of new / base, with its uncertainty."""

    log: float
    error: float
    """Standard error."""
    degrees: float

    def interval(self, share: float = 1.0) -> Interval:
        """Return the ratio with its 95 % interval, for this case alone.

        `share` is the part of the 5 % error that the interval may use: several looks share the error.
        """
        from scipy.special import stdtrit  # noqa: PLC0415 (0.1 s that `import results` need not pay)

        half = float(stdtrit(self.degrees, 1 - share * (1 - CONFIDENCE) / 2)) * self.error
        return Interval(*(math.exp(min(end, _LARGEST_LOG)) for end in (self.log, self.log - half, self.log + half)))


def difference(base: Sequence[float], new: Sequence[float]) -> Difference | str:
    """Return the difference of `new` and `base`, a positive number a replicate, or the reason why it is unknown."""
    logs = [[math.log(value) for value in values] for values in (base, new)]
    for side, log in zip(("BASE", "NEW"), logs, strict=True):
        if len(log) < 2:
            return f"{len(log) or 'no'} replicate in {side}: the spread between replicates is unknown"
        if len(set(log)) == 1:  # neighbouring numbers may share a logarithm
            return f"zero variance in {side}: its replicates are all the same, which no clock gives"
    means = [math.fsum(log) / len(log) for log in logs]
    shares = [
        math.fsum((value - mean) ** 2 for value in log) / (len(log) - 1) / len(log)
        for log, mean in zip(logs, means, strict=True)
    ]
    total = sum(shares)
    degrees = total**2 / sum(share**2 / (len(log) - 1) for share, log in zip(shares, logs, strict=True))
    return Difference(log=means[1] - means[0], error=math.sqrt(total), degrees=degrees)


def chance(change: Difference, margin: float) -> float:
    """Return the two-sided p-value of a ratio that in truth lies within the margin."""
    from scipy.special import stdtr  # noqa: PLC0415 (as above)

    beyond = abs(change.log) - math.log1p(margin)
    return min(1.0, 2 * float(stdtr(change.degrees, -beyond / change.error)))


def holm(chances: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the given order."""
    corrected = [0.0] * len(chances)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[index]))
        corrected[index] = highest
    return corrected


def verdict(change: Difference, corrected: float, margin: float, *, share: float = 1.0) -> Verdict:
    """Return the verdict on a case at the corrected p-value `corrected` of `chance`.

    `share` is the part of the error that this verdict may use: less than 1 where other looks follow.

    ``slower`` (``faster``): new / base lies beyond 1 + margin (below 1 / (1 + margin)), with at most `FALSE_ALARMS`
    chance of error in the whole family. Equivalently, the interval at the level that Holm's correction gives the case
    lies wholly beyond the margin. ``same``: the 95 % interval lies wholly inside the margin, two one-sided tests at
    2.5 %; no correction is needed, because a pass needs all cases to pass (Berger 1982, "Multiparameter hypothesis
    testing and acceptance sampling"). Else ``inconclusive``.
    """
    if corrected <= share * FALSE_ALARMS:
        return "slower" if change.log > 0 else "faster"
    interval = change.interval(share)
    return "same" if 1 / (1 + margin) <= interval.low and interval.high <= 1 + margin else "inconclusive"
