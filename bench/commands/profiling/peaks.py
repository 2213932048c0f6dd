"""Say what a device can do: `peaks`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import OK, DeviceName, Format, say, split
from results.schema.types import MOST_SIZE

_Precisions = Annotated[
    str, typer.Option(metavar="WORD,...", help="Number formats of products, beside fp32; see `list precisions`.")
]
_PeaksSeconds = Annotated[float, typer.Option(metavar="SECONDS", min=1.0, max=3600.0, help="For everything, roughly.")]
_PeaksThreads = Annotated[
    int | None, typer.Option(metavar="COUNT", min=1, max=MOST_SIZE, help="Threads of an operator on the CPU.")
]


def peaks_command(
    device: DeviceName = None,
    precision: _Precisions = "fp32",
    threads: _PeaksThreads = None,
    seconds: _PeaksSeconds = 45.0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the run file.")] = Path("runs"),
    form: Format = "table",
) -> int:
    """Measure what a device can do: rates of products by precision, bandwidths by working set, latencies.

    Exit codes: 0 success, 2 bad input, 130 interrupted.
    """
    from bench.schedule import progress
    from bench.schedule.profiling.peaks import run_peaks
    from reports.text.profiling.peaks import peaks_text

    with progress.display(sys.stderr) as show:
        file = run_peaks(
            device="auto" if device is None else device,
            threads=threads,
            precisions=split([precision]),
            seconds=seconds,
            out=out,
            show=show,
        )
    (peaks,) = file.bodies("peaks")
    typer.echo(peaks_text(peaks, form), nl=False)
    say(f"run file: {file.path}")
    return OK
