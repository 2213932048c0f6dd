"""Exchange runs with other programs: `import` and `export`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from bench.commands.options import AxisOptions, Runs, echo_path, load, say, single, with_axes
from results.errors import InputError
from results.schema.axes import AXES

STDOUT = Path("-")


class FormatCommand(TyperCommand):
    """A command whose first argument is a format. Its help names the formats, whose registry is slow to import."""

    def get_help(self, ctx: Any) -> str:
        """Return the help."""
        from results.exporters import EXPORTERS
        from results.importers import IMPORTERS

        argument: Any = self.params[0]
        argument.help = f"{', '.join(IMPORTERS if self.name == 'import' else EXPORTERS)}."
        return super().get_help(ctx)


@with_axes((name for name, axis in AXES.items() if axis.role in {"workload", "setting"}), several=False)
def import_command(
    fmt: Annotated[str, typer.Argument(metavar="FORMAT")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files in that format.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the run files.")] = Path("runs"),
    *,
    axes: AxisOptions,
    torch: Annotated[str | None, typer.Option(metavar="VERSION", help="Version of PyTorch.")] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name of the accelerator; cpu:NAME for a CPU; cuda where the name is unknown."
        ),
    ] = None,
    only_known: Annotated[
        bool, typer.Option("--only-known", help="Leave out models that are not variants of resnet-bench.")
    ] = False,
    accuracy: Annotated[
        Path | None, typer.Option(metavar="CSV", help="timm's results-imagenet.csv, for ImageNet accuracy.")
    ] = None,
) -> None:
    """Write results of other programs as run files, marked as imported; values that they do not state are null.

    Axis options, --torch and --device are for files that do not state them, and take precedence over the file's name,
    not over its content. If some are missing, an error lists all of them.

    timm: its benchmark tables, whose file names state precision, layout, PyTorch and device. csv: our own export.
    kineto: traces of torch.profiler, plain or gzip; where their time goes is printed.
    """
    from reports.text.profiling.profile import profiles_text
    from results.importers.reading import Options
    from results.importers.writing import import_files

    options = Options(axes=single(axes), torch=torch, device=device, only_known=only_known, accuracy=accuracy)
    for path in import_files(fmt, files, out, options, tell=lambda line: say(f"warning: {line}")):
        echo_path("", path)
        file = load([path]).files[0]
        if file.bodies("profile"):
            typer.echo(profiles_text(file, "table"), nl=False)


def export_command(
    fmt: Annotated[str, typer.Argument(metavar="FORMAT")],
    runs: Runs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write (of two, the stem of their names); - is stdout.",
        ),
    ] = STDOUT,
) -> None:
    """Write run files in a format that other programs read.

    csv and parquet hold every case; other formats hold the cases with a result. github-action-benchmark is two files:
    with `-o out` they are out-bigger.json and out-smaller.json.
    """
    from results.analysis.study import Study
    from results.exporters import exporter
    from results.exporters.files import SINGLE
    from results.storage.files import check_output, replace

    make = exporter(fmt)
    records = load(runs)
    files = make(Study(records))
    for line in files.left_out:
        say(line)
    if output == STDOUT:
        if not isinstance(files.parts.get(SINGLE), str):
            raise InputError(f"{fmt} does not go to stdout; name the file to write with -o")
        typer.echo(files.content(), nl=False)
        return
    paths = files.paths(output)
    for path in paths.values():
        check_output(path, records, "the export")
    for part, path in paths.items():
        replace(path, files.content(part), "the export")
        echo_path("", path)
