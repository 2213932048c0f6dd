"""The parts that importers share: a file read whole, rows that know their line, options, and the imported run."""

import csv
import dataclasses
import functools
import hashlib
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import structs

from results.errors import InputError
from results.schema.case import Case
from results.schema.record import Record
from results.schema.run import Accelerator, Environment, RunHeader, Source
from results.text import printable

MAX_FILE_BYTES: Final = 256 * 2**20
"""A larger file is no table of benchmarks, and would fill the memory."""
MAX_ROWS: Final = 500_000
"""More rows would fill some GB of memory (5 kB each)."""
SILENT: Final = "its source does not state it"
"""Why a value of an imported run is null, where nothing better can be said."""

_MAX_FIELD: Final = 2**24
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_QUOTED: Final = 60
"""Characters of a cell that a message shows."""
_LARGEST: Final = 1e30
"""No metric is beyond; as in `results.schema.types.Value`."""

Tell = Callable[[str], None]
"""Takes a line for a person about something that is not imported."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person adds to a file; it beats the file's name."""

    axes: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    """Values of axes that the file does not state, by the axis; never of ``device``, which has its own option."""
    torch: str | None = None
    device: str | None = None
    """Name of the accelerator, or of the CPU where the file states that it is one; ``cpu:NAME`` says that it is."""
    only_known: bool = False
    """Leave out models that are none of our variants."""
    accuracy: Path | None = None
    """timm's table of ImageNet results."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A run as a file states it."""

    run: RunHeader
    records: tuple[Record, ...]
    positions: tuple[str, ...]
    """The position of each record in the file, such as ``line 7``."""


@dataclasses.dataclass(frozen=True)
class Content:
    """A file from outside, read once."""

    path: Path
    data: bytes

    @functools.cached_property
    def sha256(self) -> str:
        """Of the content, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def name(self) -> str:
        """The file's path as it can be shown on one line."""
        return printable(str(self.path))

    def source(self, fmt: str) -> Source:
        """Return where a run that is imported from this file comes from."""
        return Source(format=fmt, file=printable(self.path.name)[:128], sha256=self.sha256)

    def run_id(self) -> str:
        """Return an id from the file's name and content: the same file gives the same run."""
        word = re.sub(r"[^A-Za-z0-9._-]+", "-", self.path.stem)[:55].strip(".-") or "import"
        return f"{word}-{self.sha256[:8]}"

    def text(self) -> str:
        """Return the content as text, without the mark that some programs put before it.

        Raises:
            InputError: It is not UTF-8, or holds NUL.
        """
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise InputError(f"{self.name} line {line}: not UTF-8 text; save it as UTF-8") from None
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise InputError(f"{self.name} line {line}: holds a NUL character, so this is no text file")
        return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A row of a CSV file."""

    file: str
    line: int
    """On which it begins, from 1."""
    cells: dict[str, str]
    """By the name of the column, as they stand in the file."""

    def error(self, column: str, what: str) -> InputError:
        """Return the error that names the file, the line and the column."""
        return InputError(f"{self.file} line {self.line}, {printable(column)[:_QUOTED]}: {what}")

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
            raise self.error(column, f"{quoted(cell)} is not a number")
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


def read_content(path: str | Path) -> Content:
    """Read a whole file.

    Raises:
        InputError: There is none, it is no regular file, or larger than `MAX_FILE_BYTES`.
    """
    path = Path(path)
    shown = printable(str(path))
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, and a device may never end
            raise InputError(f"{shown} is no regular file")
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {shown}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {shown}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{shown} is larger than {MAX_FILE_BYTES // 2**20} MiB; split it")
    return Content(path, data)


def csv_rows(content: Content) -> tuple[tuple[str, ...], Iterator[SourceRow]]:
    """Return the names of the columns, and the rows as they are read.

    Raises:
        InputError: It is not text, has no header, a column twice, or (while rows are read) broken quotes or a row
            that is shorter or longer than the header.
    """
    lines = _cells(content)
    line, heads = next(lines, (1, []))
    first = f"{content.name} line {line}"
    if not any(heads):
        raise InputError(f"{first}: the file is empty; it should begin with the names of its columns")
    if len(heads) == 1 and (";" in heads[0] or "\t" in heads[0]):
        raise InputError(f"{first}: separated by semicolons or tabs; save it with commas")
    twice = next((head for index, head in enumerate(heads) if head in heads[:index]), None)
    if twice is not None:
        raise InputError(f"{first}: the column {quoted(twice)} is there twice")
    return tuple(heads), _rows(content, heads, lines)


def _rows(content: Content, heads: Sequence[str], lines: Iterator[tuple[int, list[str]]]) -> Iterator[SourceRow]:
    for count, (line, cells) in enumerate(lines, start=1):
        if count > MAX_ROWS:
            raise InputError(f"{content.name} line {line}: more than {MAX_ROWS:,} rows; split the file")
        if len(cells) != len(heads):
            raise InputError(f"{content.name} line {line}: {len(cells)} cells under {len(heads)} columns")
        yield SourceRow(file=content.name, line=line, cells=dict(zip(heads, cells, strict=True)))


def _cells(content: Content) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row that is not blank, with the line on which it begins."""
    reader = csv.reader(io.StringIO(content.text(), newline=""), strict=True)
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


def unknown_environment(
    *,
    cpu: str | None = None,
    torch: str | None = None,
    cuda: str | None = None,
    accelerators: dict[str, str] | None = None,
    **known: str | int | None,
) -> Environment:
    """Return an environment of which only this is known.

    Args:
        cpu: its name.
        torch: the version of PyTorch.
        cuda: the version of CUDA that torch was built with.
        accelerators: names by device, such as ``cuda:0``.
        known: ``logical_cores``, ``os``, ``kernel`` and ``python``.
    """
    stated = {name: value for name, value in {"cpu": cpu, "torch": torch, **known}.items() if value is not None}
    empty = {"cpu_flags": (), "torch_build": {"cuda": cuda} if cuda else {}, "variables": {}}
    cards = tuple(Accelerator(device=key, name=name, memory_bytes=None) for key, name in (accelerators or {}).items())
    rest = {field.name for field in structs.fields(Environment)} - {*empty, *stated, "accelerators", "nulls"}
    nulls = dict.fromkeys(sorted(rest), SILENT)
    values = dict.fromkeys(nulls) | empty | stated
    return Environment(accelerators=cards, nulls=nulls, **values)  # type: ignore[arg-type] # checked as the run is written


def device_and_chip(option: str, known: str | None) -> tuple[str, str | None]:
    """Return the device that ``--device`` names, and what it is called: ``RTX 3090``, or ``cpu:AMD EPYC 9B14``.

    A bare name is that of the device which the file states (`known`), else of an accelerator.
    """
    kind, colon, name = option.partition(":")
    if kind == "cpu" and (colon or not name):
        return "cpu", name or None
    return known or "cuda:0", option or None


def check_new(case: Case, seen: dict[Case, str], position: str) -> str | None:
    """Note the position of `case`, or return what is wrong: another position has it already."""
    if case in seen:
        return f"the same case as {seen[case]} ({printable(case.key)})"
    seen[case] = position
    return None
