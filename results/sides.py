"""One side of a comparison: each case with its records, their latencies, and what their warnings say against them."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from results.metrics import latency
from results.sanity import NOISES, TOLERATED, kind, warnings
from results.schema import Case, Record
from results.store import Records
from results.timings import Timing, timings

Name = Literal["BASE", "NEW"]


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One case on one side."""

    name: Name
    records: Sequence[Record]
    warnings: Sequence[tuple[str, ...]]
    """Those of each record."""
    latencies: Sequence[float]
    """Those of the sound records, in seconds."""

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


def by_case(records: Records, name: Name) -> dict[Case, Side]:
    """Return each case over all files; a replicate that was measured again counts as it was last."""
    found: dict[Case, list[Record]] = {}
    for file in records.files:
        for case, replicates in file.cases().items():
            found.setdefault(case, []).extend(replicates.values())
    told = {id(record): timing for record, timing in zip(records, timings(records), strict=True)}
    return {case: _side(name, one, records, [told[id(record)] for record in one]) for case, one in found.items()}


def _side(name: Name, found: Sequence[Record], records: Records, told: Sequence[Timing]) -> Side:
    latencies = [latency(record, timing) for record, timing in zip(found, told, strict=True) if record.status == "ok"]
    return Side(
        name=name,
        records=found,
        warnings=[
            warnings(record, records.static(record), records.run(record).peaks, timing)
            for record, timing in zip(found, told, strict=True)
        ],
        latencies=[one for one in latencies if one is not None],
    )
