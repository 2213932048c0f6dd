"""Judge the two arms of an A/B comparison from their run files: the verdict of the pairs, and doubts about it.

The judgement fails closed, as in `results.analysis.compare`: missing, failed or implausible records make the outcome
``inconclusive``.
"""

import dataclasses
import math
import statistics

import numpy as np

from results.analysis import differences
from results.analysis.compare import Outcome
from results.analysis.differences import Change
from results.errors import InputError
from results.metrics.levels import ALONE, levels
from results.metrics.measured import MeasuredRun
from results.metrics.reasons import usable_record
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import Arm
from results.statistics.intervals import geometric_mean
from results.statistics.looks import LOOKS, Judged, judge
from results.statistics.margin import check_margin
from results.storage.reader import Records, RunFile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The result of an A/B comparison."""

    pair: str
    margin: float
    a: Case
    b: Case
    judged: Judged
    """The verdict on the pairs, whose ratios are the time an image of arm b over arm a: above 1, b is slower."""
    ratios: tuple[float, ...]
    """The ratio of each usable pair, in the order of the pairs."""
    a_latency_s: float | None
    """Geometric mean over the usable pairs, for a whole batch."""
    b_latency_s: float | None
    pair_s: float | None
    """Mean wall seconds of a usable pair, the start of its processes included."""
    broken: bool
    """Whether arm b failed, or computed a wrong result, where arm a did not."""
    counts: tuple[Change, ...]
    """Static counts that differ for the model of both arms."""
    environment: tuple[Change, ...]
    """Fields of the environment that differ between the arms."""
    reasons: tuple[str, ...]
    """Reasons that forbid a pass, independent of the pairs' ratios."""
    notices: tuple[str, ...]
    """Warnings that do not forbid a verdict, with the number of records that have them."""

    @property
    def outcome(self) -> Outcome:
        """``regression``: b is slower, broken or counts differ. ``pass``: b is faster or the same."""
        if self.broken or self.counts or (self.judged.verdict == "slower" and not self.reasons):
            return "regression"
        if self.reasons or self.judged.verdict == "inconclusive":
            return "inconclusive"
        return "pass"


def compare_arms(a: Records, b: Records) -> Paired:
    """Judge the pairs of two run files of `resnet-bench ab`, each as the result of `results.load`.

    Raises:
        InputError: They are not the two arms of an A/B comparison.
    """
    arm = _arm(a, b)
    case_a, case_b = (_only_case(side.files[0]) for side in (a, b))
    before, after = (
        {record.replicate: record for record in side} for side in (a, b)
    )  # the last record of a replicate counts
    pairs = [(record, after[replicate]) for replicate, record in before.items() if replicate in after]
    compared = [(pair, value) for pair in pairs if (value := ratio(*pair)) is not None]
    sound, ratios = [pair for pair, _ in compared], tuple(value for _, value in compared)
    runs = [MeasuredRun(side.files[0]) for side in (a, b)]
    reasons, notices = _problems(*runs)
    latencies_s = [_latency(run, [record.replicate for record, _ in sound]) for run in runs]
    lonely = sum(record.status == partner.status == "ok" for record, partner in pairs) - len(sound)
    if lonely:
        reasons = (*reasons, f"{lonely} of {len(pairs)} pairs have no steady turns in common")
    alone = len(before) + len(after) - 2 * len(pairs)
    if alone:
        reasons = (*reasons, f"{alone} process{'es have' if alone > 1 else ' has'} no partner in the other arm")
    if len(ratios) > max(LOOKS):
        raise InputError(f"{arm.pair} holds {len(ratios)} pairs, and `resnet-bench ab` measures {max(LOOKS)} at most")
    counts, _ = differences.counts(a, b, ())
    return Paired(
        pair=arm.pair,
        margin=arm.margin,
        a=case_a,
        b=case_b,
        judged=judge(ratios, arm.margin),
        ratios=ratios,
        a_latency_s=latencies_s[0],
        b_latency_s=latencies_s[1],
        pair_s=statistics.mean(max(map(_duration, pair)) for pair in sound) if sound else None,
        broken=any(_bad(partner) and not _bad(record) for record, partner in pairs),
        counts=counts,
        environment=differences.environment(a, b),
        reasons=(*a.problems, *b.problems, *reasons),
        notices=notices,
    )


def _arm(a: Records, b: Records) -> Arm:
    """Return arm a; raise `InputError` unless both arms belong to the same comparison."""
    arms = [file.run.arm for side in (a, b) for file in side.files]
    if len(a.files) != 1 or len(b.files) != 1 or any(arm is None for arm in arms):
        raise InputError("not the two run files of one A/B comparison; use `resnet-bench compare` for other runs")
    arm_a, arm_b = (arm for arm in arms if arm is not None)
    if arm_a.pair != arm_b.pair or (arm_a.name, arm_b.name) != ("a", "b"):
        raise InputError(f"arm {arm_a.name} of {arm_a.pair} and arm {arm_b.name} of {arm_b.pair} are not one pair")
    if arm_a.margin != arm_b.margin:
        raise InputError(f"the arms of {arm_a.pair} name two margins, {arm_a.margin:g} and {arm_b.margin:g}")
    check_margin(arm_a.margin)
    return arm_a


def _only_case(file: RunFile) -> Case:
    """Return the case of an arm; raise `InputError` unless `resnet-bench ab` wrote its file."""
    cases = {*file.run.plan, *(record.case for record in file.records)}
    if len(file.run.plan) != 1 or len(cases) != 1:
        raise InputError(f"{file.path} is no arm of an A/B comparison: it holds {len(cases) or 'no'} cases, not 1")
    return file.run.plan[0]


def _duration(record: Record) -> float:
    if record.duration_s is None:
        raise InputError(f"replicate {record.replicate} of {record.case.key} has no duration_s; measure again")
    return record.duration_s


def ratio(a: Record, b: Record) -> float | None:
    """Return the time an image of arm b over arm a, free of the drift that both share; None where it is unknown.

    It is unknown where an arm failed, or has no steady turn, or where both arms were not timed together.
    """
    known = levels([a, b], ("a", "b"))
    (of_a, of_b), fields = known.level.tolist(), set(known.field.tolist())
    if fields == {ALONE} or len(fields) > 1:
        return None
    return math.exp(of_b - of_a) * a.case.batch_size / b.case.batch_size


def _bad(record: Record) -> bool:
    return not usable_record(record) and record.status != "unsupported"


def _latency(run: MeasuredRun, replicates: list[int]) -> float | None:
    """Return the geometric mean over these replicates of an arm's only case."""
    indices = run.replicates.get(run.file.run.plan[0], {})
    latency_s = run.latencies[[indices[replicate] for replicate in replicates]] if replicates else np.empty(0)
    known_s = latency_s[~np.isnan(latency_s)].tolist()
    return geometric_mean(known_s) if known_s else None


def _problems(a: MeasuredRun, b: MeasuredRun) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what forbids a pass, and notices: one line a kind, not one a record."""
    reasons: dict[str, None] = {}
    notices: dict[str, int] = {}
    for name, run in (("a", a), ("b", b)):
        for record, warnings in zip(run.file.records, run.warnings, strict=True):
            if record.status != "ok":
                reasons[f"{record.status} in arm {name}: {record.cause or 'no cause given'}"] = None
            for warning in warnings:
                if warning.tolerated:
                    notice = f"{warning.kind} in arm {name}"
                    notices[notice] = notices.get(notice, 0) + 1
                else:
                    reasons[f"arm {name}: {warning}"] = None
    return tuple(reasons), tuple(f"{notice}: {count} of its processes" for notice, count in notices.items())
