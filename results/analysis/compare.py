"""Comparing two sides of runs: what became faster or slower, and what cannot be said.

The gate fails closed: whatever is missing, damaged or not comparable makes the outcome ``inconclusive``, never
``pass``. Times are only judged on the same hardware, so where the sides hold runs of several machines each machine is
compared with itself; counts must be exactly equal everywhere, and so must be whether a result is right. The two sides
were measured at different times, so a machine that was busy during one of them differs although its code does not:
where most replicates of a side say that it was, nothing is called faster or slower.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from results.analysis import differences
from results.analysis.differences import Change
from results.analysis.machines import Machine, described, machines
from results.analysis.sides import Side, by_case
from results.analysis.study import Study
from results.errors import InputError
from results.schema.axes import AXES
from results.schema.case import Case
from results.statistics.difference import Difference, Verdict, chance, difference, holm, verdict
from results.statistics.intervals import geometric_mean
from results.statistics.margin import MARGIN, check_margin
from results.storage.reader import Records

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["pass", "regression", "inconclusive"]

_REMEDY: Final = "measure again, or use `resnet-bench ab`, as unpaired runs cannot tell load from change"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One case on both sides. A value that could not be had is None, and `reason` says why."""

    case: Case
    machine: str | None = None
    """Where it was measured, if the sides hold runs of several machines."""
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
    """The result of `compare`."""

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
    runs: tuple[str, ...]
    """How each run was measured, a line each."""

    @property
    def outcome(self) -> Outcome:
        """``regression``: a case is slower or broken, or a count differs. ``pass``: all are faster or the same."""
        if self.counts or any(case.verdict == "slower" or case.broken for case in self.cases):
            return "regression"
        if self.reasons or any(case.verdict == "inconclusive" for case in self.cases):
            return "inconclusive"
        return "pass"

    def frame(self) -> "pd.DataFrame":
        """Return a tidy frame, one row a case: its axes, both latencies in seconds, ratio, interval and verdict."""
        import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

        fields = [field.name for field in dataclasses.fields(Compared) if field.name != "case"]
        rows = [
            [getattr(compared.case, axis) for axis in AXES] + [getattr(compared, field) for field in fields]
            for compared in self.cases
        ]
        frame = pd.DataFrame(rows, columns=[*AXES, *fields])
        return frame.astype(dict.fromkeys(("base_latency_s", "new_latency_s", "ratio", "low", "high", "p"), "float64"))


def compare(base: Records | Study, new: Records | Study, *, margin: float = MARGIN) -> Comparison:
    """Compare two sides, case by case, each of one or more run files as `results.load` gives them, or a study of them.

    Each ratio new / base of latencies has an interval across replicates and a verdict (`statistics.difference`).
    Hardware is the same if CPU, usable cores, CPU limit, memory (to 1 %) and accelerators are. A machine that only one
    side has forbids a pass. The correction for the number of cases is one over all machines.

    Args:
        base: what is compared with.
        new: what is judged.
        margin: the relative difference that does not matter: 0.02 is 2 %, up or down.

    Raises:
        InputError: The margin breaks `results.statistics.margin.check_margin`, or a run is on both sides.
    """
    check_margin(margin)
    before, after = (side if isinstance(side, Study) else Study(side) for side in (base, new))
    base, new = before.records, after.records
    twice = {file.run.id for file in base.files} & {file.run.id for file in new.files}
    if twice:
        raise InputError(f"run {min(twice)} is on both sides; compare it with another run")
    hosts = machines(base, new)
    parts = [_part(host, before, after, host.name if len(hosts) > 1 else None) for host in hosts]
    counts, _ = differences.counts(base, new, ())
    judged = tuple(_judged([case for part in parts for case in part.cases], margin))
    nothing = bool(judged) and all(case.verdict == "same" and case.p is None for case in judged)
    return Comparison(
        margin=margin,
        cases=judged,
        vanished=tuple(case for part in parts for case in part.vanished),
        added=tuple(case for part in parts for case in part.added),
        counts=counts,
        environment=tuple(change for part in parts for change in part.environment),
        same_hardware=all(part.same_hardware for part in parts),
        reasons=(
            *base.problems,
            *new.problems,
            *(reason for part in parts for reason in part.reasons),
            *(("every case is unsupported on both sides: nothing was measured",) if nothing else ()),
        ),
        runs=(*(f"BASE: {line}" for line in described(base)), *(f"NEW: {line}" for line in described(new))),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one machine gave; the fields are those of `Comparison`."""

    cases: "list[_Pending]"
    vanished: list[Case]
    added: list[Case]
    environment: list[Change]
    same_hardware: bool
    reasons: list[str]


def _part(machine: Machine, before_all: Study, after_all: Study, name: str | None) -> _Part:
    """Compare what both sides measured on one machine; its `name` tells it from others, None where there are none."""
    base, new = machine.base, machine.new
    befores = by_case(before_all.part([file.run.id for file in base.files]).runs, "BASE")
    afters = by_case(after_all.part([file.run.id for file in new.files]).runs, "NEW")
    vanished = [case for case in befores if case not in afters]
    added = [case for case in afters if case not in befores]
    lonely = None if base.files and new.files else "NEW" if new.files else "BASE"
    # A machine of one side only has nothing to compare: the missing partner is reported apart.
    same_hardware = lonely is not None or differences.same_hardware(base, new)
    barrier = None if same_hardware else "other hardware: times are shown and not judged"
    unjudged = None if lonely else barrier or differences.settings(base, new)
    cases = [
        _case({"case": case, "machine": name}, before, afters[case], same_hardware=same_hardware, barrier=unjudged)
        if case in afters
        else _alone(case, name, "only in BASE: it vanished")
        for case, before in befores.items()
    ]
    cases += [_alone(case, name, "only in NEW: there is nothing to compare it with") for case in added]
    if lonely:
        reasons = [f"this machine is only in {lonely}"]
    else:
        reasons = [*((barrier,) if barrier else ()), *differences.moved(vanished, added)]
        reasons += [] if len(vanished) < len(befores) else ["no case is on both sides"]
        # Asked of each machine: what one has must not stand in for what another lacks.
        reasons += differences.counts(base, new, [case for case in befores if case in afters])[1]
    prefix = f"{name}: " if name else ""
    changes = () if lonely else differences.environment(base, new)
    return _Part(
        cases=cases,
        vanished=vanished,
        added=added,
        environment=[dataclasses.replace(change, what=prefix + change.what) for change in changes],
        same_hardware=same_hardware,
        reasons=[prefix + reason for reason in reasons],
    )


def _alone(case: Case, machine: str | None, reason: str) -> "_Pending":
    return _Pending(Compared(case=case, machine=machine, verdict="inconclusive", reason=reason), None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Pending:
    """A case that still has to be judged, unless it has no difference."""

    compared: Compared
    difference: Difference | None
    disturbed: str | None = None
    """Why a difference may be one of load."""
    barrier: str | None = None
    """Why no times of its machine are judged."""


def _case(what: dict[str, Any], before: Side, after: Side, *, same_hardware: bool, barrier: str | None) -> _Pending:
    """Return what both sides measured; the reason of what cannot be judged is the first that applies.

    `what` holds the case and its machine, as `Compared` names them.
    """
    sides = (before, after)
    means = [_mean(side.latencies) for side in sides]
    what |= {
        "verdict": "inconclusive",
        "base_replicates": len(before.latencies),
        "new_replicates": len(after.latencies),
        "base_latency_s": means[0],
        "new_latency_s": means[1],
    }
    if all(record.status == "unsupported" for side in sides for record in side.records):
        return _Pending(Compared(**what | {"verdict": "same", "reason": "unsupported on both sides"}), None)
    for side in sides:
        failed = next((record for record in side.records if record.status != "ok"), None)
        if failed is not None:
            broken = same_hardware and side is after  # the base is sound, or its loop turn had returned
            reason = f"{failed.status} in {side.name}: {failed.cause or 'no cause given'}"
            return _Pending(Compared(**what, broken=broken, reason=reason), None)
    for side in sides:
        wrong = side.wrong()
        if wrong is not None:  # what is right does not hang on the hardware
            return _Pending(Compared(**what, broken=side is after, reason=f"{side.name}: {wrong}"), None)
    for side in sides:
        doubt = side.doubt()
        if doubt is not None:
            return _Pending(Compared(**what, reason=f"{side.name}: {doubt}"), None)
    change = difference(before.latencies, after.latencies)
    if isinstance(change, str):
        ratio = None if None in means else means[1] / means[0]  # type: ignore[operator]
        return _Pending(Compared(**what, ratio=ratio, reason=change), None)
    span = change.interval()
    disturbed = "; ".join(filter(None, (side.disturbed() for side in sides))) or None
    return _Pending(Compared(**what, ratio=span.value, low=span.low, high=span.high), change, disturbed, barrier)


def _mean(values: Sequence[float]) -> float | None:
    return geometric_mean(values) if values else None


def _judged(cases: Sequence[_Pending], margin: float) -> Iterable[Compared]:
    """Yield the cases with their verdicts; a barrier leaves those that have times without a verdict."""
    chances = [chance(case.difference, margin) for case in cases if case.difference and case.barrier is None]
    corrected = iter(holm(chances))
    for case in cases:
        if case.difference is None:
            yield case.compared
        elif case.barrier is not None:
            yield dataclasses.replace(case.compared, reason=case.barrier)
        else:
            p = next(corrected)
            word = verdict(case.difference, p, margin)
            reason = "the interval reaches over the margin: more replicates tell" if word == "inconclusive" else None
            if word in {"faster", "slower"} and case.disturbed is not None:
                word, reason = "inconclusive", f"{word}, but {case.disturbed}: {_REMEDY}"
            yield dataclasses.replace(case.compared, p=p, verdict=word, reason=reason)
