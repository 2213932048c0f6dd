"""Write imported runs as run files: all files or none."""

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from results.errors import InputError
from results.importers import read
from results.importers.reading import Imported, Options, Tell
from results.schema.kinds import kind_of
from results.schema.lines.run import End
from results.schema.types import Stored
from results.storage.files import ELSEWHERE, check_absent
from results.storage.lines import DamagedLineError, encode
from results.storage.reader import check_run_id
from results.text import printable

_PARTS: Final = re.compile(r"\A(?:header|record)\.(?:environment\.|case\.|summary\.)?")
"""Prefixes of paths in the schema, which messages to a person leave out."""


def import_files(
    fmt: str, paths: Sequence[str | Path], out: str | Path, options: Options | None = None, *, tell: Tell
) -> list[Path]:
    """Write a run file into the folder `out` for each run of the files, and return their paths.

    No file is written unless all can be written. `fmt`, `options` and `tell` are as for `read`.

    Raises:
        InputError: As for `read`, or a run file exists already or cannot be written.
    """
    made: dict[Path, bytes] = {}
    for path in paths:
        for imported in read(fmt, path, options or Options(), tell):
            run = imported.run.id
            check_run_id(run)
            target = Path(out) / f"{run}.jsonl"
            if target in made:
                raise InputError(f"{printable(str(path))}: run {run} was imported from another file; give only one")
            made[target] = _encoded(path, imported)
    _write_all(made)
    return list(made)


def _encoded(path: str | Path, imported: Imported) -> bytes:
    """Return the whole run file, each line checked as its reader will check it."""
    lines: list[bytes] = []
    # Records first: the header repeats their cases and would report the same error without its position.
    for number, (position, record) in enumerate(zip(imported.positions, imported.records, strict=True), start=2):
        lines.append(_line(path, position, number, record))
    lines.insert(0, _line(path, next(iter(imported.positions), "header"), 1, imported.run))
    for body in imported.bodies:
        lines.append(_line(path, kind_of(body), len(lines) + 1, body))
    lines.append(encode(len(lines) + 1, End(status="complete", records=len(imported.records))))
    return b"".join(lines)


def _line(path: str | Path, position: str, number: int, body: Stored) -> bytes:
    try:
        return encode(number, body)
    except DamagedLineError as error:
        raise InputError(f"{printable(str(path))} {position}, {_PARTS.sub('', str(error))}") from None


def _write_all(made: dict[Path, bytes]) -> None:
    """Write the files atomically: a file gets its name when it is complete."""
    done: list[Path] = []
    try:
        for target, data in made.items():
            done.append(_half(target, data))
        for index, target in enumerate(made):
            done[index] = done[index].rename(target)
    except BaseException as error:
        for path in done:
            with contextlib.suppress(OSError):  # the first error is reported
                path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {error.filename}: {error.strerror}; {ELSEWHERE}") from None
        raise


def _half(target: Path, data: bytes) -> Path:
    """Write `data` under the first name of `results.storage.writer`, which keeps other processes from `target`."""
    half = target.with_name(f"{target.name}.new")
    target.parent.mkdir(parents=True, exist_ok=True)
    with half.open("xb") as stream:
        try:
            check_absent(target)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            half.unlink(missing_ok=True)
            raise
    return half
