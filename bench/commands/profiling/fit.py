"""Find the largest batch: `fit`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from bench.commands.options import FAILED, OK, AxisOptions, DeviceNames, Format, TimeLimit, say, split, with_axes
from bench.suites import SUITE_AXES

FIT_AXES: Final = tuple(name for name in SUITE_AXES if name not in {"model", "batch_size"})

_MemoryLimit = Annotated[str, typer.Option(metavar="SIZE", help="What a process may take: 8GB, 8GiB, 512MB, or free.")]
_FitModels = Annotated[str, typer.Argument(metavar="MODEL,...", help="Variants or peers; see `list models`.")]


@with_axes(FIT_AXES)
def fit_command(
    model: _FitModels,
    *,
    memory: _MemoryLimit,
    axes: AxisOptions,
    verify: Annotated[bool, typer.Option("--verify", help="Also measure, in a fresh process each batch.")] = False,
    device: DeviceNames = None,
    time_limit: TimeLimit = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the run file.")] = Path("runs"),
    form: Format = "table",
) -> int:
    """Find the largest batch that fits in a memory: by prediction, and with --verify by measuring.

    On the CPU the memory is what a process takes beyond an idle process with torch.

    Exit codes: 0 success, 1 not a single image fits, 2 bad input, 130 interrupted.
    """
    from bench.schedule import progress
    from bench.schedule.fitting.fit import FitRequest
    from bench.schedule.fitting.run import run_fits
    from bench.schedule.fitting.sizes import memory_size
    from bench.suites.suite import custom_suite
    from reports.text.profiling.fit import fits_text

    request = FitRequest(memory_bytes=memory_size(memory), verify=verify, time_limit_s=time_limit)
    suite = custom_suite({"model": [*split([model])], **axes})
    with progress.display(sys.stderr) as show:
        file = run_fits(suite, request, device="auto" if device is None else device, out=out, show=show)
    fits = file.bodies("fit")
    typer.echo(fits_text(fits, form), nl=False)
    say(f"run file: {file.path}")
    return OK if all(fit.predicted_batch or fit.verified_batch for fit in fits) else FAILED
