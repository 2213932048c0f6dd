"""Exit codes, options and output lines that the commands share."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside functions are what keeps --help fast

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from reports.text.grid import FORMATS
from results.errors import InputError
from results.image_size import parse_image_size
from results.schema.axes import AXES

if TYPE_CHECKING:
    from results.storage.reader import Records

OK: Final = 0
FAILED: Final = 1
"""A regression, or a case that failed."""
BAD_INPUT: Final = 2
INCOMPLETE: Final = 3
"""Inconclusive, or the time limit left cases out."""
CRASHED: Final = 70
"""A fault of this program (EX_SOFTWARE of sysexits.h): never taken for a verdict."""
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
"""The exit code with which a shell reports a program that SIGPIPE ended."""

OUTCOMES: Final = {"pass": OK, "regression": FAILED, "inconclusive": INCOMPLETE}
"""Exit code of each outcome of a comparison."""

Format = Annotated[Literal[FORMATS], typer.Option("--format", help="Form of the output.")]  # type: ignore[valid-type]
CommentFormat = Annotated[
    Literal[*FORMATS, "github"],  # type: ignore[valid-type]
    typer.Option("--format", help="Form of the output; github is for comments and job summaries."),
]
Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run files, or folders of them.")]
Margin = Annotated[str, typer.Option(metavar="PERCENT", help="Relative difference that does not matter: 2%.")]
Accuracy = Annotated[
    str | None,
    typer.Option(
        metavar="PERCENT",
        help="Validation accuracy to which trainings are timed, such as 93% [default: one that all of them reached].",
    ),
]
ReferenceName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Model, or key of a case, to which times are relative [default: resnet50, or the model with most cases].",
    ),
]
DeviceName = Annotated[
    str | None, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator such as cuda:0 [default: auto].")
]
DeviceNames = Annotated[
    str | None,
    typer.Option(metavar="DEVICE,...", help="auto, cpu, or accelerators: cuda:0; cuda:0,cuda:1; cuda:all."),
]
Budget = Annotated[float | None, typer.Option(metavar="SECONDS", help="Sampling of a process at most.")]
Timeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="Until a silent process counts as hung.")]
TimeLimit = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="For the whole command; of several devices, for each.")
]

Value = str | int
AxisOptions = dict[str, list[Value]]
"""Values of the axes' options, by axis; an axis without a value is left out."""


def with_axes(names: Iterable[str], *, several: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that replaces the parameter ``axes`` of a command by an option for every axis of `names`.

    Args:
        names: axes of `AXES`.
        several: whether an option takes several values, comma-separated or repeated.
    """
    chosen = tuple(names)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def call(**given: Any) -> Any:
            axes: AxisOptions = {}
            for name in chosen:
                texts = given.pop(name)
                if texts:
                    parts = split(texts) if several else [texts.strip()]
                    axes[name] = [axis_value(name, part) for part in parts]
            return command(axes=axes, **given)

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command).parameters.values():
            keyword = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            parameters += [_axis_parameter(name, several) for name in chosen] if parameter.name == "axes" else [keyword]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return call

    return decorate


def _axis_parameter(name: str, several: bool) -> inspect.Parameter:
    axis = AXES[name]
    help_text = f"{axis.help.removesuffix('.')} ({', '.join(axis.choices)})." if axis.choices else axis.help
    metavar = {"name": name.upper(), "word": name.upper(), "count": "COUNT", "size": "PIXELS"}[axis.kind]
    option = typer.Option(metavar="VALUE,..." if several else metavar, help=help_text)
    kind: Any = list[str] | None if several else str | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def axis_value(name: str, text: str) -> Value:
    """Parse a value of an axis: a whole number from 1 for an axis of counts, the size of an image, else text."""
    if AXES[name].kind == "size":
        try:
            return parse_image_size(text)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    if AXES[name].kind != "count":
        return text
    try:
        number = int(text)
    except ValueError:
        raise InputError(f"{name}: {text!r} is not a whole number") from None
    if number < 1:
        raise InputError(f"{name}: {number} should be a whole number >= 1")
    return number


def single(axes: Mapping[str, Sequence[Value]]) -> dict[str, Value]:
    """Return the only value of every axis."""
    return {name: value for name, (value,) in axes.items()}


def split(values: Sequence[str]) -> list[str]:
    """Split the values of an option that is comma-separated, repeated or both."""
    return [part.strip() for value in values for part in value.split(",")]


def existing(path: Path | None) -> Path | None:
    """Return `path` as given, or raise `InputError` where it does not exist."""
    if path is not None and not path.exists():
        raise InputError(f"there is no {path}")
    return path


def load(paths: Sequence[Path]) -> "Records":
    """Return the records of run files, and write a warning for whatever of a file is damaged or unknown."""
    import results

    records = results.load(*paths)
    for line in (*records.problems, *records.notes):
        say(f"warning: {line}")
    return records


def holds_trainings(records: "Records") -> bool:
    """Return whether any run file holds a training."""
    return any(file.bodies("training") for file in records.files)


def say(line: str) -> None:
    """Write a line for a person to stderr, with hidden characters escaped."""
    from results.text import printable

    sys.stderr.write(f"{printable(' '.join(line.split()))}\n")


def echo_path(what: str, path: Path) -> None:
    """Write a path to stdout; a file's name may hold any byte but a slash and NUL."""
    from results.text import printable

    typer.echo(f"{what}{printable(str(path))}")
