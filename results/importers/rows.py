"""Rows of tables from outside, CSV or JSON: they know where they stand, and check their cells."""

import csv
import dataclasses
import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from results.errors import InputError
from results.image_size import foreign_size
from results.importers.reading import Content
from results.schema.validation import InvalidError, document
from results.text import printable

MAX_ROWS: Final = 500_000
"""More rows would fill some GB of memory (5 kB each)."""

_MAX_FIELD: Final = 2**24
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_QUOTED: Final = 60
"""Characters of a cell that a message shows."""
_LARGEST: Final = 1e30
"""The largest value of a metric, as in `results.schema.types.Value`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A row of a table."""

    file: str
    line: int
    """Line on which the row begins, or number of the entry; from 1."""
    cells: dict[str, str]
    """Cells by the name of the column, as in the file."""
    unit: str = "line"
    """What `line` counts."""

    @property
    def position(self) -> str:
        """The position in the file, such as ``line 7``."""
        return f"{self.unit} {self.line}"

    def error(self, column: str, what: str) -> InputError:
        """Return the error that names the file, the line and the column."""
        return InputError(f"{self.file} {self.position}, {printable(column)[:_QUOTED]}: {what}")

    def number(self, column: str, low: float = -_LARGEST, high: float = _LARGEST) -> float | None:
        """Return the number in `column`, None where the cell is empty or there is no such column.

        Raises:
            InputError: It is no number from `low` to `high`.
        """
        cell = self.cells.get(column, "").strip()
        if not cell:
            return None
        value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
        if not math.isfinite(value):
            remedy = "; write a point for the comma" if _DECIMAL_COMMA.fullmatch(cell) else ""
            raise self.error(column, f"{quoted(cell)} is not a number{remedy}")
        if not low <= value <= high:
            most = "" if high == _LARGEST and value < low else f" and at most {high:.10g}"
            raise self.error(column, f"{quoted(cell)} is not at least {low:g}{most}")
        return value

    def whole(self, column: str, low: int = 1, high: int = 2**31) -> int | None:
        """Return the whole number in `column`; as `number`."""
        value = self.number(column, low, high)
        if value is not None and not value.is_integer():
            raise self.error(column, f"{quoted(self.cells[column])} is not a whole number")
        return None if value is None else int(value)


def quoted(cell: str) -> str:
    """Return `cell` in quotes, short and on one line."""
    return repr(cell) if len(cell) <= _QUOTED else f"{cell[:_QUOTED]!r}…"


def csv_rows(content: Content) -> tuple[tuple[str, ...], Iterator[SourceRow]]:
    """Return the names of the columns, and the rows as they are read; commas, semicolons or tabs separate cells.

    Rows without content and repetitions of the header are left out, as programs and people add them.

    Raises:
        InputError: It is not text, has no header, a column twice, or (while rows are read) broken quotes or a row
            that is shorter or longer than the header.
    """
    lines = _cells(content, ",")
    line, heads = next(lines, (1, []))
    if len(heads) == 1:
        separator = next((char for char in ";\t" if char in heads[0]), None)
        if separator is not None:
            lines = _cells(content, separator)
            line, heads = next(lines)
    heads = [head.strip() for head in heads]
    first = f"{content.name} line {line}"
    if not any(heads):
        raise InputError(f"{first}: the file is empty; it should begin with the names of its columns")
    twice = next((head for index, head in enumerate(heads) if head and head in heads[:index]), None)
    if twice is not None:
        raise InputError(f"{first}: the column {quoted(twice)} is there twice")
    return tuple(filter(None, heads)), _rows(content, heads, lines)


def _rows(content: Content, heads: Sequence[str], lines: Iterator[tuple[int, list[str]]]) -> Iterator[SourceRow]:
    for count, (line, cells) in enumerate(lines, start=1):
        if count > MAX_ROWS:
            raise InputError(f"{content.name} line {line}: more than {MAX_ROWS:,} rows; split the file")
        if not any(map(str.strip, cells)) or [cell.strip() for cell in cells] == heads:
            continue
        if len(cells) < len(heads) or any(cells[len(heads) :]):  # empty cells at the end are a spreadsheet's
            raise InputError(f"{content.name} line {line}: {len(cells)} cells under {len(heads)} columns")
        # A column without a name is the index of a data frame.
        named = {head: cell for head, cell in zip(heads, cells, strict=False) if head}
        yield SourceRow(file=content.name, line=line, cells=named)


def _cells(content: Content, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row that is not blank, with the line on which it begins."""
    reader = csv.reader(io.StringIO(content.text(), newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        before = csv.field_size_limit(_MAX_FIELD)  # the module's own, which other code may rely on
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{content.name} line {line}: {error}") from None
        finally:
            csv.field_size_limit(before)
        if cells is None:
            return
        if cells:
            yield line, cells


def json_rows(content: Content, text: str) -> tuple[tuple[str, ...], Iterator[SourceRow]]:
    """Return the names of the columns and the rows of a JSON list of objects, or of a single object.

    Args:
        content: the file, for messages.
        text: the JSON.

    Raises:
        InputError: It is no such JSON.
    """
    try:
        entries = document(text)
    except InvalidError as error:
        raise InputError(f"{content.name}: {error}") from None
    entries = [entries] if isinstance(entries, dict) else entries
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{content.name}: should be a list of objects, a row each")
    if len(entries) > MAX_ROWS:
        raise InputError(f"{content.name}: more than {MAX_ROWS:,} rows; split the file")
    heads = dict.fromkeys(head for entry in entries for head in entry)
    rows = (
        SourceRow(file=content.name, line=number, cells={head: _text(entry.get(head)) for head in heads}, unit="entry")
        for number, entry in enumerate(entries, start=1)
    )
    return tuple(heads), rows


def _text(value: Any) -> str:
    """Return a value of JSON as the cell of a table."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def row_images(row: SourceRow, column: str) -> dict[str, int | str]:
    """Return the axes of the images that a cell states, by name; none for an empty cell.

    Raises:
        InputError: as `foreign_size`, with the line.
    """
    cell = row.cells.get(column, "").strip()
    if not cell:
        return {}
    try:
        size, channels = foreign_size(cell)
    except InputError as error:
        raise row.error(column, str(error)) from None
    return {"image_size": size} | ({} if channels is None else {"in_channels": channels})
