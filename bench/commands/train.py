"""Train to an accuracy: `train` and `degradation`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside functions are what keeps --help fast

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from bench.commands.options import (
    CRASHED,
    FAILED,
    INCOMPLETE,
    INTERRUPTED,
    OK,
    AxisOptions,
    DeviceName,
    TimeLimit,
    Timeout,
    echo_path,
    say,
    single,
    split,
    with_axes,
)
from results.errors import InputError
from results.schema.types import MOST_SIZE

if TYPE_CHECKING:
    from bench.schedule.progress import Show
    from results.schema.lines.training import TrainingEnd
    from results.storage.reader import Records, RunFile

TRAINING_AXES: Final = ("batch_size", "precision", "runtime", "layout", "threads")
"""Axes that somebody chooses for a training; the others follow from the model and the data."""
DEGRADATION: Final = ("cifar_plain20", "cifar_plain56", "cifar_resnet20", "cifar_resnet56")
"""The networks of He 2015, figure 6: the deeper is worse without shortcuts, and better with them."""
SUCCEEDED: Final = ("ok", "stopped early")
"""Statuses of trainings that did what was asked."""


def _count(words: str, least: int = 1) -> Any:
    return typer.Option(metavar="COUNT", min=least, max=MOST_SIZE, help=words)


DataName = Annotated[
    str | None,
    typer.Option(metavar="DATA", help="fashion-mnist, cifar10, cifar100, imagenet, digits, fake, or a path of images."),
]
DataPath = Annotated[Path | None, typer.Option(metavar="PATH", help="Where the data set lies.")]
Download = Annotated[bool, typer.Option("--download", help="Let torchvision download a data set that is missing.")]
ImageSide = Annotated[int | None, typer.Option(metavar="PIXELS", min=1, help="Resize images [default: the data's].")]
RecipeName = Annotated[str | None, typer.Option(metavar="RECIPE", help="See `list recipes`, or a TOML file.")]
Epochs = Annotated[int | None, _count("Epochs, in place of the recipe's.")]
HoldOut = Annotated[str | None, typer.Option(metavar="PERCENT", help="Share of the training images to validate with.")]
StemName = Annotated[
    Literal["cifar", "imagenet"] | None, typer.Option(help="First layers [default: cifar for up to 64 pixels].")
]
Seeds = Annotated[int | None, _count("Trainings of each model, with seeds from 0.")]
Seed = Annotated[int | None, typer.Option(metavar="NUMBER", min=0, max=2**62, help="The only seed [default: 0].")]
Deterministic = Annotated[bool, typer.Option("--deterministic", help="Weights that repeat to the bit; slower.")]
Limit = Annotated[int | None, _count("Most training images, and most validation images.")]
Workers = Annotated[int | None, _count("Processes that decode image files [default: 0].", 0)]
Until = Annotated[str | None, typer.Option(metavar="PERCENT", help="Stop at this validation accuracy: 93%.")]
TrainFolder = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder for run file, networks and page [default: runs].")
]
Resume = Annotated[Path | None, typer.Option(metavar="FILE", help="Go on with an interrupted run file.")]
Report = Annotated[bool, typer.Option(help="Write the HTML page.")]


@with_axes(TRAINING_AXES, several=False)
def train_command(
    model: Annotated[str | None, typer.Argument(metavar="MODEL,...", help="Variants; see `list models`.")] = None,
    *,
    axes: AxisOptions,
    data: DataName = None,
    data_path: DataPath = None,
    download: Download = False,
    image_size: ImageSide = None,
    limit: Limit = None,
    hold_out: HoldOut = None,
    recipe: RecipeName = None,
    epochs: Epochs = None,
    stem: StemName = None,
    device: DeviceName = None,
    seeds: Seeds = None,
    seed: Seed = None,
    deterministic: Deterministic = False,
    workers: Workers = None,
    until: Until = None,
    timeout: Timeout = None,
    time_limit: TimeLimit = None,
    out: TrainFolder = None,
    resume: Resume = None,
    report: Report = True,
) -> int:
    """Train networks to an accuracy, and measure what that takes.

    Models and seeds are trained one after the other. Ctrl-C keeps a checkpoint, and --resume goes on from it,
    also after a failure.

    Exit codes: 0 success, 1 a training diverged or failed, 2 bad input, 3 the time limit left trainings out,
    70 a crash of resnet-bench, 130 interrupted.
    """
    options: dict[str, Any] = {"device": device, "out": out, "workers": workers, "until": until}
    options |= {"timeout_s": timeout, "time_limit_s": time_limit}
    source: dict[str, Any] = {"path": data_path, "image_size": image_size, "limit": limit, "download": download or None}
    values: dict[str, Any] = {"hold_out": hold_out, "recipe": recipe, "epochs": epochs, "stem": stem}
    if resume is not None:
        others = (model, data, axes or None, seeds, seed, deterministic or None, *options.values(), *source.values())
        return _resume(resume, (*others, *values.values()), report=report)
    if model is None or data is None:
        raise InputError("give a model and --data, such as: resnet-bench train cifar_resnet20 --data fashion-mnist")
    values |= {"deterministic": deterministic, **single(axes)}
    return _train(split([model]), _seeds(seeds, seed), {"name": data, **source}, values, options, report=report)


@with_axes(TRAINING_AXES, several=False)
def degradation_command(
    *,
    axes: AxisOptions,
    data: DataName = "fashion-mnist",
    data_path: DataPath = None,
    download: Download = False,
    limit: Limit = None,
    epochs: Epochs = None,
    device: DeviceName = None,
    seeds: Seeds = None,
    time_limit: TimeLimit = None,
    out: TrainFolder = None,
    report: Report = True,
) -> int:
    """Train plain and residual networks of 20 and 56 layers: the degradation experiment of He 2015, figure 6.

    Deeper plain networks have a higher training error, deeper residual networks have not. The recipe is he2015-cifar;
    with other --epochs its milestones keep their shares.

    Exit codes: as of train; go on with `resnet-bench train --resume FILE`.
    """
    values = {"recipe": "he2015-cifar", "epochs": epochs, **single(axes)}
    source = {"name": data, "path": data_path, "limit": limit, "download": download or None}
    options = {"device": device, "out": out, "time_limit_s": time_limit}
    return _train(list(DEGRADATION), _seeds(seeds, None), source, values, options, report=report)


def _seeds(count: int | None, only: int | None) -> tuple[int, ...]:
    if count is not None and only is not None:
        raise InputError("--seeds and --seed: give only one of the two options")
    return tuple(range(count or 1)) if only is None else (only,)


def _resume(path: Path, others: tuple[object, ...], *, report: bool) -> int:
    from bench.schedule.training import run as schedule

    if any(value is not None for value in others):
        raise InputError(
            "--resume continues with the choices and the folder of its file; leave out all but --no-report"
        )
    return _ending(lambda show: schedule.resume_training(path, show=show), report=report)


def _train(
    models: list[str],
    seeds: tuple[int, ...],
    source: dict[str, Any],
    values: dict[str, Any],
    options: dict[str, Any],
    *,
    report: bool,
) -> int:
    """Train what the options say; a value of None is the default of whoever takes it."""
    from bench.process.training.messages import DataChoice, TrainingChoice
    from bench.schedule.training import run as schedule
    from bench.suites.models import check
    from bench.suites.values import fraction

    for model in models:
        check(model)
    source = {name: value for name, value in source.items() if value is not None}
    source |= {"name": _fixed(source["name"])}
    source |= {"path": str(source["path"].absolute())} if "path" in source else {}
    values = {name: value for name, value in values.items() if value is not None}
    values |= {"recipe": _fixed(values["recipe"])} if "recipe" in values else {}
    usual: dict[str, Any] = {"device": "auto", "out": Path("runs")}
    options = usual | {name: value for name, value in options.items() if value is not None}
    for group, name in ((values, "hold_out"), (options, "until")):
        if name in group:
            group[name] = fraction(group[name])
    choice = TrainingChoice(models=tuple(dict.fromkeys(models)), seeds=seeds, data=DataChoice(**source), **values)
    return _ending(lambda show: schedule.train(choice, show=show, **options), report=report)


def _fixed(text: str) -> str:
    """Return a path as an absolute path, for who goes on from another folder; a name stays as it is."""
    return str(Path(text).absolute()) if os.sep in text or text.endswith(".toml") else text


def _ending(train: "Callable[[Show], Records]", *, report: bool) -> int:
    """Train, show the results, write the page, and return the exit code."""
    from bench.schedule import progress
    from bench.schedule.run import Interrupted, Stopped
    from bench.schedule.training.lines import TrainingLines
    from reports.text.convergence.trainings import trainings_text

    try:
        with progress.display(sys.stderr, TrainingLines()) as show:
            records = train(show)
    except Stopped as stopped:
        say(f"{stopped}; go on with `resnet-bench train --resume {stopped.path}`")
        return INTERRUPTED if isinstance(stopped, Interrupted) else CRASHED
    (file,) = records.files
    typer.echo(trainings_text(records, "table"), nl=False)
    for end in _ends(file).values():
        if end.checkpoint is not None and end.status in SUCCEEDED:
            echo_path("network: ", file.path.with_name(end.checkpoint))
    echo_path("run file: ", file.path)
    if report:
        import reports

        echo_path("page: ", reports.build(records, file.path.with_suffix(".html")))
    return _exit_code(file)


def _ends(file: "RunFile") -> "dict[int, TrainingEnd]":
    return {end.training: end for end in file.bodies("training-end")}


def _exit_code(file: "RunFile") -> int:
    ends = _ends(file).values()
    if any(end.status not in (*SUCCEEDED, "interrupted") for end in ends):
        if not file.complete:
            say(f"go on with `resnet-bench train --resume {file.path}`")
        return FAILED
    if not file.complete:
        say(f"incomplete: the time limit left trainings out; go on with `resnet-bench train --resume {file.path}`")
        return INCOMPLETE
    return OK
