"""Find the fastest configuration: `best`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from bench.commands.options import (
    CRASHED,
    FAILED,
    INTERRUPTED,
    OK,
    AxisOptions,
    DeviceName,
    Format,
    echo_path,
    say,
    split,
    with_axes,
)
from results.errors import InputError

if TYPE_CHECKING:
    from bench.schedule.racing.request import SearchRequest

ANY: Final = "any"
"""Stands for the batch with the highest throughput."""

_Models = Annotated[
    str | None, typer.Option("--models", metavar="MODEL,...|all", help="Several in place of MODEL: also find which.")
]
_Batch = Annotated[str, typer.Option("--batch-size", metavar="COUNT|any", help="Images a step; any: the best batch.")]
_Latency = Annotated[str | None, typer.Option(metavar="TIME", help="A step at most: 20ms.")]
_Memory = Annotated[str | None, typer.Option(metavar="SIZE", help="The process at most: 2GB.")]
_Accuracy = Annotated[str | None, typer.Option(metavar="PERCENT", help="Published ImageNet top-1 at least: 76%.")]
_Agreement = Annotated[
    str | None,
    typer.Option(metavar="PERCENT", help="Try int8 too; it must agree with fp32 so often."),
]
_Limit = Annotated[float, typer.Option(metavar="SECONDS", help="For the whole search.")]


@with_axes(("task", "image_size", "precision", "runtime", "layout", "threads"))
def best_command(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="A variant or a peer; see `list`.")] = None,
    *,
    models: _Models = None,
    axes: AxisOptions,
    batch_size: _Batch = "1",
    max_latency: _Latency = None,
    max_memory: _Memory = None,
    min_agreement: _Agreement = None,
    min_accuracy: _Accuracy = None,
    time_limit: _Limit = 300.0,
    device: DeviceName = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the run file.")] = Path("runs"),
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the page.")] = True,
    form: Format = "table",
) -> int:
    """Find the fastest precision, runtime, layout and batch on this machine that is still right.

    All that the machine may run takes part in a race, and leaves it as soon as it cannot be the fastest. The last are
    measured again in fresh processes. Axis options narrow the choice.

    Exit codes: 0 success, 1 nothing meets the bounds, 2 bad input, 70 a crash of resnet-bench, 130 interrupted.
    """
    import results
    from bench.schedule import progress
    from bench.schedule.racing.lines import SearchLines
    from bench.schedule.racing.run import find_best
    from bench.schedule.run import Interrupted, Stopped
    from reports.text.best.answer import search_text

    request = _request(
        _Asked(model, models, batch_size, max_latency, max_memory, min_agreement, min_accuracy, time_limit), axes
    )
    try:
        with progress.display(sys.stderr, SearchLines()) as show:
            search, records = find_best(request, device="auto" if device is None else device, out=out, show=show)
    except Stopped as stopped:
        say(f"{stopped}; a search cannot go on: start it again")
        return INTERRUPTED if isinstance(stopped, Interrupted) else CRASHED
    study = results.Study(records)
    typer.echo(search_text(study, form), nl=False)
    (file,) = records.files
    if form == "table":
        echo_path("run file: ", file.path)
        if report:
            import reports

            echo_path("page: ", reports.build(study, file.path.with_suffix(".html")))
    return OK if search.winner is not None else FAILED


class _Asked(NamedTuple):
    """The options as text."""

    model: str | None
    models: str | None
    batch_size: str
    max_latency: str | None
    max_memory: str | None
    min_agreement: str | None
    min_accuracy: str | None
    time_limit: float


def _request(asked: _Asked, axes: AxisOptions) -> "SearchRequest":
    """Return the request of the options, or raise `InputError`."""
    from bench.schedule.fitting.sizes import memory_size
    from bench.schedule.racing.request import SearchRequest
    from bench.suites.durations import duration_s
    from bench.suites.values import axis_values, fraction

    for name, values in axes.items():
        axis_values(name, values)  # before a process starts
    if not asked.time_limit > 0:
        raise InputError(f"--time-limit: {asked.time_limit:g} should be more than 0 seconds")
    accuracy = None if asked.min_accuracy is None else fraction(asked.min_accuracy)
    return SearchRequest(
        models=_named(asked.model, asked.models, accuracy),
        batches=None if asked.batch_size == ANY else _batches(asked.batch_size),
        task=str(_only(axes, "task") or "inference"),
        image_size=_only(axes, "image_size"),
        threads=tuple(map(int, axes["threads"])) if "threads" in axes else None,
        axes={name: values for name, values in axes.items() if name in {"precision", "runtime", "layout"}},
        max_latency_s=None if asked.max_latency is None else duration_s(asked.max_latency, "--max-latency"),
        max_memory_bytes=None if asked.max_memory is None else memory_size(asked.max_memory),
        min_agreement=None if asked.min_agreement is None else fraction(asked.min_agreement),
        min_accuracy=accuracy,
        time_limit_s=asked.time_limit,
    )


def _named(model: str | None, several: str | None, accuracy: float | None) -> tuple[str, ...]:
    """Return the models of the search, those with enough published accuracy."""
    from bench.suites.values import model_names

    if (model is None) == (several is None):
        raise InputError("give a model, or --models with several")
    names = [name for text in split([model or several or ""]) for name in model_names(text)]
    if accuracy is None:
        return tuple(dict.fromkeys(names))
    from bench.tasks.networks import imagenet_top1

    enough = [name for name in names if (imagenet_top1(name)[0] or 0.0) >= accuracy]
    if not enough:
        raise InputError(f"no model of {', '.join(names)} has a published top-1 of {accuracy:.1%} at 224 pixels")
    return tuple(dict.fromkeys(enough))


def _batches(text: str) -> tuple[int, ...]:
    from bench.commands.options import axis_value

    return tuple(int(axis_value("batch_size", part)) for part in split([text]))


def _only(axes: AxisOptions, name: str) -> str | int | None:
    values = axes.get(name, [])
    if len(values) > 1:
        raise InputError(f"{name.replace('_', '-')}: give a single value")
    return values[0] if values else None
