"""Read run files: `table` and `report`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.commands.options import Format, Runs, echo_path, load


def table_command(runs: Runs, form: Format = "table") -> None:
    """Print the table of run files."""
    import results
    from reports.text.study import study_text

    typer.echo(study_text(results.Study(load(runs)), form), nl=False)


def report_command(
    runs: Runs,
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

    study = results.Study(load(runs))
    echo_path("", reports.build(study, output))
    if figures is not None:
        from reports.page import images

        for image in images.write_images(images.figures(study), figures, figure_format):
            echo_path("", image)
