"""Importers: what other programs measured, as run files. All of the files are written or none."""

import contextlib
import dataclasses
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from results.errors import InputError, suggestion
from results.importers import csv, pytest_benchmark, timm
from results.importers.reading import Content, Imported, Options, Tell, read_content
from results.schema.run import End
from results.schema.types import Stored
from results.storage.lines import DamagedLineError, encode
from results.storage.reader import check_run_id
from results.text import printable

_PARTS: Final = re.compile(r"\A(?:header|record)\.(?:environment\.|case\.|summary\.)?")
"""Where the schema keeps what a person knows as a column."""
_AXES: Final = frozenset({"task", "precision", "layout", "runtime", "batch_size", "image_size", "torch", "device"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """How one format is read."""

    read: Callable[[Content, Options, Tell], list[Imported]]
    options: frozenset[str] = frozenset()
    """The fields of `Options` that it heeds."""


IMPORTERS: Final[dict[str, Importer]] = {
    timm.FORMAT: Importer(read=timm.read, options=_AXES | {"only_known", "accuracy"}),
    pytest_benchmark.FORMAT: Importer(read=pytest_benchmark.read, options=_AXES),
    csv.FORMAT: Importer(read=csv.read),
}
"""Every importer by the name of its format."""


def read(fmt: str, path: str | Path, options: Options, tell: Tell) -> list[Imported]:
    """Return the runs that a file holds.

    Args:
        fmt: one of `IMPORTERS`.
        path: the file.
        options: what the file does not tell.
        tell: takes a line for each thing that is left out.

    Raises:
        InputError: There is no such format or file, an option does not go with it, or its content is wrong; the
            message names the line and the field.
    """
    if fmt not in IMPORTERS:
        raise InputError(f"unknown format {fmt!r}{suggestion(fmt, IMPORTERS)} (choices: {', '.join(IMPORTERS)})")
    importer = IMPORTERS[fmt]
    for field in dataclasses.fields(Options):
        if getattr(options, field.name) != field.default and field.name not in importer.options:
            raise InputError(f"--{field.name.replace('_', '-')} says nothing about a {fmt} file; leave it out")
    return importer.read(read_content(path), options, tell)


def import_files(
    fmt: str, paths: Sequence[str | Path], out: str | Path, options: Options | None = None, *, tell: Tell
) -> list[Path]:
    """Write a run file into the folder `out` for each run that the files hold, and return where they are.

    Nothing is written unless all of them can be. `fmt`, `options` and `tell` are those of `read`.

    Raises:
        InputError: As `read`, or a run file is there already, or cannot be written.
    """
    made: dict[Path, bytes] = {}
    for path in paths:
        for one in read(fmt, path, options or Options(), tell):
            check_run_id(one.run.id)
            target = Path(out) / f"{one.run.id}.jsonl"
            if target in made:
                raise InputError(
                    f"{printable(str(path))}: run {one.run.id} was imported from another file; give only one"
                )
            made[target] = _encoded(path, one)
    _write_all(made)
    return list(made)


def _encoded(path: str | Path, one: Imported) -> bytes:
    """Return the whole run file, each line checked as its reader will check it."""
    lines: list[bytes] = []
    # The records come first: whatever is wrong with one of their cases, the plan in the header repeats.
    for number, (place, record) in enumerate(zip(one.places, one.records, strict=True), start=2):
        lines.append(_line(path, place, number, record))
    lines.insert(0, _line(path, one.places[0], 1, one.run))
    lines.append(encode(len(lines) + 1, End(status="complete", records=len(one.records))))
    return b"".join(lines)


def _line(path: str | Path, place: str, number: int, body: Stored) -> bytes:
    try:
        return encode(number, body)
    except DamagedLineError as error:
        raise InputError(f"{printable(str(path))} {place}, {_PARTS.sub('', str(error))}") from None


def _write_all(made: dict[Path, bytes]) -> None:
    """Write the files so that each, as soon as it has its name, is whole."""
    done: list[Path] = []
    try:
        for target, data in made.items():
            done.append(_half(target, data))
        for place, target in enumerate(made):
            done[place] = done[place].rename(target)
    except BaseException as error:
        for path in done:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(
                f"cannot write {error.filename}: {error.strerror}; choose another folder with --out"
            ) from None
        raise


def _half(target: Path, data: bytes) -> Path:
    """Write `data` beside `target`, which nobody else then makes: `results.storage.writer` starts with that name."""
    half = target.with_name(f"{target.name}.new")
    target.parent.mkdir(parents=True, exist_ok=True)
    with half.open("xb") as stream:
        try:
            _check_absent(target)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            half.unlink(missing_ok=True)
            raise
    return half


def _check_absent(target: Path) -> None:
    if target.exists():
        raise InputError(f"{target} is there already; choose another folder with --out")
