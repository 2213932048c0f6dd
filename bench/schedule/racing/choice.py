"""What the records of a search say: who may win, who is confirmed, and who has won."""

import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from results.metrics.reasons import usable_record
from results.metrics.speedups import path
from results.schema.axes import setting_texts
from results.schema.case import Case
from results.schema.labels import PROMISES
from results.schema.lines.record import Record
from results.schema.lines.search import Candidate, Fate
from results.statistics.intervals import across
from results.statistics.seeds import wilson

MOST_FINALISTS: Final = 3
"""Candidates that are confirmed, beside the baseline and the steps to the winner."""
_ASKED: Final[tuple[Fate, ...]] = ("too-slow", "too-large", "disagrees")
"""Fates of candidates that miss a bound."""


def image_s(record: Record) -> float:
    """Return the median seconds an image of a record, infinite if it has no time."""
    samples = record.samples
    if record.status != "ok" or samples is None:
        return math.inf
    return statistics.median(samples.step_s[samples.warmup :] or samples.step_s) / record.case.batch_size


def may_win(fates: Iterable[Candidate]) -> list[Case]:
    """Return the candidates that may be the fastest: where the time ended the race, all that lived then."""
    fates = tuple(fates)
    stayed = [each.case for each in fates if each.fate == "stayed"]
    return stayed or [each.case for each in fates if each.fate == "no-time" and each.round]


def finalists(fates: Iterable[Candidate], seconds: Mapping[Case, float]) -> list[Case]:
    """Return the candidates to confirm: the fastest that stayed, one more, the baseline, and the steps between.

    Args:
        fates: what became of the candidates.
        seconds: seconds an image of those that took part.
    """
    fates = tuple(fates)
    by_fate = {candidate.case: candidate.fate for candidate in fates}
    stayed = sorted(may_win(fates), key=seconds.__getitem__)
    if not stayed:
        return []
    slower = sorted((case for case, fate in by_fate.items() if fate == "slower"), key=seconds.__getitem__)
    chosen = [*stayed, *slower][:MOST_FINALISTS]
    steps = [case for case in path(stayed[0]) if case in by_fate and case in seconds]
    return list(dict.fromkeys((*chosen, stayed[0].baseline, *steps)))


def chosen(stayed: Collection[Case], records: Sequence[Record]) -> Case | None:
    """Return the candidate with the least time an image over its processes, among those that stayed and are right."""
    times: dict[Case, list[float]] = {}
    wrong: set[Case] = set()
    for record in records:
        if record.case in stayed:
            times.setdefault(record.case, []).append(math.log(image_s(record)))
            if not usable_record(record):
                wrong.add(record.case)
    sound = {case: statistics.fmean(logs) for case, logs in times.items() if case not in wrong}
    return min(sound, key=sound.__getitem__, default=None)


def binding(fates: Sequence[Candidate], seconds: Mapping[Case, float]) -> tuple[str, Case | None]:
    """Return why no candidate won, and which comes nearest to the bound that most of them miss."""
    missed = [candidate for candidate in fates if candidate.fate in _ASKED]
    if not missed:
        causes = dict.fromkeys(f"{each.case.key}: {each.reason}" for each in fates if each.reason)
        return "no candidate ended well: " + "; ".join(list(causes)[:3]), None
    counts = {fate: sum(each.fate == fate for each in missed) for fate in _ASKED}
    fate = max(counts, key=counts.__getitem__)
    bound = {"too-slow": "latency", "too-large": "memory", "disagrees": "agreement"}[fate]
    others = [each for each in missed if each.fate == fate]
    nearest = min(others, key=lambda each: _distance(each, seconds))
    return (
        f"no candidate keeps to the {bound}; the nearest is {' '.join(setting_texts(nearest.case))}: {nearest.reason}",
        nearest.case,
    )


def _distance(candidate: Candidate, seconds: Mapping[Case, float]) -> float:
    return seconds.get(candidate.case, math.inf) * candidate.case.batch_size


def told_apart(first: Case, second: Case, records: Sequence[Record]) -> bool:
    """Return whether the processes of two candidates differ beyond doubt, replicate by replicate."""
    times = {case: {each.replicate: image_s(each) for each in records if each.case == case} for case in (first, second)}
    common = [number for number in times[first] if number in times[second]]
    ratios = [times[second][number] / times[first][number] for number in common]
    if len(ratios) < 2 or not all(map(math.isfinite, ratios)):
        return False
    interval = across(ratios)
    return interval is not None and (interval.low > 1 or interval.high < 1)


def disagrees(record: Record, least: float | None) -> str | None:
    """Return why a quantized record may agree with fp32 too seldom, None if it does not or nothing was asked."""
    if least is None or not PROMISES[record.case.precision].quantizes:
        return None
    known = record.agreement
    if known is None:
        return f"its agreement is not known: {record.nulls.get('agreement', 'not measured')}"
    share = wilson(known.agreed, known.images)
    if share.low >= least:
        return None
    return f"it agrees with fp32 on {share.value:.2%} of the images ({share.low:.2%} to {share.high:.2%})"
