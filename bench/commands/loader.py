"""Measure the loading of data: `loader`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from bench.commands.options import FAILED, OK, DeviceName, Format, say
from results.errors import InputError
from results.schema.types import MOST_SIZE

_AUTO: Final = "auto"

_Data = Annotated[str, typer.Argument(metavar="DATA", help="A folder of images, or a data set such as fashion-mnist.")]
_DataPath = Annotated[Path | None, typer.Option(metavar="FOLDER", help="The files of a data set [default: its own].")]
_LoaderCounts = Annotated[
    str, typer.Option(metavar="COUNT,...", help="Workers of the DataLoader; auto tries 0, 1, 2, 4… up to the cores.")
]
_BatchSize = Annotated[int, typer.Option(metavar="COUNT", min=1, max=MOST_SIZE, help="Images a batch.")]
_Side = Annotated[
    int | None, typer.Option(metavar="PIXELS", min=1, max=MOST_SIZE, help="A side [default: 224, or the set's own].")
]
_FedModel = Annotated[str | None, typer.Option(metavar="MODEL", help="The network to feed [default: resnet18].")]
_SecondsOfFigure = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.01, max=3600.0, help="For each figure in each of 5 repetitions.")
]


def loader_command(
    data: _Data,
    data_path: _DataPath = None,
    workers: _LoaderCounts = _AUTO,
    batch_size: _BatchSize = 64,
    image_size: _Side = None,
    model: _FedModel = None,
    precision: Annotated[str, typer.Option(metavar="WORD", help="Number format of the network.")] = "fp32",
    decoder: Annotated[str, typer.Option(metavar="NAME", help="pillow or torchcodec.")] = "pillow",
    device: DeviceName = None,
    seconds: _SecondsOfFigure = 1.0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the run file.")] = Path("runs"),
    form: Format = "table",
) -> int:
    """Measure how fast images are read, decoded and batched, beside what a network needs; advise a number of workers.

    The files are in the system's cache when they are timed. Exit codes: 0 success, 1 a worker died, 2 bad input,
    130 interrupted.
    """
    from bench.schedule import progress
    from bench.schedule.loading.clients import LoadingFailed
    from bench.schedule.loading.request import LoadingRequest
    from bench.schedule.loading.run import run_loader
    from reports.text.data.loading import loading_text
    from results.analysis.loading import loading_findings
    from results.schema.axes import check_choice

    check_choice("precision", precision)
    request = LoadingRequest(
        data=data,
        path=data_path,
        workers=_counts(workers),
        batch_size=batch_size,
        image_size=image_size,
        model=model,
        precision=precision,
        decoder=decoder,
        seconds=seconds,
    )
    try:
        with progress.display(sys.stderr) as show:
            file = run_loader(request, device="auto" if device is None else device, out=out, show=show)
    except LoadingFailed as failure:
        say(f"{failure}")
        return FAILED
    (loading,) = file.bodies("loading")
    typer.echo(loading_text(loading_findings(loading), form), nl=False)
    say(f"run file: {file.path}")
    return OK


def _counts(text: str) -> tuple[int, ...] | None:
    """Parse numbers of workers; None for `_AUTO`."""
    if text.strip() == _AUTO:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"workers: {text[:80]!r} should be whole numbers such as 0,1,2,4, or {_AUTO}") from None
