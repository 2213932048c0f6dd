"""One side of a comparison: each case with its records, their latencies, and what their warnings say against them."""

import dataclasses
import math
from typing import Literal

from results.metrics.timings import medians
from results.metrics.values import latencies
from results.metrics.warnings import NOISES, TOLERATED, kind, warnings_of
from results.schema.case import Case
from results.schema.record import Record
from results.storage.reader import Records

Name = Literal["BASE", "NEW"]


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One case on one side."""

    name: Name
    records: list[Record]
    warnings: list[tuple[str, ...]]
    """Those of each record."""
    latencies: list[float]
    """Those of the sound records, in seconds."""

    def first(self, *, wrong: bool) -> str | None:
        """Return the first warning of a wrong result, or the first of the others that are not tolerated."""
        if not any(self.warnings):
            return None
        lines = [line for found in self.warnings for line in found]
        kept = [line for line in lines if (kind(line) == "wrong") == wrong and kind(line) not in TOLERATED]
        return next(iter(kept), None)

    def disturbed(self) -> str | None:
        """Return the signs of noise, where most of the records carry one."""
        if not any(self.warnings):
            return None
        signs = [{kind(line) for line in found} & NOISES for found in self.warnings]
        count = sum(map(bool, signs))
        if 2 * count <= len(signs):
            return None
        return f"{', '.join(sorted(set().union(*signs)))} in {self.name}, in {count} of {len(signs)} processes"


def by_case(records: Records, name: Name) -> dict[Case, Side]:
    """Return each case over all files; a replicate that was measured again counts as it was last."""
    found: dict[Case, Side] = {}
    for file in records.files:
        typical, every = medians(file.records), file.records
        warned = warnings_of(every, file.costs(), file.run.peaks, typical)
        latency_s = latencies(every, typical).tolist()
        for case, replicates in file.indices().items():
            side = found.get(case)
            if side is None:
                side = found[case] = Side(name, [], [], [])
            for place in replicates.values():
                side.records.append(every[place])
                side.warnings.append(warned[place])
                if not math.isnan(latency_s[place]):
                    side.latencies.append(latency_s[place])
    return found
