"""The sides of a comparison: each case with its records, latencies and warnings."""

import dataclasses
import math
import statistics
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from results.metrics.measured import MeasuredRun
from results.metrics.reasons import is_wrong
from results.metrics.warnings import RecordWarning, power_share, wrong_result
from results.schema.case import Case
from results.schema.lines.record import Record

SideName = Literal["BASE", "NEW"]

CAP_DIFFERENCE: Final = 0.1
"""Shares of the time at a power limit that differ by more than this may explain a difference of two sides."""


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """A case on a side."""

    name: SideName
    records: list[Record]
    warnings: list[tuple[RecordWarning, ...]]
    """Warnings of each record."""
    latencies: list[float]
    """Latencies of the usable records, in seconds."""

    def wrong(self) -> RecordWarning | None:
        """Return the warning of the first wrong result."""
        return next((wrong_result(warnings) for record, warnings in self._pairs() if is_wrong(record)), None)

    def doubt(self) -> RecordWarning | None:
        """Return the first warning that the latency is not what its label says."""
        sound = (warnings for record, warnings in self._pairs() if not is_wrong(record))
        return next((warning for warnings in sound for warning in warnings if not warning.tolerated), None)

    def disturbed(self) -> str | None:
        """Return the signs of noise where most records have one, else None."""
        signs = [{warning.kind for warning in warnings if warning.noise} for warnings in self.warnings]
        count = sum(map(bool, signs))
        if 2 * count <= len(signs):
            return None
        return f"{', '.join(sorted(set().union(*signs)))} in {self.name}, in {count} of {len(signs)} processes"

    def capped(self) -> float:
        """Return the share of the time at the power limit, the median of the processes; 0 where none is known."""
        shares = [power_share(record.noise) for record in self.records if record.noise is not None]
        return statistics.median(shares) if shares else 0.0

    def _pairs(self) -> Iterator[tuple[Record, tuple[RecordWarning, ...]]]:
        return zip(self.records, self.warnings, strict=True)


def throttled(slower: Side, faster: Side) -> str | None:
    """Return the sign that a power limit may be why a side is slower: its clocks were held down clearly longer.

    A faster side that was held down longer is faster all the same.
    """
    if slower.capped() - faster.capped() <= CAP_DIFFERENCE:
        return None
    shares = f"{slower.capped():.0%} of the time in {slower.name}, {faster.capped():.0%} in {faster.name}"
    return f"throttled: the power limit held the clocks down for {shares}"


def by_case(runs: Iterable[MeasuredRun], name: SideName) -> dict[Case, Side]:
    """Return each case over all runs of a side; the last record counts where a replicate was measured again."""
    sides: dict[Case, Side] = {}
    for run in runs:
        records, warnings, latencies = run.file.records, run.warnings, run.latencies.tolist()
        for case, replicates in run.replicates.items():
            side = sides.get(case)
            if side is None:
                side = sides[case] = Side(name, [], [], [])
            for index in replicates.values():
                side.records.append(records[index])
                side.warnings.append(warnings[index])
                if not math.isnan(latencies[index]):
                    side.latencies.append(latencies[index])
    return sides
