"""Compare two sides of runs: which cases became faster or slower, and which cannot be judged.

The gate fails closed: missing, damaged or incomparable records make the outcome ``inconclusive``, never ``pass``.
Times are judged on the same hardware only, so each machine is compared with itself; counts and the correctness of
results are compared on any hardware. The two sides were measured at different times, so other load on the machine can
look like a change of the code: where most replicates of a side have signs of load, no verdict is ``faster`` or
``slower``.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from results.analysis import differences
from results.analysis.differences import Change
from results.analysis.machines import Machine, described, machines
from results.analysis.sides import Side, by_case, throttled
from results.analysis.study import Study
from results.errors import InputError
from results.schema.axes import AXES
from results.schema.case import Case
from results.statistics.difference import Difference, Verdict, chance, difference, holm, verdict
from results.statistics.intervals import geometric_mean
from results.statistics.margin import MARGIN, check_margin
from results.storage.reader import Records
from results.text import REMEDY

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["pass", "regression", "inconclusive"]

_REMEDY: Final = "measure again, or use `resnet-bench ab`, as unpaired runs cannot distinguish load from a change"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A case on both sides. Missing values are None, and `reason` says why."""

    case: Case
    machine: str | None = None
    """Machine of the case, where the sides hold runs of several machines."""
    verdict: Verdict
    reason: str | None = None
    """Why the case is not judged, or the basis of a verdict that does not come from times."""
    broken: bool = False
    """Whether the case succeeded, or was right, in the base and no longer is in the new runs."""
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
    """Cases in the order of the base; cases of a single side are included, with their reason."""
    vanished: tuple[Case, ...]
    """Cases that only the base has."""
    added: tuple[Case, ...]
    """Cases that only the new runs have."""
    counts: tuple[Change, ...]
    """Static counts that differ."""
    environment: tuple[Change, ...]
    """Fields of the environment that differ."""
    same_hardware: bool
    reasons: tuple[str, ...]
    """Reasons that forbid a pass, independent of the verdicts of the cases."""
    runs: tuple[str, ...]
    """The conditions of each run, a line each."""

    @property
    def outcome(self) -> Outcome:
        """``regression``: a case is slower or broken, or a count differs. ``pass``: all are faster or the same."""
        if self.counts or any(case.verdict == "slower" or case.broken for case in self.cases):
            return "regression"
        if self.reasons or any(case.verdict == "inconclusive" for case in self.cases):
            return "inconclusive"
        return "pass"

    def frame(self) -> "pd.DataFrame":
        """Return a tidy frame, a row a case: its axes, both latencies in seconds, ratio, interval and verdict."""
        import pandas as pd  # noqa: PLC0415 (0.4 s that `import results` need not pay)

        fields = [field.name for field in dataclasses.fields(Compared) if field.name != "case"]
        rows = [
            [getattr(compared.case, axis) for axis in AXES] + [getattr(compared, field) for field in fields]
            for compared in self.cases
        ]
        frame = pd.DataFrame(rows, columns=[*AXES, *fields])
        return frame.astype(dict.fromkeys(("base_latency_s", "new_latency_s", "ratio", "low", "high", "p"), "float64"))


def compare(base: Records | Study, new: Records | Study, *, margin: float = MARGIN) -> Comparison:
    """Compare two sides case by case, each the result of `results.load` or a study of it.

    Each ratio new / base of latencies has an interval across replicates and a verdict (`statistics.difference`).
    Hardware is the same if CPU, usable cores, CPU limit, memory (to 1 %) and accelerators are. A machine that only one
    side has forbids a pass. The correction for the number of cases covers all machines together.

    Args:
        base: the runs to compare with.
        new: the runs that are judged.
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
    """The results of a machine, in the fields of `Comparison`."""

    cases: "list[_Pending]"
    vanished: list[Case]
    added: list[Case]
    environment: list[Change]
    same_hardware: bool
    reasons: list[str]


def _part(machine: Machine, before_all: Study, after_all: Study, name: str | None) -> _Part:
    """Compare both sides on a machine; `name` distinguishes it from others, None where it is the only machine."""
    base, new = machine.base, machine.new
    befores = by_case(before_all.part([file.run.id for file in base.files]).runs, "BASE")
    afters = by_case(after_all.part([file.run.id for file in new.files]).runs, "NEW")
    vanished = [case for case in befores if case not in afters]
    added = [case for case in afters if case not in befores]
    lonely = None if base.files and new.files else "NEW" if new.files else "BASE"
    # A machine of a single side has nothing to compare: the missing partner is reported separately.
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
        # By machine: the static cost of another machine must not replace a missing cost.
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
    """A case before its verdict; without a difference it gets none."""

    compared: Compared
    difference: Difference | None
    disturbed: str | None = None
    """Why the difference may come from load."""
    barrier: str | None = None
    """Why the times of its machine are not judged."""


def _case(what: dict[str, Any], before: Side, after: Side, *, same_hardware: bool, barrier: str | None) -> _Pending:
    """Compare the two sides of a case; the first reason that applies explains why it cannot be judged.

    `what` holds the case and its machine, by the names of `Compared`'s fields.
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
            broken = same_hardware and side is after  # the base succeeded: for a failed base this loop has returned
            reason = f"{failed.status} in {side.name}: {failed.cause or 'no cause given'}"
            return _Pending(Compared(**what, broken=broken, reason=reason), None)
    for side in sides:
        wrong = side.wrong()
        if wrong is not None:  # correctness does not depend on the hardware
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
    capped = throttled(after, before) if span.value > 1 else throttled(before, after)
    disturbed = "; ".join(filter(None, (*(side.disturbed() for side in sides), capped))) or None
    return _Pending(Compared(**what, ratio=span.value, low=span.low, high=span.high), change, disturbed, barrier)


def _mean(values: Sequence[float]) -> float | None:
    return geometric_mean(values) if values else None


def _judged(cases: Sequence[_Pending], margin: float) -> Iterable[Compared]:
    """Yield the cases with their verdicts; a barrier leaves cases with times without a verdict."""
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
            reason = f"the interval reaches over the margin: measure {REMEDY}" if word == "inconclusive" else None
            if word in {"faster", "slower"} and case.disturbed is not None:
                word, reason = "inconclusive", f"{word}, but {case.disturbed}: {_REMEDY}"
            yield dataclasses.replace(case.compared, p=p, verdict=word, reason=reason)
