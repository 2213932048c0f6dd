"""Importers: results of other programs, read as runs."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from results.errors import InputError, suggestion
from results.importers import csv, kineto, pytest_benchmark, timm
from results.importers.reading import Content, Imported, Options, Tell, read_content


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """The importer of a format."""

    read: Callable[[Content, Options, Tell], list[Imported]]
    options: frozenset[str] = frozenset()
    """The fields of `Options` that it uses."""


IMPORTERS: Final[dict[str, Importer]] = {
    timm.FORMAT: Importer(read=timm.read, options=frozenset({"axes", "torch", "device", "only_known", "accuracy"})),
    pytest_benchmark.FORMAT: Importer(read=pytest_benchmark.read, options=frozenset({"axes", "torch", "device"})),
    csv.FORMAT: Importer(read=csv.read),
    kineto.FORMAT: Importer(read=kineto.read, options=frozenset({"torch"})),
}
"""Every importer by the name of its format."""


def read(fmt: str, path: str | Path, options: Options, tell: Tell) -> list[Imported]:
    """Return the runs that a file holds.

    Args:
        fmt: one of `IMPORTERS`.
        path: the file.
        options: facts that the file does not state.
        tell: takes a line for each omission.

    Raises:
        InputError: There is no such format or file, an option does not apply to it, or its content is wrong; the
            message names the line and the field.
    """
    if fmt not in IMPORTERS:
        raise InputError(f"unknown format {fmt!r}{suggestion(fmt, IMPORTERS)} (choices: {', '.join(IMPORTERS)})")
    importer = IMPORTERS[fmt]
    for field, option in _given(options):
        if field not in importer.options:
            raise InputError(f"--{option.replace('_', '-')} says nothing about a {fmt} file; leave it out")
    return importer.read(read_content(path), options, tell)


def _given(options: Options) -> Iterator[tuple[str, str]]:
    """Yield the fields with a value, and the names of their options."""
    for field in dataclasses.fields(Options):
        value = getattr(options, field.name)
        if field.name == "axes":
            yield from ((field.name, axis) for axis in value)
        elif value != field.default:
            yield field.name, field.name
