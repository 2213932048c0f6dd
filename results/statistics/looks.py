"""A/B comparisons: two arms in pairs of fresh processes, judged at several looks at the growing evidence.

The two processes of a pair live at the same time and are stepped in turn: `results.metrics.levels` frees their times of
the drift that they share. A pair gives a single ratio, and only pairs are replicates. The looks come after 10, 20 and
40 pairs, and share the error among them, so that three looks raise no more false alarms than a single look (Bonferroni
over the looks: simple, and slightly conservative, as the looks are correlated).
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from results.statistics.difference import FALSE_ALARMS, Difference, Verdict, chance, verdict

LOOKS: Final = {10: 0.25, 20: 0.25, 40: 0.5}
"""Share of the error that each look may use, by its number of pairs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict on some pairs. `reason` says why the verdict is ``inconclusive``."""

    verdict: Verdict
    pairs: int
    reason: str | None = None
    ratio: float | None = None
    """Geometric mean of the pairs' ratios b / a: above 1, arm b is slower."""
    low: float | None = None
    """Interval of the ratio that holds with 95 % at all looks together."""
    high: float | None = None
    p: float | None = None
    """Chance of such a ratio if the true one lies within the margin, at this look alone."""
    spread: float | None = None
    """Standard deviation of the pairs' log ratios: this machine's noise."""


def judge(ratios: Sequence[float], margin: float) -> Judged:
    """Judge the pairs' ratios b / a at the look of their number.

    A number of pairs between two looks (the time was up) uses the share of the next look, which does not happen.
    """
    pairs = len(ratios)
    if pairs < 2:
        reason = f"{pairs or 'no'} pair: the spread between pairs is unknown"
        return Judged(verdict="inconclusive", pairs=pairs, reason=reason, ratio=ratios[0] if ratios else None)
    log = np.log(np.asarray(ratios, dtype=np.float64))
    if len(set(log.tolist())) == 1:  # neighbouring ratios may share a logarithm
        reason = "zero variance: the pairs' ratios are all the same, which no clock gives"
        return Judged(verdict="inconclusive", pairs=pairs, reason=reason, ratio=ratios[0])
    share = _share(pairs)
    spread = float(log.std(ddof=1))
    change = Difference(log=float(log.mean()), error=spread / math.sqrt(pairs), degrees=pairs - 1)
    p, interval = chance(change, margin), change.interval(share)
    word = verdict(change, p, margin, share=share)
    return Judged(
        verdict=word,
        pairs=pairs,
        reason="the interval reaches over the margin" if word == "inconclusive" else None,
        ratio=interval.value,
        low=interval.low,
        high=interval.high,
        p=p,
        spread=spread,
    )


def smallest_effect(spread: float, pairs: int, margin: float, *, power: float = 0.95) -> float:
    """Return the smallest true slow-down, as a fraction, that a look at `pairs` pairs calls ``slower`` with `power`.

    It follows from the pairs' `spread` (see `Judged.spread`) by the non-central t distribution.
    """
    from scipy.special import nctdtrinc, stdtrit  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    needed = float(stdtrit(pairs - 1, 1 - _share(pairs) * FALSE_ALARMS / 2))
    shift = float(nctdtrinc(pairs - 1, 1 - power, needed))
    return math.expm1(math.log1p(margin) + shift * spread / math.sqrt(pairs))


def _share(pairs: int) -> float:
    """Return the share of the error that a look at `pairs` pairs may use."""
    for look, share in LOOKS.items():
        if pairs <= look:
            return share
    raise ValueError(f"{pairs} pairs are more than the last look has ({max(LOOKS)})")
