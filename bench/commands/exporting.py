"""Write runs for other programs: `export`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import Runs, echo_path, load, say
from results.errors import InputError

_STDOUT = Path("-")
_FORMATS = "csv, parquet, pytest-benchmark, github-action-benchmark, bencher, openmetrics."


def export(
    fmt: Annotated[str, typer.Argument(metavar="FORMAT", help=_FORMATS)],
    runs: Runs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write (of two, the stem of their names); - is stdout.",
        ),
    ] = _STDOUT,
) -> None:
    """Write run files in a format that other programs read.

    csv and parquet hold every case; the others those that have a result. github-action-benchmark is two files:
    with `-o out` they are out-bigger.json and out-smaller.json.
    """
    from results.analysis.study import Study
    from results.exporters import exporter
    from results.exporters.files import SINGLE
    from results.storage.files import check_place, replace

    make = exporter(fmt)
    records = load(runs)
    files = make(Study(records))
    for line in files.left_out:
        say(line)
    if output == _STDOUT:
        if not isinstance(files.parts.get(SINGLE), str):
            raise InputError(f"{fmt} does not go to stdout; name the file to write with -o")
        typer.echo(files.content(), nl=False)
        return
    paths = files.paths(output)
    for path in paths.values():
        check_place(path, records, "the export")
    for part, path in paths.items():
        replace(path, files.content(part), "the export")
        echo_path("", path)
