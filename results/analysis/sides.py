"""The sides of a comparison: each case with its records, latencies and warnings."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Literal

from results.metrics.measured import MeasuredRun
from results.metrics.reasons import is_wrong
from results.metrics.warnings import RecordWarning, wrong_result
from results.schema.case import Case
from results.schema.record import Record

SideName = Literal["BASE", "NEW"]


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

    def _pairs(self) -> Iterator[tuple[Record, tuple[RecordWarning, ...]]]:
        return zip(self.records, self.warnings, strict=True)


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
