"""Comparing two sides of runs: what became faster or slower, and what cannot be said.

The gate fails closed: whatever is missing, damaged or not comparable makes the outcome ``inconclusive``, never
``pass``. Times are only judged on the same hardware; counts must be exactly equal everywhere, and so must be whether a
result is right. The two sides were measured at different times, so a machine that was busy during one of them differs
although its code does not: where most replicates of a side say that it was, nothing is called faster or slower.
"""

import dataclasses
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from results import differences
from results.differences import Change
from results.errors import InputError
from results.metrics import measure
from results.sanity import NOISES, TOLERATED, kind, warnings
from results.schema import AXES, Case, Record
from results.store import Records
from results.verdicts import Difference, Verdict, chance, difference, holm, verdict

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["pass", "regression", "inconclusive"]

MARGIN: Final = 0.02
"""Differences of less are not worth a word, unless the caller says otherwise."""

_REMEDY: Final = "measure again, or use `resnet-bench ab`, as unpaired runs cannot tell load from change"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One case on both sides. A value that could not be had is None, and `reason` says why."""

    case: Case
    verdict: Verdict
    reason: str | None = None
    """Why nothing is judged, or what the judgement rests on if not on times."""
    broken: bool = False
    """Whether it worked in the base and no longer does, or computed what is right and no longer does."""
    base_replicates: int = 0
    new_replicates: int = 0
    base_latency_s: float | None = None
    """Geometric mean over the replicates."""
    new_latency_s: float | None = None
    ratio: float | None = None
    """Latency new / base: above 1 is slower."""
    low: float | None = None
    """95 % interval of the ratio, for this case alone."""
    high: float | None = None
    p: float | None = None
    """Chance of such a ratio if the true one lies within the margin, corrected for the number of cases (Holm)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that `compare` found."""

    margin: float
    cases: tuple[Compared, ...]
    """In the order of the base; cases that only one side has are there with their reason."""
    vanished: tuple[Case, ...]
    """Cases of the base that are not in the new runs."""
    added: tuple[Case, ...]
    """Cases of the new runs that are not in the base."""
    counts: tuple[Change, ...]
    """Static counts that differ."""
    environment: tuple[Change, ...]
    """Fields of the environment that differ."""
    same_hardware: bool
    reasons: tuple[str, ...]
    """Why this comparison cannot pass, whatever its cases say."""

    @property
    def outcome(self) -> Outcome:
        """``regression``: a case is slower or broken, or a count differs. ``pass``: all are faster or the same."""
        if self.counts or any(one.verdict == "slower" or one.broken for one in self.cases):
            return "regression"
        if self.reasons or any(one.verdict == "inconclusive" for one in self.cases):
            return "inconclusive"
        return "pass"

    def frame(self) -> "pd.DataFrame":
        """Return a tidy frame, one row a case: its axes, both latencies in seconds, ratio, interval and verdict."""
        import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

        fields = [field.name for field in dataclasses.fields(Compared) if field.name != "case"]
        rows = [
            [getattr(one.case, axis) for axis in AXES] + [getattr(one, field) for field in fields] for one in self.cases
        ]
        frame = pd.DataFrame(rows, columns=[*AXES, *fields])
        return frame.astype(dict.fromkeys(("base_latency_s", "new_latency_s", "ratio", "low", "high", "p"), "float64"))


def compare(base: Records, new: Records, *, margin: float = MARGIN) -> Comparison:
    """Compare two sides, case by case, each of one or more run files as `results.load` gives them.

    Each ratio new / base of latencies has an interval across replicates and a verdict (see `results.verdicts`).
    Hardware is the same if CPU, usable cores, CPU limit, memory (to 1 %) and accelerators are, in all runs of both.

    Args:
        base: what is compared with.
        new: what is judged.
        margin: the relative difference that does not matter: 0.02 is 2 %, up or down.

    Raises:
        InputError: The margin is not between 0 and 1, or a run is on both sides.
    """
    if not 0 < margin < 1:
        raise InputError(f"margin {margin:g} is not between 0 and 1 (0.02 is 2 %)")
    twice = {file.run.id for file in base.files} & {file.run.id for file in new.files}
    if twice:
        raise InputError(f"run {min(twice)} is on both sides; compare it with another one")
    befores, afters = _by_case(base), _by_case(new)
    same_hardware = differences.same_hardware(base, new)
    vanished = tuple(case for case in befores if case not in afters)
    added = tuple(case for case in afters if case not in befores)
    cases = [
        _case(
            case,
            _Side("BASE", befores[case], _warnings(base, befores[case])),
            _Side("NEW", afters[case], _warnings(new, afters[case])),
            same_hardware=same_hardware,
        )
        if case in afters
        else _alone(case, "only in BASE: it vanished")
        for case in befores
    ]
    cases += [_alone(case, "only in NEW: there is nothing to compare it with") for case in added]
    barrier = None if same_hardware else "other hardware: times are shown and not judged"
    counts, uncounted = differences.counts(base, new, [case for case in befores if case in afters])
    return Comparison(
        margin=margin,
        cases=tuple(_judged(cases, margin, barrier or differences.settings(base, new))),
        vanished=vanished,
        added=added,
        counts=counts,
        environment=differences.environment(base, new),
        same_hardware=same_hardware,
        reasons=(
            *base.problems,
            *new.problems,
            *((barrier,) if barrier else ()),
            *_moved(vanished, added),
            *uncounted,
            *(() if len(vanished) < len(befores) else ("no case is on both sides",)),
        ),
    )


def _by_case(records: Records) -> dict[Case, list[Record]]:
    """Return the replicates of each case over all files; one that was measured again counts as it was last."""
    found: dict[Case, list[Record]] = {}
    for file in records.files:
        for case, replicates in file.cases().items():
            found.setdefault(case, []).extend(replicates.values())
    return found


def _warnings(records: Records, replicates: Iterable[Record]) -> list[tuple[str, ...]]:
    return [warnings(record, records.static(record), records.run(record).peaks) for record in replicates]


def _alone(case: Case, reason: str) -> "_Pending":
    return _Pending(Compared(case=case, verdict="inconclusive", reason=reason), None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Side:
    """One case on one side."""

    name: Literal["BASE", "NEW"]
    records: Sequence[Record]
    warnings: Sequence[tuple[str, ...]]
    """Those of each record."""

    def first(self, *, wrong: bool) -> str | None:
        """Return the first warning of a wrong result, or the first of the others that are not tolerated."""
        lines = [line for found in self.warnings for line in found]
        kept = [line for line in lines if (kind(line) == "wrong") == wrong and kind(line) not in TOLERATED]
        return next(iter(kept), None)

    def disturbed(self) -> str | None:
        """Return the signs of noise, where most of the records carry one."""
        signs = [{kind(line) for line in found} & NOISES for found in self.warnings]
        count = sum(map(bool, signs))
        if 2 * count <= len(signs):
            return None
        return f"{', '.join(sorted(set().union(*signs)))} in {self.name}, in {count} of {len(signs)} processes"


@dataclasses.dataclass(frozen=True, slots=True)
class _Pending:
    """A case that still has to be judged, unless it has no difference."""

    compared: Compared
    found: Difference | None
    disturbed: str | None = None
    """Why a difference may be one of load."""


def _case(case: Case, before: _Side, after: _Side, *, same_hardware: bool) -> _Pending:
    """Return what both sides measured; the reason of what cannot be judged is the first that applies."""
    sides = (before, after)
    latencies = [_latencies(side.records) for side in sides]
    compared = Compared(
        case=case,
        verdict="inconclusive",
        base_replicates=len(latencies[0]),
        new_replicates=len(latencies[1]),
        base_latency_s=_mean(latencies[0]),
        new_latency_s=_mean(latencies[1]),
    )
    statuses = [{record.status for record in side.records} for side in sides]
    if statuses == [{"unsupported"}, {"unsupported"}]:
        return _Pending(dataclasses.replace(compared, verdict="same", reason="unsupported on both sides"), None)
    for side in sides:
        failed = next((record for record in side.records if record.status != "ok"), None)
        if failed is not None:
            broken = same_hardware and side is after  # the base has been found sound by then
            reason = f"{failed.status} in {side.name}: {failed.cause or 'no cause given'}"
            return _Pending(dataclasses.replace(compared, broken=broken, reason=reason), None)
    for side in sides:
        wrong = side.first(wrong=True)
        if wrong is not None:  # what is right does not hang on the hardware
            return _Pending(dataclasses.replace(compared, broken=side is after, reason=f"{side.name}: {wrong}"), None)
    for side in sides:
        doubt = side.first(wrong=False)
        if doubt is not None:
            return _Pending(dataclasses.replace(compared, reason=f"{side.name}: {doubt}"), None)
    found = difference(*latencies)
    if isinstance(found, str):
        ratio = compared.new_latency_s / compared.base_latency_s if all(latencies) else None  # type: ignore[operator]
        return _Pending(dataclasses.replace(compared, ratio=ratio, reason=found), None)
    span = found.interval()
    disturbed = "; ".join(filter(None, (side.disturbed() for side in sides))) or None
    compared = dataclasses.replace(compared, ratio=span.value, low=span.low, high=span.high)
    return _Pending(compared, found, disturbed)


def _latencies(records: Iterable[Record]) -> list[float]:
    found = [measure(record, None).metrics["latency_s"] for record in records if record.status == "ok"]
    return [latency for latency in found if latency is not None]


def _mean(values: Sequence[float]) -> float | None:
    return statistics.geometric_mean(values) if values else None


def _judged(cases: Sequence[_Pending], margin: float, barrier: str | None) -> Iterable[Compared]:
    """Yield the cases with their verdicts; a `barrier` leaves all that have times without one."""
    corrected = iter(holm([chance(one.found, margin) for one in cases if one.found is not None]))
    for one in cases:
        if one.found is None:
            yield one.compared
        elif barrier is not None:
            yield dataclasses.replace(one.compared, reason=barrier)
        else:
            p = next(corrected)
            word = verdict(one.found, p, margin)
            reason = "the interval reaches over the margin: more replicates tell" if word == "inconclusive" else None
            if word in {"faster", "slower"} and one.disturbed is not None:
                word, reason = "inconclusive", f"{word}, but {one.disturbed}: {_REMEDY}"
            yield dataclasses.replace(one.compared, p=p, verdict=word, reason=reason)


def _moved(vanished: Sequence[Case], added: Sequence[Case]) -> list[str]:
    """Tell of cases that are on both sides, but for the device or the number of threads."""
    elsewhere = {dataclasses.replace(case, device="-", threads=1): case for case in added}
    reasons = []
    for case in vanished:
        other = elsewhere.get(dataclasses.replace(case, device="-", threads=1))
        if other is not None:
            what = f"{case.device} with {case.threads} threads in BASE, {other.device} with {other.threads} in NEW"
            reasons.append(f"cases are not matched across devices or numbers of threads: {what}")
    return list(dict.fromkeys(reasons))
