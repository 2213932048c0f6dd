"""A run with the statistics of its samples, each computed once, when it is first needed."""

from functools import cached_property

from results.metrics.breakeven import BreakEven, BreakEvens, break_evens, listed
from results.metrics.levels import Levels, levels
from results.metrics.reasons import usable_record
from results.metrics.relative.pairs import over_baseline, over_reference
from results.metrics.relative.reference import reference
from results.metrics.speedups import Chain, chains
from results.metrics.timings import Medians, Spread, SteadyTurns, medians, timings
from results.metrics.values import Measures, latencies, measure_file
from results.metrics.warnings import RecordWarning, warnings
from results.schema.case import Case
from results.statistics.segments import Floats
from results.storage.reader import RunFile


class MeasuredRun:
    """The records of a run file and their statistics.

    Arrays and lists have an entry for every record of `file`, in its order. Callers must not change them.
    """

    def __init__(self, file: RunFile, reference: str | None = None) -> None:
        """Measure a run; `reference` names the case to which times are relative (`results.metrics.relative.reference`).

        Raises:
            InputError: The run has no such case.
        """
        self.file = file
        self._reference = reference
        if reference is not None:
            _ = self.reference

    @cached_property
    def replicates(self) -> dict[Case, dict[int, int]]:
        """The indices of each case's records by replicate, in the order of the plan."""
        return self.file.indices()

    @cached_property
    def timings(self) -> tuple[Medians, Spread, SteadyTurns]:
        """Medians, intervals and quantiles of all samples, and the steady turns."""
        return timings(self.file.records)

    @cached_property
    def medians(self) -> Medians:
        """The part of `timings` that a comparison needs, computed in a quarter of the time."""
        return self.timings[0] if "timings" in self.__dict__ else medians(self.file.records)

    @cached_property
    def latencies(self) -> Floats:
        """The metric ``latency_s``, NaN where it is missing."""
        return latencies(self.file.records, self.medians)

    @cached_property
    def reference(self) -> Case | None:
        """The case to which the times of the others are relative, None where nothing was measured."""
        records = self.file.records
        sound = [case for case, own in self.replicates.items() if any(usable_record(records[i]) for i in own.values())]
        cases = list(self.replicates) if self._reference is not None else sound
        return reference(cases, self._reference, run=self.file.run.id)

    @cached_property
    def levels(self) -> Levels:
        """The level of each record: its time, free of the drift that it shares with others."""
        return levels(self.file.records, steady=self.timings[2])

    @cached_property
    def measures(self) -> Measures:
        """Every metric, with the reasons of missing values."""
        typical, spread, _ = self.timings  # first, as it holds the medians
        known = (self.file.records, self.replicates, self.levels, self.latencies)
        against = {"speedup": over_baseline(*known), "relative": over_reference(*known, self.reference)}
        return measure_file(self.file, typical, spread, against)

    @cached_property
    def warnings(self) -> list[tuple[RecordWarning, ...]]:
        """The warnings of each record."""
        file = self.file
        return warnings(file.records, file.costs(), file.run.peaks, self.medians, self.latencies)

    @cached_property
    def even(self) -> BreakEvens:
        """The break-even of the compiled cases, as arrays."""
        return break_evens(self.replicates, self.measures, self.levels)

    @cached_property
    def break_evens(self) -> list[BreakEven]:
        """The break-even of each compiled case whose run also holds the eager case, in the order of the plan."""
        return listed(self.file.run.id, list(self.replicates), self.even)

    @cached_property
    def chains(self) -> list[Chain]:
        """The chain of each case that differs from its baseline in two settings or more, in the order of the plan."""
        return chains(self.file.run.id, self.replicates, self.measures, self.levels)
