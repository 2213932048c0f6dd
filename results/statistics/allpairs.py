"""Tests of the differences between all pairs of cases which were measured in the same replicates.

A pair alone would have Student's paired test, but a handful of replicates hardly knows its own spread: of eleven cases
with eight replicates each, the correction for 55 pairs would hide a fifth of all differences of 5 %. So the variance of
each pair is drawn towards the typical variance of all pairs, the more the better they agree: the moderated t-test
(Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in microarray
experiments"). Where pairs differ in their spread, each keeps its own. With processes that are normal, bimodal or
heavy-tailed, with slow processes, and with spreads that differ sixfold between cases, errors in the family stayed
below 7 % from five replicates on (simulated, 3 to 21 cases).
"""

from typing import Final, NamedTuple

import numpy as np

from results.statistics.difference import holm
from results.statistics.intervals import CONFIDENCE
from results.statistics.segments import Floats

REPLICATES_TO_SHARE: Final = 5
"""Least replicates with which pairs share their variances: of fewer, a single noisy case would spoil the others."""

_FINEST: Final = 1e-4
"""Least standard deviation (of logs) between replicates, as no clock knows more."""
_PAIRS: Final = 3
"""Least pairs whose variances may be compared."""
_ALIKE: Final = 1e-3
"""Least variance of the logarithms of true variances: with less, all count as equal."""
_ROUNDS: Final = 30


class Tests(NamedTuple):
    """The differences of some pairs, on logarithms: arrays with an entry a pair, NaN where it is unknown."""

    log: Floats
    """Mean over the replicates."""
    half: Floats
    """Half-width of its 95 % interval, for this pair alone."""
    p: Floats
    """Chance of such a difference if the true one lies within the margin."""
    corrected: Floats
    """The same, corrected for the number of pairs (Holm)."""


def all_pairs(logs: Floats, cases: int, margin: float) -> Tests:
    """Test the differences of pairs of cases, each on its own, and all together.

    Args:
        logs: the difference of each pair (columns) in each replicate (rows), NaN where a replicate lacks it.
        cases: the number of cases that form the pairs.
        margin: the relative difference that does not matter; 0 tests for any difference.
    """
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415 (0.1 s that `import results` need not pay)

    known = ~np.isnan(logs)
    counts = known.sum(axis=0)
    mean = np.where(known, logs, 0.0).sum(axis=0) / np.maximum(counts, 1)
    tested = counts > 1
    degrees = np.maximum(counts - 1, 1).astype(np.float64)
    variance = np.maximum((np.where(known, logs - mean, 0.0) ** 2).sum(axis=0) / degrees, _FINEST**2)
    shared = counts >= REPLICATES_TO_SHARE
    if shared.sum() >= _PAIRS:
        variance[shared], degrees[shared] = _moderated(variance[shared], degrees[shared], cases)
    error = np.sqrt(variance / np.maximum(counts, 1))
    beyond = np.maximum(np.abs(mean) - np.log1p(margin), 0.0)
    p = np.where(tested, 2 * stdtr(degrees, -beyond / error), np.nan)
    half = np.where(tested, stdtrit(degrees, (1 + CONFIDENCE) / 2) * error, np.nan)
    corrected = np.full(p.size, np.nan)
    corrected[tested] = holm(p[tested].tolist())
    return Tests(np.where(counts > 0, mean, np.nan), half, p, corrected)


def _moderated(variance: Floats, degrees: Floats, cases: int) -> tuple[Floats, Floats]:
    """Return the variances drawn towards their typical value, and their degrees of freedom."""
    from scipy.special import digamma, polygamma  # noqa: PLC0415 (as above)

    logs = np.log(variance) - digamma(degrees / 2) + np.log(degrees / 2)
    spread = max(float(logs.var(ddof=1) - polygamma(1, degrees / 2).mean()), _ALIKE)
    prior = 2 * _inverse_trigamma(spread)
    typical = np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))
    together = degrees + prior
    return (degrees * variance + prior * typical) / together, np.minimum(together, (cases - 1) * degrees)


def _inverse_trigamma(value: float) -> float:
    """Return the number whose trigamma function is `value`, by Newton's method (Smyth 2004, appendix)."""
    from scipy.special import polygamma  # noqa: PLC0415 (as above)

    number = 0.5 + 1 / value
    for _ in range(_ROUNDS):
        trigamma = float(polygamma(1, number))
        number += trigamma * (1 - trigamma / value) / float(polygamma(2, number))
    return number
