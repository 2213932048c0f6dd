"""What the commands share: exit codes, options, what they mean, and one line to a person."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside functions are what keeps --help fast

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from reports.text.cost import Format
from results.errors import InputError

if TYPE_CHECKING:
    from results.storage.reader import Records

OK: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
INCOMPLETE: Final = 3
CRASHED: Final = 70
"""A fault of this program (EX_SOFTWARE of sysexits.h): never taken for a verdict."""
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
"""As a shell reports a program that SIGPIPE ended."""

OUTCOMES: Final = {"pass": OK, "regression": FAILED, "inconclusive": INCOMPLETE}
"""Exit code of each outcome of a comparison."""

Form = Annotated[Format, typer.Option("--format", help="Form of the output.")]
Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run files, or folders of them.")]
"""Run files as every command that reads them takes them."""


def split(values: Sequence[str]) -> list[str]:
    """Return the parts of an option that is comma-separated, repeated or both."""
    return [part.strip() for value in values for part in value.split(",")]


def whole(axis: str, text: str) -> int:
    """Return `text` as the whole number that `axis` needs, or raise `InputError`."""
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{axis}: {text!r} is not a whole number") from None


def existing(path: Path | None) -> Path | None:
    """Return `path` as given, or raise `InputError` where nothing is there."""
    if path is not None and not path.exists():
        raise InputError(f"there is no {path}")
    return path


def load(paths: Sequence[Path]) -> "Records":
    """Return the records of run files; what is wrong with a file that still tells something is said on stderr."""
    import results

    records = results.load(*paths)
    for problem in records.problems:
        say(f"warning: {problem}")
    return records


def say(line: str) -> None:
    """Write one line for a person to stderr, whatever its parts contain."""
    from results.text import printable

    sys.stderr.write(f"{printable(' '.join(line.split()))}\n")


def echo_path(what: str, path: Path) -> None:
    """Write where something is to stdout; a name may hold anything but a slash and NUL."""
    from results.text import printable

    typer.echo(f"{what}{printable(str(path))}")
