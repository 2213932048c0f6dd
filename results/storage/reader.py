"""Read run files: `load` returns `Records`.

`results.storage.writer` writes a run as a file ``runs/<run id>.jsonl``: a header, a line for each static cost, each
record and each other body that `KINDS` declares, and an end line.
"""

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, overload

from results.errors import InputError
from results.schema.case import Case
from results.schema.kinds import KINDS, Unknown, kind_of
from results.schema.lines.record import Record
from results.schema.lines.run import End, Resumed, RunHeader
from results.schema.lines.static import Static, StaticKey, static_key
from results.schema.types import Stored
from results.storage.lines import MAX_LINE_BYTES, DamagedLineError, Shared, decode
from results.storage.problems import Order, Problems, changes, ending

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BUFFER_BYTES: Final = 2**20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """The content of a run file."""

    path: Path
    run: RunHeader
    statics: tuple[Static, ...]
    records: tuple[Record, ...]
    more: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    """Bodies of other lines by their kind; bodies of kinds that `KINDS` lacks are dicts, as in the JSON."""
    complete: bool
    """Whether the run ended normally: every case of its plan has its records."""
    problems: tuple[str, ...]
    """Problems of the file, a line of text each: ``FILE line N: problem``."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is no problem, a line of text each: the kinds of lines that a newer version wrote."""
        return tuple(
            f"{self.path}: {len(bodies):,} line{'s' if len(bodies) > 1 else ''} of kind {kind!r}, which is unknown to "
            "this version; kept"
            for kind, bodies in self.more.items()
            if kind not in KINDS
        )

    def bodies(self, kind: str) -> tuple[Any, ...]:
        """Return the bodies of the lines of a kind, in the order of the file."""
        return {**self.more, "static": self.statics, "record": self.records}.get(kind, ())

    def indices(self) -> dict[Case, dict[int, int]]:
        """Return the indices in `records` of each case's records, by replicate, in the order of the plan.

        The last record counts where a replicate was measured again after a break.
        """
        indices: dict[Case, dict[int, int]] = {case: {} for case in self.run.plan}
        for index, record in enumerate(self.records):
            indices.setdefault(record.case, {})[record.replicate] = index
        return {case: replicates for case, replicates in indices.items() if replicates}

    def cases(self) -> dict[Case, dict[int, Record]]:
        """Return each case's records by replicate, as `indices` selects them."""
        return {
            case: {replicate: self.records[index] for replicate, index in replicates.items()}
            for case, replicates in self.indices().items()
        }

    def costs(self) -> list[Static | None]:
        """Return the static cost of each record's model, None where the file has none."""
        statics = self.static_costs()
        return [statics.get(static_key(record.case)) for record in self.records]

    def static_costs(self) -> dict[StaticKey, Static]:
        """Return the static costs by what they depend on; the first of several counts."""
        return {static_key(static): static for static in reversed(self.statics)}


@dataclasses.dataclass(frozen=True, slots=True)
class Records(Sequence[Record]):
    """The records of run files, in the order of the files; `file` returns the file of a record."""

    files: tuple[RunFile, ...]
    _records: tuple[Record, ...] = dataclasses.field(init=False, repr=False, compare=False)
    _files: dict[int, RunFile] = dataclasses.field(init=False, repr=False, compare=False)
    """The file of each record, by the identity of the record: several files may hold equal records."""
    _statics: dict[int, dict[StaticKey, Static]] = dataclasses.field(init=False, repr=False, compare=False)
    """The static costs of each file by what they depend on, by the identity of the file."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_records", tuple(chain.from_iterable(file.records for file in self.files)))
        files: dict[int, RunFile] = {}
        for file in self.files:
            files |= dict.fromkeys(map(id, file.records), file)
        object.__setattr__(self, "_files", files)
        object.__setattr__(self, "_statics", {id(file): file.static_costs() for file in self.files})

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems of the files, a line of text each."""
        return tuple(problem for file in self.files for problem in file.problems)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the files, a line of text each."""
        return tuple(note for file in self.files for note in file.notes)

    def file(self, record: Record) -> RunFile:
        """Return the file that holds `record`.

        Raises:
            ValueError: `record` is not in this sequence; a copy does not count.
        """
        try:
            return self._files[id(record)]
        except KeyError:
            raise ValueError("this record is none of these records (a copy does not know its file)") from None

    def run(self, record: Record) -> RunHeader:
        """Return the run that made `record`."""
        return self.file(record).run

    def static(self, record: Record) -> Static | None:
        """Return the static cost of the record's model for its images, None where its file has none."""
        return self._statics[id(self.file(record))].get(static_key(record.case))


def load(*paths: str | Path) -> Records:
    """Read run files, or every ``*.jsonl`` of folders; a file that is named twice is read once.

    `Records.problems` names each damaged line with its number, and `Records.notes` unknown kinds; all else is read.

    Raises:
        InputError: There is no such file or no run file in a folder, a file is no run file, its header is
            damaged or of a newer schema, or two files hold the same run.
    """
    # Not Path.resolve, which raises RuntimeError in a loop of links.
    files = dict.fromkeys(Path(os.path.realpath(file)) for path in paths for file in _files(Path(path)))
    if not files:
        raise InputError("no run file given; give files or folders such as runs/")
    read: dict[str, RunFile] = {}
    shared = Shared()
    for path in files:
        file = parse(path, shared).file
        if file.run.id in read:
            raise InputError(f"{path} and {read[file.run.id].path} hold the same run; give only one of the files")
        read[file.run.id] = file
    return Records(tuple(read.values()))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.jsonl"))
    if not files:
        raise InputError(f"no run file (*.jsonl) in {path}")
    return files


def check_run_id(run_id: str) -> None:
    """Raise `InputError` unless `run_id` is safe as the name of a file."""
    if not _ID.fullmatch(run_id) or run_id in {".", ".."}:
        raise InputError(f"run id {run_id[:80]!r} is not 1 to 64 of the characters A-Z a-z 0-9 . _ - (and not . or ..)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A run file, and the position at which writing can continue."""

    file: RunFile
    damaged: str | None
    """The first problem of a line, a torn last line excepted."""
    good_bytes: int
    """Offset behind the last readable line, the end line excepted."""
    next_line: int


def parse(path: Path, shared: Shared | None = None) -> Parsed:
    """Read a run file; `shared` is the cache of `results.storage.lines.decode`. Raises `InputError` as `load` does."""
    try:
        if path.exists() and not path.is_file():  # reading would wait for a pipe, and a device may never end
            raise InputError(f"{path} is no regular file")
        with path.open("rb", buffering=_BUFFER_BYTES) as stream:
            return _parse_stream(path, stream, shared or Shared())
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def _parse_stream(path: Path, stream: BinaryIO, shared: Shared) -> Parsed:
    reading = _Reading(path, _header(path, stream), stream.tell())
    for position, (start, raw) in enumerate(_raw_lines(stream), start=2):
        reading.add(position, start, raw, shared)
    return reading.parsed()


class _Reading:
    """A run file while it is read: its bodies and problems so far."""

    def __init__(self, path: Path, run: RunHeader, good_bytes: int) -> None:
        self._path = path
        self._run = run
        self._bodies: dict[str, list[Stored]] = {kind: [] for kind in KINDS}
        self._problems = Problems(path)
        self._order = Order()
        self._good_bytes = good_bytes
        self._without_newline = 0
        """Position of the last line, where only its newline is missing; else 0."""

    def add(self, position: int, start: int, raw: bytes, shared: Shared) -> None:
        """Add the line at `position` (from 1), which begins at the byte `start`."""
        whole = raw.endswith(b"\n")
        try:
            number, body = decode(raw[:-1] if whole else raw, shared)
        except (DamagedLineError, InputError) as error:
            self._order.skip()
            self._problems.unreadable(position, error, torn=not whole and len(raw) <= MAX_LINE_BYTES)
            return
        problem = self._order.misplaced(number, body)
        if problem:
            self._problems.add(position, problem)
        if not self._order.take(number, body):
            return
        self._without_newline = 0 if whole else position
        if isinstance(body, Resumed):
            self._problems.note(position, *changes(self._run.environment, body.environment))
        if not isinstance(body, RunHeader):
            self._bodies.setdefault(kind_of(body), []).append(body.body if isinstance(body, Unknown) else body)
        if not isinstance(body, End):
            self._good_bytes = start + len(raw)

    def parsed(self) -> Parsed:
        """Return the run file after its last line was added."""
        if self._without_newline:
            self._problems.note(self._without_newline, "its newline is lost, and nothing else of it")
        bodies: dict[str, tuple[Any, ...]] = {kind: tuple(bodies) for kind, bodies in self._bodies.items() if bodies}
        records, end = bodies.pop("record", ()), self._order.end
        file = RunFile(
            path=self._path,
            run=self._run,
            statics=bodies.pop("static", ()),
            records=records,
            more=bodies,
            complete=end is not None and end.status == "complete",
            problems=self._problems.lines(*ending(self._run, records, end, self._order.trainings)),
        )
        return Parsed(
            file=file,
            damaged=self._problems.damaged,
            good_bytes=self._good_bytes,
            next_line=self._order.last + (end is None),
        )


def _header(path: Path, stream: BinaryIO) -> RunHeader:
    """Return the header of the run, the first line; raise `InputError` where it is missing or damaged."""
    _, raw = next(_raw_lines(stream), (0, b""))
    try:
        number, run = decode(raw.removesuffix(b"\n"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except DamagedLineError as error:
        what = "its header is damaged" if raw.startswith(b'{"crc32":') else "this is no run file"
        raise InputError(f"{path} line 1: {what} ({error})") from None
    if not isinstance(run, RunHeader) or number != 1:
        raise InputError(f"{path} line 1: the header of the run is missing; its first lines were lost")
    try:
        check_run_id(run.id)
    except InputError as error:
        raise InputError(f"{path} line 1: {error}") from None
    return run


def _raw_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the bytes of each line, newline included; an overlong line is cut."""
    start = stream.tell()  # counted from here on, as each call of tell is a system call
    while raw := stream.readline(MAX_LINE_BYTES + 2):
        yield start, raw
        start += len(raw)
        rest = raw
        while len(raw) > MAX_LINE_BYTES + 1 and rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES)
            start += len(rest)
