"""The noise floor of this machine: an A/A run, in which both arms are the same case.

The resolution of a comparison follows from the spread of the pairs alone (see `results.statistics.looks`).
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench.doctor.checks import Check
from bench.machine.noise import Watch
from bench.schedule.ab import ArmSetup
from bench.schedule.progress import Show, ignore
from results.analysis.ab import Paired
from results.schema.lines.record import Noise
from results.statistics.intervals import CONFIDENCE
from results.statistics.looks import LOOKS, Judged, smallest_effect
from results.statistics.margin import MARGIN

MINUTES: Final = (60.0, 120.0, 300.0)
"""Seconds of comparisons whose resolution is computed, besides the seconds of the A/A run."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The resolution of a comparison of some seconds; None where they are too few for the first look."""

    seconds: float
    pairs: int | None
    """Pairs of the last look that fits."""
    slower: float | None
    """Smallest true slow-down, as a fraction, that is called ``slower`` in 95 % of the runs."""
    same: float | None
    """Smallest margin, as a fraction, at which two equal arms are called ``same`` in 95 % of the runs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The noise floor of this machine, from an A/A run."""

    case: str
    """Key of the case of both arms."""
    margin: float
    judged: Judged
    spread_low: float | None
    """95 % interval of `Judged.spread`."""
    spread_high: float | None
    pair_s: float | None
    resolutions: tuple[Resolution, ...]
    noise: Noise
    """Signs of disturbance of the host during the A/A run."""
    nulls: dict[str, str]
    """Why a field of `noise` is None."""
    reasons: tuple[str, ...]
    """Further doubts about the noise floor."""
    notices: tuple[str, ...]
    """Warnings of the arms' processes, among them those of an accelerator."""


def floor(
    aa: Callable[..., Paired],
    device: str,
    *,
    axes: Mapping[str, str | int],
    time_s: float,
    show: Show = ignore,
) -> Floor:
    """Compare a case with itself, and return the noise floor of this machine."""
    setup = ArmSetup(axes=axes)
    watch = Watch()
    paired = aa(setup, setup, margin=MARGIN, device=device, out=None, show=show, time_limit_s=time_s)
    noise, nulls = watch.noise()
    spread, pairs = paired.judged.spread, paired.judged.pairs
    low, high = (None, None) if spread is None else spread_interval(spread, pairs)
    return Floor(
        case=paired.a.key,
        margin=paired.margin,
        judged=paired.judged,
        spread_low=low,
        spread_high=high,
        pair_s=paired.pair_s,
        resolutions=resolutions(spread, paired.pair_s, paired.margin, time_s),
        noise=noise,
        nulls=nulls,
        reasons=paired.reasons,
        notices=paired.notices,
    )


def resolutions(spread: float | None, pair_s: float | None, margin: float, time_s: float) -> tuple[Resolution, ...]:
    """Return the resolution of comparisons of the seconds in `MINUTES` and of `time_s`; empty without a spread."""
    if spread is None or pair_s is None:
        return ()
    return tuple(_resolution(spread, pair_s, margin, seconds) for seconds in sorted({*MINUTES, time_s}))


def _resolution(spread: float, pair_s: float, margin: float, seconds: float) -> Resolution:
    pairs = max((look for look in LOOKS if look * pair_s <= seconds), default=None)
    if pairs is None:
        return Resolution(seconds=seconds, pairs=None, slower=None, same=None)
    slower = smallest_effect(spread, pairs, margin)
    return Resolution(seconds=seconds, pairs=pairs, slower=slower, same=smallest_margin(spread, pairs))


def smallest_margin(spread: float, pairs: int, *, power: float = 0.95) -> float:
    """Return the smallest margin, as a fraction, at which a look calls equal arms ``same`` with the given power.

    The interval of that look must lie inside the margin on both sides; by the t distribution, as `smallest_effect`.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 (0.1 s that only this needs)

    error = LOOKS[pairs] * (1 - CONFIDENCE)
    quantiles = [float(stdtrit(pairs - 1, 1 - tails / 2)) for tails in (error, 1 - power)]
    return math.expm1(sum(quantiles) * spread / math.sqrt(pairs))


def spread_interval(spread: float, pairs: int) -> tuple[float, float]:
    """Return the 95 % interval of the standard deviation of some pairs, by the chi-squared distribution."""
    from scipy.special import chdtri  # noqa: PLC0415 (as above)

    tail = (1 - CONFIDENCE) / 2
    return (
        spread * math.sqrt((pairs - 1) / float(chdtri(pairs - 1, tail))),
        spread * math.sqrt((pairs - 1) / float(chdtri(pairs - 1, 1 - tail))),
    )


def equal_arms(judged: Judged, reasons: Sequence[str] = ()) -> Check:
    """Check the verdict on two equal arms: if they differ, comparisons on this machine are not reliable.

    `reasons` are doubts about the pairs, independent of the verdict.
    """
    name = "A/A run"
    if judged.ratio is None or judged.low is None or judged.high is None:
        return Check(name=name, state="unknown", seen=judged.reason or "no pair was measured")
    seen = f"b / a = {judged.ratio:.4f} ({judged.low:.4f} to {judged.high:.4f}) after {judged.pairs} pairs"
    if judged.verdict == "same" and reasons:
        return Check(name=name, state="warn", seen=f"{seen}: same, with doubts", remedy=f"see to this: {reasons[0]}")
    if judged.verdict == "same":
        return Check(name=name, state="good", seen=f"{seen}: same")
    if judged.verdict == "inconclusive":
        remedy = "give it a longer --time, and see to the warnings above"
        return Check(name=name, state="warn", seen=f"{seen}: inconclusive", remedy=remedy)
    remedy = "trust no comparison here: see to what is bad, then run doctor again"
    return Check(name=name, state="bad", seen=f"{seen}: equal arms differ", remedy=remedy)
