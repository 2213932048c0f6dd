"""Look without timing models: `list`, `cost` and `doctor`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from typing import Annotated, Any, Literal

import typer

from bench.commands.options import FAILED, OK, DeviceName, Format, split
from results.errors import InputError
from results.image_size import parse_image_size
from results.schema.axes import AXES, check_choice
from results.schema.types import MOST_SIZE


def list_command(
    what: Annotated[
        Literal["models", "suites", "recipes", "metrics"] | None, typer.Argument(help="One list only.")
    ] = None,
) -> None:
    """List the models, suites, recipes and metrics."""
    from bench.suites import models
    from bench.suites.recipes import recipe_rows
    from bench.suites.toml import builtin_suites
    from reports.text import cost as listing

    lists = {
        "models": lambda: listing.models_text(
            [
                (name, models.family(name), models.block(name), models.depth(name), models.default_image_size(name))
                for name in models.names()
            ]
        ),
        "suites": lambda: listing.suites_text(builtin_suites()),
        "recipes": lambda: listing.recipes_text(recipe_rows()),
        "metrics": listing.metrics_text,
    }
    if what is not None:
        typer.echo(lists[what]())
    else:
        typer.echo("\n\n".join(f"{name.upper()}\n{text()}" for name, text in lists.items()))


def _image_size(text: str) -> int | str:
    """Parse the size of an image; typer names the option in the message of an error."""
    try:
        return parse_image_size(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None


def cost_command(
    model: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Models; 'all' is every variant.")],
    image_size: Annotated[
        Any,
        typer.Option(
            parser=_image_size, metavar="PIXELS", help=f"{AXES['image_size'].help} [default: the model's own]."
        ),
    ] = None,
    in_channels: Annotated[int, typer.Option(metavar="COUNT", min=1, max=MOST_SIZE, help=AXES["in_channels"].help)] = 3,
    head: Annotated[str, typer.Option(metavar="|".join(AXES["head"].choices), help=AXES["head"].help)] = "classifier",
    per_layer: Annotated[bool, typer.Option("--per-layer", help="A row for every layer.")] = False,
    per_stage: Annotated[bool, typer.Option("--per-stage", help="A row for every stage.")] = False,
    form: Format = "table",
) -> None:
    """Count parameters, MACs, FLOPs and activations, without timing anything."""
    if per_layer and per_stage:
        raise InputError("--per-layer and --per-stage: give only one of the two options")

    from bench.costs import static
    from bench.schedule import progress
    from bench.suites.values import model_names
    from reports.text import cost as listing

    check_choice("head", head)
    names = tuple(dict.fromkeys(name for word in split(model) for name in model_names(word)))
    statics = progress.counted(
        static.costs(names, image_size=image_size, in_channels=in_channels, head=head), len(names), sys.stderr
    )
    typer.echo(listing.cost_text(statics, form, per="layer" if per_layer else "stage" if per_stage else None))


def doctor_command(
    model: Annotated[str, typer.Option(metavar="MODEL", help="Both arms of the A/A run.")] = "resnet18",
    batch_size: Annotated[int, typer.Option(metavar="COUNT", min=1, help="Images a step.")] = 1,
    device: DeviceName = None,
    time: Annotated[float, typer.Option(metavar="SECONDS", min=1.0, help="For the A/A run.")] = 60.0,
    aa: Annotated[bool, typer.Option(help="Measure the noise floor.")] = True,
    form: Annotated[Literal["table", "json"], typer.Option("--format", help="Form of the output.")] = "table",
) -> int:
    """Check whether this machine is fit to measure, and how small a difference it can show; name the remedies.

    Exit codes: 0 fit, perhaps with warnings, 1 a check is bad, 2 bad input.
    """
    from bench.doctor.doctor import examine, full_name
    from bench.schedule import ab as schedule
    from bench.schedule import progress
    from reports.text.doctor import doctor_text

    with progress.display(sys.stderr) as show:
        findings = examine(
            full_name("auto" if device is None else device),
            model=model,
            batch_size=batch_size,
            time_s=time,
            aa=schedule.ab if aa else None,
            show=show,
        )
    typer.echo(doctor_text(findings, form), nl=False)
    return OK if findings.fit else FAILED
