"""Write run files: append each line and sync it to the disk.

A crash loses at most the case in flight; `Writer.resume` continues the run.
"""

import contextlib
import datetime
import fcntl
import os
import re
import secrets
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, NamedTuple, Self

from results.errors import InputError
from results.schema.lines.record import Record
from results.schema.lines.run import End, Environment, Resumed, RunHeader
from results.schema.types import Stored
from results.storage.files import ELSEWHERE, check_absent
from results.storage.lines import encode
from results.storage.reader import Parsed, RunFile, check_run_id, parse

_KEPT: Final = "what was measured before is kept, make room and go on with --resume"


def new_run_id(now: datetime.datetime, suite: str) -> str:
    """Return an id that sorts by time and names the suite, such as ``20261122-003812-default-a1b2c3d4``."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "-", suite)[:32].strip(".-") or "run"
    return f"{now:%Y%m%d-%H%M%S}-{word}-{secrets.token_hex(4)}"


class _Position(NamedTuple):
    """The position up to which a file is written. A single value, so that an interrupt cannot split its update."""

    line: int = 1
    """Number of the next line."""
    good_bytes: int = 0
    """Offset behind the last complete line."""
    records: int = 0


class Writer:
    """Append lines to a run file, under a lock that keeps other processes from writing it.

    Every method raises `InputError` where the disk refuses (full, gone, read-only); earlier lines stay intact.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._position = _Position()

    @classmethod
    def create(cls, folder: str | Path, run: RunHeader) -> "Writer":
        """Start ``folder/<run id>.jsonl`` with its header; an existing file is never overwritten."""
        check_run_id(run.id)
        path = Path(folder) / f"{run.id}.jsonl"
        half = path.with_name(f"{path.name}.new")  # renamed after the header is written: no run file lacks its header
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            check_absent(half)
            raise InputError(f"{path} cannot be made: its folder is a file; {ELSEWHERE}") from None
        except OSError as error:
            raise InputError(f"cannot write into {folder}: {error.strerror or error}; {ELSEWHERE}") from None
        writer = cls(path, descriptor)
        made = half
        try:
            check_absent(path)  # it stays absent: another process would first have to make `half`
            writer._lock()
            writer.append(run)
            made = half.rename(path)
            _sync_folder(path.parent)
        except BaseException as error:
            writer.close()
            made.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _refused(path, error, ELSEWHERE) from None
            raise
        return writer

    @classmethod
    def resume(cls, path: str | Path, *, started: str, environment: Environment) -> tuple["Writer", RunFile]:
        """Continue a run that was cut off or interrupted, and return its file as it was before.

        A torn last line and an end line are cut, and a new line records the time and the machine of the continuation.

        Raises:
            InputError: The run is complete, damaged in its middle, or being written by another process.
        """
        path = Path(path)
        parsed = parse(path)  # before opening it to write, for its clearer errors
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}") from None
        writer = cls(path, descriptor)
        try:
            writer._lock()
            parsed = parse(path)  # again: only the lock excludes another writer
            _check_resumable(parsed)
            writer._position = _Position(parsed.next_line, parsed.good_bytes, len(parsed.file.records))
            writer._truncate()
            writer._end_line()
            writer.append(Resumed(started=started, environment=environment))
        except BaseException as error:
            writer.close()
            if isinstance(error, OSError):
                raise _refused(path, error, _KEPT) from None
            raise
        return writer, parsed.file

    def append(self, body: Stored) -> None:
        """Append a line of any kind of `results.schema.kinds.KINDS`; on return it is on the disk."""
        before = self._position
        data = encode(before.line, body)
        after = _Position(before.line + 1, before.good_bytes + len(data), before.records + isinstance(body, Record))
        try:
            if os.fstat(self._descriptor).st_size > before.good_bytes:  # an earlier cut failed too
                self._truncate()
            _write_all(self._descriptor, data)
            self._position = after  # before the sync: an interrupt of the sync leaves the line in the file
            os.fsync(self._descriptor)
        except OSError as error:
            self._position = before
            self._cut()
            raise _refused(self.path, error, ELSEWHERE if before.line == 1 else _KEPT) from None
        except BaseException:  # an interrupt may have left a part of the line
            self._cut()
            raise

    def end(self, status: Literal["complete", "interrupted"]) -> None:
        """Append the end line and close the file."""
        self.append(End(status=status, records=self._position.records))
        self.close()

    def close(self) -> None:
        """Close the file; a run that was not ended counts as cut off and can be resumed."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{self.path} is being written by another process; wait for its end") from None
        except OSError:
            return  # a file system without locks (some network ones) is no reason not to measure

    def _cut(self) -> None:
        with contextlib.suppress(OSError):  # the first error is reported
            self._truncate()

    def _truncate(self) -> None:
        """Cut the file behind the last complete line."""
        os.ftruncate(self._descriptor, self._position.good_bytes)

    def _end_line(self) -> None:
        """Append the newline of the last complete line, where it was lost."""
        good_bytes = self._position.good_bytes
        if os.pread(self._descriptor, 1, good_bytes - 1) != b"\n":
            self._position = self._position._replace(good_bytes=good_bytes + os.write(self._descriptor, b"\n"))


def _refused(path: Path, error: OSError, remedy: str) -> InputError:
    return InputError(f"cannot write {path}: {error.strerror or error}; {remedy}")


def _check_resumable(parsed: Parsed) -> None:
    if parsed.file.complete:
        raise InputError(f"{parsed.file.path} is complete; there is nothing to resume")
    if parsed.damaged:
        raise InputError(f"{parsed.damaged}; a damaged run cannot be resumed, start a new one")


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`; a call may write a part of it."""
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the name of a new file survives a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
