"""Read run files: `table`, `rank` and `report`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.commands.options import (
    Accuracy,
    Format,
    ReferenceName,
    Runs,
    echo_path,
    holds_trainings,
    load,
    say,
)
from results.errors import InputError


def table_command(
    runs: Runs, reference: ReferenceName = None, accuracy: Accuracy = None, form: Format = "table"
) -> None:
    """Print the table of run files: a row a case, and of trainings a row a recipe."""
    import results
    from bench.suites.values import fraction
    from reports.text.convergence.trainings import trainings_text
    from reports.text.findings import study_text

    records = load(runs)
    trains = holds_trainings(records)
    if accuracy is not None and not trains:
        raise InputError("--accuracy: these runs hold no training; leave it out")
    parts = [study_text(results.Study(records, reference), form)] if len(records) or not trains else []
    if trains and parts and form in {"json", "csv"}:
        say(f"note: --format {form} holds the cases; give the files of trainings alone for their table")
    elif trains:
        parts.append(trainings_text(records, form, None if accuracy is None else fraction(accuracy)))
    typer.echo("\n".join(parts), nl=False)


def rank_command(
    runs: Runs,
    reference: ReferenceName = None,
    margin: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="Difference that does not matter, such as 2% [default: any matters]."),
    ] = None,
    form: Format = "table",
) -> None:
    """Rank the cases of each run by their time, and tell which differences are shown.

    Cases are ranked together where they differ only in model and settings. All pairs are tested together; a case may
    have every rank that the differences shown allow.

    Exit codes: 0 done, 2 bad input.
    """
    import results
    from bench.suites.values import fraction
    from reports.text.rank import rank_text

    study = results.Study(load(runs), reference)
    rankings = results.rank(study, margin=0.0 if margin is None else fraction(margin))
    if not rankings:
        raise InputError("no case of these runs has a time that counts; `resnet-bench table` says why")
    typer.echo(rank_text(rankings, form), nl=False)


def report_command(
    runs: Runs,
    reference: ReferenceName = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    figures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder for an image of every figure (needs Kaleido, Chromium)."),
    ] = None,
    figure_format: Annotated[Literal["png", "svg"], typer.Option(help="Form of the images.")] = "png",
) -> None:
    """Write the page of run files: a self-contained HTML file."""
    import reports
    import results

    study = results.Study(load(runs), reference)
    echo_path("", reports.build(study, output))
    if figures is not None:
        from reports.page import images

        for image in images.write_images(images.figures(study), figures, figure_format):
            echo_path("", image)
