"""Is this machine fit to measure, and how small a difference can it show in a given time?

The checks look at the machine; an A/A run, in which both arms are the same case, shows its noise floor. What that
resolves follows from the spread of the pairs alone (see `results.statistics.looks`).
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from bench.doctor import host
from bench.doctor.checks import CHECKS, Check
from bench.doctor.gpu import gpu_checks
from bench.machine.noise import Watch
from bench.process import ask
from bench.process.forkserver import ForkServer
from reports.text.grid import lines_text, percent, text_table
from results.metrics.rows import json_text
from results.schema.record import Noise
from results.statistics.intervals import CONFIDENCE
from results.statistics.looks import LOOKS, Judged, smallest_effect
from results.statistics.margin import MARGIN

if TYPE_CHECKING:
    from bench.schedule.progress import Listener
    from results.analysis.ab import Paired

MODEL: Final = "resnet18"
MINUTES: Final = (60.0, 120.0, 300.0)
"""Seconds for which the smallest effects are told, beside those of the A/A run."""

Form = Literal["table", "json"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a comparison of so many seconds resolves; None where they are too few for the first look."""

    seconds: float
    pairs: int | None
    """At the last look that fits."""
    slower: float | None
    """Smallest true slow-down, as a fraction, that is called ``slower`` in 95 % of the runs."""
    same: float | None
    """Smallest margin, as a fraction, at which two equal arms are called ``same`` in 95 % of the runs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """This machine's noise floor, from an A/A run."""

    case: str
    """Key of the case that both arms were."""
    margin: float
    judged: Judged
    spread_low: float | None
    """95 % interval of `Judged.spread`."""
    spread_high: float | None
    pair_s: float | None
    resolutions: tuple[Resolution, ...]
    noise: Noise
    """Signs of disturbance while it ran."""
    nulls: dict[str, str]
    """Why a field of `noise` is None."""
    reasons: tuple[str, ...]
    """What else speaks against believing it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the doctor found."""

    device: str
    checks: tuple[Check, ...]
    floor: Floor | None

    @property
    def fit(self) -> bool:
        """Whether nothing is bad."""
        return all(check.state != "bad" for check in self.checks)

    @property
    def verdict(self) -> str:
        """The findings in one line."""
        bad = [check.name for check in self.checks if check.state == "bad"]
        warned = sum(check.state == "warn" for check in self.checks)
        if bad:
            return f"not fit: {', '.join(bad)}"
        return f"fit, with {warned} {'warning' if warned == 1 else 'warnings'}" if warned else "fit to measure"


def full_name(device: str) -> str:
    """Return the full name of ``auto``, ``cuda``… as a worker finds it: asking torch here would make a context.

    Raises:
        InputError: there is no such device, or torch does not work.
    """
    if device == "cpu":
        return device
    with ForkServer() as server:
        names, _ = ask.environment(server, {device})
    return names[0]


def checks(device: str) -> list[Check]:
    """Look for a moment at this machine and at `device`, a full name such as ``cpu`` or ``cuda:0``."""
    seen = host.look()
    return [*(check(seen) for check in CHECKS), *([] if device == "cpu" else gpu_checks(device))]


def examine(
    device: str,
    *,
    model: str = MODEL,
    batch_size: int = 1,
    time_s: float = 60.0,
    aa: Callable[..., "Paired"] | None = None,
    listener: "Listener | None" = None,
    look: Callable[[str], Sequence[Check]] = checks,
) -> Findings:
    """Check the machine, and measure its noise floor where `aa` is given.

    Args:
        device: full name of the device.
        model: what both arms are; with `batch_size` images.
        batch_size: images a step.
        time_s: seconds for the A/A run.
        aa: measures it, as `bench.ab` does; None leaves it out.
        listener: is told of its progress.
        look: how to check the machine.

    Raises:
        InputError: there is no such model.
    """
    found = list(look(device))
    if aa is None:
        return Findings(device=device, checks=tuple(found), floor=None)
    measured = floor(aa, device, axes={"model": model, "batch_size": batch_size}, time_s=time_s, listener=listener)
    return Findings(device=device, checks=(*found, equal_arms(measured.judged, measured.reasons)), floor=measured)


def floor(
    aa: Callable[..., "Paired"],
    device: str,
    *,
    axes: Mapping[str, str | int],
    time_s: float,
    listener: "Listener | None" = None,
) -> Floor:
    """Compare a case with itself, and return what that says of this machine."""
    from bench.schedule.ab import Side  # noqa: PLC0415 (imports what only an A/A run needs)

    side = Side(axes=axes)
    watch = Watch(device)
    paired = aa(side, side, margin=MARGIN, device=device, out=None, listener=listener, time_limit_s=time_s)
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
    )


def resolutions(spread: float | None, pair_s: float | None, margin: float, time_s: float) -> tuple[Resolution, ...]:
    """Return what comparisons resolve in the seconds of `MINUTES` and in `time_s`; nothing without a spread."""
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
    """Return the smallest margin, as a fraction, at which a look at so many pairs calls equal arms ``same`` that often.

    The interval of that look must lie inside the margin on both sides; by the t distribution, as `smallest_effect`.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 (0.1 s that only this needs)

    error = LOOKS[pairs] * (1 - CONFIDENCE)
    quantiles = [float(stdtrit(pairs - 1, 1 - tails / 2)) for tails in (error, 1 - power)]
    return math.expm1(sum(quantiles) * spread / math.sqrt(pairs))


def spread_interval(spread: float, pairs: int) -> tuple[float, float]:
    """Return the 95 % interval of a standard deviation that so many pairs show, by the chi-squared distribution."""
    from scipy.special import chdtri  # noqa: PLC0415 (as above)

    tail = (1 - CONFIDENCE) / 2
    return (
        spread * math.sqrt((pairs - 1) / float(chdtri(pairs - 1, tail))),
        spread * math.sqrt((pairs - 1) / float(chdtri(pairs - 1, 1 - tail))),
    )


def equal_arms(judged: Judged, reasons: Sequence[str] = ()) -> Check:
    """Two equal arms that differ show that no comparison on this machine can be believed.

    `reasons` speak against believing the pairs, whatever they show.
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


def findings_text(findings: Findings, form: Form) -> str:
    """Return the findings as text, ending in a newline: the verdict, the checks, the noise floor."""
    if form == "json":
        return json_text({"verdict": findings.verdict, "fit": findings.fit, **dataclasses.asdict(findings)})
    rows = [[check.name, check.state, check.seen, check.remedy or ""] for check in findings.checks]
    text = lines_text([findings.verdict, ""], "table") + text_table(["check", "state", "seen", "what to do"], rows)
    return text if findings.floor is None else text + lines_text([""], "table") + _floor_text(findings.floor)


def _floor_text(floor: Floor) -> str:
    lines = [f"A/A run of {floor.case}: {floor.judged.pairs} pairs"]
    spread, low, high = floor.judged.spread, floor.spread_low, floor.spread_high
    if spread is None or low is None or high is None:
        lines.append(f"no noise floor: {floor.judged.reason or 'the pairs tell no spread'}")
    else:
        span = f"{percent(low)} to {percent(high)} %"
        lines.append(f"noise floor: a pair's ratio spreads by {percent(spread)} % (sd; 95 % interval {span})")
    lines += [f"meanwhile: {_meanwhile(floor.noise)}", *floor.reasons]
    if not floor.resolutions:
        return lines_text(lines, "table")
    lines += ["", f"smallest effects, at a margin of {100 * floor.margin:g} %, each told in 95 % of the runs"]
    heads = ["seconds", "pairs", "slow-down called slower", "margin at which equal is called same"]
    rows = [
        [f"{each.seconds:g}", str(each.pairs or f"less than {min(LOOKS)}"), _share(each.slower), _share(each.same)]
        for each in floor.resolutions
    ]
    return lines_text(lines, "table") + text_table(heads, rows, numbers_from=0)


def _meanwhile(noise: Noise) -> str:
    figures: dict[str, Any] = {
        "other load {:.2f} CPUs": noise.other_cpus,
        "steal {:.2f} CPUs": noise.steal,
        "cpu pressure {:.2f}": noise.cpu_pressure,
        "memory pressure {:.2f}": noise.memory_pressure,
        "stopped by the cpu limit {:.2f} s": noise.throttled_s,
    }
    told = [form.format(value) for form, value in figures.items() if value is not None]
    held = [f"clocks held by {', '.join(noise.accelerator_throttling)}"] if noise.accelerator_throttling else []
    return ", ".join([*told, *held]) or "this system tells nothing of it"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{percent(value)} %"
