"""Verdicts on two machines from the intervals of their cases, with the correction of `results.compare`."""

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd
from scipy.special import stdtrit

from results.schema.lines.record import Record
from results.statistics.difference import FALSE_ALARMS, Difference, chance, holm
from results.statistics.intervals import CONFIDENCE, TURNS_FOR_INTERVAL
from results.statistics.margin import MARGIN
from results.storage.reader import Records

_LEAST: Final = (TURNS_FOR_INTERVAL - 1) / 2
"""Degrees of freedom of an interval of unknown origin: of the fewest turns that have an interval."""


def degrees(records: Records, cases: pd.DataFrame) -> list[float]:
    """Return the degrees of freedom of the latency interval of each case, in the order of `cases`.

    Replicates are independent. Turns of a process are correlated, so they count half: the interval of
    `results.statistics.intervals.median_interval` has at least as many degrees. Fewer degrees only make the verdict
    more cautious.
    """
    replicates = [list(case.values()) for file in records.files for case in file.cases().values()]
    columns = zip(cases["row"], cases["interval"], cases["replicates"], strict=True)
    return [
        max(count - 1.0, 1.0) if interval == "replicates" else _within(replicates[row])
        for row, interval, count in columns
    ]


def _within(replicates: list[Record]) -> float:
    turns = [len(set(made.turn[made.warmup :])) for made in (record.samples for record in replicates) if made]
    return max((max(turns, default=TURNS_FOR_INTERVAL) - 1) / 2, _LEAST)


def difference(ratio: float, sides: Sequence[tuple[float, float]]) -> Difference | None:
    """Return Welch's difference of two sides that have `ratio`; None where an interval is missing or has no width.

    Args:
        ratio: the value of the new side over the value of the base.
        sides: for each side, the half-width of its 95 % interval in logs, and the degrees of freedom.
    """
    parts = [((half / float(stdtrit(free, (1 + CONFIDENCE) / 2))) ** 2, free) for half, free in sides]
    total = sum(square for square, _ in parts)
    if not (total > 0 and ratio > 0):  # also true for NaN
        return None
    free = total**2 / sum(square**2 / free for square, free in parts)
    return Difference(log=math.log(ratio), error=math.sqrt(total), degrees=free)


def significant(differences: list[Difference | None]) -> list[bool]:
    """Return which ratios lie beyond the margin, after Holm's correction for the number of cases."""
    corrected = iter(holm([chance(change, MARGIN) for change in differences if change is not None]))
    return [change is not None and next(corrected) <= FALSE_ALARMS for change in differences]
