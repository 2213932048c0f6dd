"""A study of runs: their statistics, computed once and shared by the terminal, the page, its images and exporters."""

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Self

from results.metrics.measured import MeasuredRun
from results.metrics.table import table_of, usable
from results.storage.reader import Records

if TYPE_CHECKING:
    import pandas as pd

    from results.metrics.breakeven import BreakEven
    from results.metrics.speedups import Chain


class Study:
    """Runs and their statistics.

        >>> study = results.Study(results.load("runs/"))
        >>> study.table[study.usable]  # a row for each case that counts
        >>> [chain.total for chain in study.chains]

    Every property is computed when it is first used, and then cached: callers must not change it. A part of a study
    (`part`) shares the computed statistics.
    """

    def __init__(
        self, records: Records, reference: str | None = None, *, runs: Sequence[MeasuredRun] | None = None
    ) -> None:
        """Study `records`.

        Args:
            records: the records of some runs.
            reference: the model, or the key of the case, to which times are relative; the default is that of
                `results.metrics.relative.reference`, for each run.
            runs: the measured runs of their files, in the same order, if they are known.

        Raises:
            InputError: A run has no case of this name.
        """
        self.records = records
        self.runs = tuple(MeasuredRun(file, reference) for file in records.files) if runs is None else tuple(runs)
        """Each run file with its timings, metrics and warnings by record, in the order of ``records.files``."""

    @cached_property
    def table(self) -> "pd.DataFrame":
        """The tidy frame of `results.table`: a row for each case of each run, failed cases included."""
        return table_of(self.runs)

    @cached_property
    def usable(self) -> "pd.Series[bool]":
        """Whether each row of `table` counts: its case succeeded, computed the right result and has a value."""
        return usable(self.table)

    @cached_property
    def chains(self) -> "tuple[Chain, ...]":
        """Attribution: a chain for each case that differs from its baseline in two settings or more."""
        return tuple(chain.from_iterable(run.chains for run in self.runs))

    @cached_property
    def break_evens(self) -> "tuple[BreakEven, ...]":
        """Break-even of each compiled case whose run also holds the eager case, in the order of the plans."""
        return tuple(chain.from_iterable(run.break_evens for run in self.runs))

    def part(self, ids: Collection[str]) -> Self:
        """Return a study of the runs with these ids, which shares their computed statistics."""
        runs = [run for run in self.runs if run.file.run.id in ids]
        return type(self)(Records(tuple(run.file for run in runs)), runs=runs)
