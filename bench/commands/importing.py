"""Make run files of what other programs measured: `import`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import echo_path, say

_FORMATS = "timm, pytest-benchmark, csv."
_Word = Annotated[str | None, typer.Option(metavar="NAME", help="For files that do not tell it; beats their name.")]
_Size = Annotated[int | None, typer.Option(min=1, help="For rows that do not tell it.")]


def import_(
    fmt: Annotated[str, typer.Argument(metavar="FORMAT", help=_FORMATS)],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files in that format.")],
    out: Annotated[Path, typer.Option(help="Folder for the run files.")] = Path("runs"),
    task: _Word = None,
    precision: _Word = None,
    layout: _Word = None,
    runtime: _Word = None,
    torch: Annotated[str | None, typer.Option(metavar="VERSION", help="Version of PyTorch.")] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the accelerator; of a CPU as cpu:NAME.")
    ] = None,
    batch_size: _Size = None,
    image_size: _Size = None,
    only_known: Annotated[
        bool, typer.Option("--only-known", help="Leave out models that are none of our variants.")
    ] = False,
    accuracy: Annotated[
        Path | None, typer.Option(metavar="CSV", help="timm's results-imagenet.csv, for ImageNet accuracy.")
    ] = None,
) -> None:
    """Write results of other programs as run files, marked as imported; what they do not tell stays null.

    timm: its benchmark tables, whose file names tell precision, layout, PyTorch and device. csv: our own.
    """
    from results.importers.reading import Options
    from results.importers.writing import import_files

    given = {"task": task, "precision": precision, "layout": layout, "runtime": runtime}
    axes = {
        axis: value for axis, value in (given | {"batch_size": batch_size, "image_size": image_size}).items() if value
    }
    options = Options(
        axes=axes,
        torch=torch,
        device=device,
        only_known=only_known,
        accuracy=accuracy,
    )
    for path in import_files(fmt, files, out, options, tell=lambda line: say(f"warning: {line}")):
        echo_path("", path)
