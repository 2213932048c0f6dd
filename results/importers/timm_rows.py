"""Rows of timm's tables: what one says of a model's times, if it did not fail, and the records of all of them."""

import dataclasses
import re
from typing import Final

from results.importers.reading import Tell, positions_text
from results.importers.rows import SourceRow
from results.schema.case import Case
from results.schema.lines.record import Record, Status
from results.schema.types import LEAST_S, MOST_S
from results.text import printable

TIMES: Final = ("step_time", "samples_per_sec")
UNEXPLAINED: Final = "timm's table has no times: the model did not fit into memory, or failed otherwise"

_EMPTY: Final = {"nan", "na", "n/a", "#n/a", "<na>", "none", "null", "inf", "+inf", "-inf", "infinity", "-", "--"}
"""Cells that programs and people write where there is no value, in lower case."""
_NO_TIME: Final = re.compile(r"[+-]?0*\.?0*|-1(?:\.0*)?", re.ASCII)
"""Numbers that stand for a missing time where the row has no other."""
_CAUSES: Final[dict[Status, re.Pattern[str]]] = {
    "out-of-memory": re.compile(r"out[ _-]?of[ _-]?memory|\boom\b|alloc(?:ate|_failed)", re.IGNORECASE),
    "timeout": re.compile(r"time[ds]?[ -]?out", re.IGNORECASE),
}
"""Words of an error by the status that they mean."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A measurement of a model, whether it succeeded or not."""

    step_ms: float | None = None
    rate: float | None = None
    """Images a second."""
    cause: str | None = None
    """Why there are no times; None where there are."""

    @property
    def status(self) -> Status:
        """The status of the record."""
        if self.cause is None:
            return "ok"
        return next((status for status, words in _CAUSES.items() if words.search(self.cause)), "error")


def without_words(row: SourceRow) -> SourceRow:
    """Return the row with empty cells for ``nan``, ``inf``, ``None`` and the like, but for the model's name."""
    cells = {
        column: "" if column != "model" and cell.strip().lower() in _EMPTY else cell
        for column, cell in row.cells.items()
    }
    return dataclasses.replace(row, cells=cells)


def attempt_of(row: SourceRow, prefix: str) -> Attempt:
    """Return what a row, without its words for nothing, says of the task with the columns of `prefix`.

    Raises:
        InputError: A time is no number, or no time, though the other is.
    """
    cells = [row.cells.get(f"{prefix}{column}", "").strip() for column in TIMES]
    words = [cell for cell in cells if cell[:1].isalpha()]  # "CUDA out of memory", in place of a time
    if all(_NO_TIME.fullmatch(cell) or cell in words for cell in cells):
        columns = (row.cells.get(column, "").strip() for column in (f"{prefix}error", "error"))
        cause = next(filter(None, (*columns, *words)), UNEXPLAINED)
        return Attempt(cause=printable(" ".join(cause.split()))[:1000])
    return Attempt(
        step_ms=row.number(f"{prefix}step_time", 1000 * LEAST_S, 1000 * MOST_S),
        rate=row.number(f"{prefix}samples_per_sec", 1 / MOST_S, 1 / LEAST_S),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadRows:
    """The rows of a file as records, and what is left out."""

    records: dict[Case, Record] = dataclasses.field(default_factory=dict)
    positions: dict[Case, str] = dataclasses.field(default_factory=dict)
    """The position of each record in the file."""
    without_case: list[str] = dataclasses.field(default_factory=list)
    """Positions of failures of which the batch or the image size is unknown."""
    repeated: list[str] = dataclasses.field(default_factory=list)
    """Positions of rows that are equal to an earlier row."""
    other: list[str] = dataclasses.field(default_factory=list)
    """Positions of rows with other values for the case of an earlier row."""

    def add(self, record: Record, position: str) -> None:
        """Add a record; of a case that is there already, the first that succeeded stays."""
        earlier = self.records.get(record.case)
        if earlier is not None and (record.status != "ok" or earlier.status == "ok"):
            (self.repeated if record == earlier else self.other).append(
                f"{position} (as {self.positions[record.case]})"
            )
            return
        self.records[record.case] = record
        self.positions[record.case] = position

    def tell(self, name: str, tell: Tell) -> None:
        """Tell in a line each what is left out."""
        for positions, what in (
            (self.without_case, "of models that failed, without a batch or an image size"),
            (self.repeated, "equal to an earlier row"),
            (self.other, "with other values for the case of an earlier row, which counts"),
        ):
            if positions:
                rows = "1 row" if len(positions) == 1 else f"{len(positions):,} rows"
                tell(f"{name}: left out {rows} {what}: {positions_text(positions)}")
