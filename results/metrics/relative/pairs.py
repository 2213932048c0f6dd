"""Records against a record of the same replicate: of the baseline of their case, or of the reference of the run."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from results.metrics.levels import ALONE, Levels, halves, log_ratios
from results.schema.case import Case
from results.schema.lines.record import Record
from results.statistics.segments import Flags, Floats, Whole

_NOBODY: Final = -1
"""The partner of a record that has none."""


class Against(NamedTuple):
    """The speed of records over their partners: arrays with an entry a record."""

    partner: Whole
    """Index of the partner's record, `_NOBODY` where there is none."""
    itself: Flags
    """Whether the record is of the case with which others are compared."""
    log: Floats
    """Logarithm of the ratio of speeds, NaN where a time is unknown."""
    half: Floats
    """Half-width of its interval within the process; NaN where it is unknown, and for the partner itself."""
    apart: Flags
    """Whether the times of both were not measured together, so that the process has no interval."""


def over_baseline(
    records: Sequence[Record], replicates: Mapping[Case, Mapping[int, int]], levels: Levels, latencies: Floats
) -> Against:
    """Return the speed of each record over its baseline.

    Args:
        records: the records of a run.
        replicates: for each case the indices of its records, by replicate.
        levels: the levels of the records.
        latencies: their metric ``latency_s``.
    """
    nothing: dict[int, int] = {}
    of_case = {case: (replicates.get(case.baseline, nothing), case.is_baseline) for case in replicates}
    baselines = [of_case[record.case] for record in records]
    partners = [own.get(record.replicate, _NOBODY) for record, (own, _) in zip(records, baselines, strict=True)]
    itself = np.array([is_baseline for _, is_baseline in baselines], dtype=bool)
    speed = _against(np.array(partners, dtype=np.int64), itself, levels, latencies)
    # Such a record of an older file has its level over its baseline, whose own record may be lost.
    own = np.array([bool(record.samples and record.samples.baseline_s) for record in records], dtype=bool)
    known = own & ~np.isnan(latencies)
    return speed._replace(
        log=np.where(known, -levels.level, speed.log),
        half=np.where(known, levels.half, speed.half),
        apart=speed.apart & ~own,
    )


def over_reference(
    records: Sequence[Record],
    replicates: Mapping[Case, Mapping[int, int]],
    levels: Levels,
    latencies: Floats,
    reference: Case | None,
) -> Against:
    """Return the speed of each record over the reference of the run; the other arguments are as in `over_baseline`."""
    own: Mapping[int, int] = {} if reference is None else replicates.get(reference, {})
    partners = np.array([own.get(record.replicate, _NOBODY) for record in records], dtype=np.int64)
    itself = np.array([record.case == reference for record in records], dtype=bool)
    return _against(partners, itself, levels, latencies)


def _against(partners: Whole, itself: Flags, levels: Levels, latencies: Floats) -> Against:
    log, half = np.full((2, partners.size), np.nan)
    own = np.flatnonzero((partners != _NOBODY) & ~itself)
    log[own] = log_ratios(levels, latencies, partners[own], own)
    half[own] = halves(levels, partners[own], own)
    log[itself & ~np.isnan(latencies)] = 0.0
    apart = (levels.field == ALONE) | (levels.field[partners] != levels.field)
    return Against(partners, itself, log, half, apart)


def lacking(against: Against, name: str, records: Sequence[Record], excluded: Sequence[str | None]) -> dict[int, str]:
    """Return why records have no ratio although they may be compared with others, by their index.

    Args:
        against: their speed over their partners.
        name: what people call a partner, such as ``its baseline``.
        records: the records of a run.
        excluded: why a record must not be compared, None where it may be.
    """
    reasons = {}
    for index, partner in enumerate(against.partner.tolist()):
        if partner == _NOBODY or excluded[partner] is not None or np.isnan(against.log[index]):
            reasons[index] = _lacking(name, None if partner == _NOBODY else records[partner], excluded[partner])
    return reasons


def _lacking(name: str, partner: Record | None, excluded: str | None) -> str:
    if partner is None:
        return f"{name} was not measured in this replicate"
    if partner.status != "ok":
        return f"{name} failed: {partner.status}: {partner.cause or 'no cause given'}"
    return f"{name} is excluded: {excluded}" if excluded else f"no steady step of {name} was measured"
