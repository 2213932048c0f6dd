"""Say where the time goes: `profile`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bench.commands.options import (
    FAILED,
    INTERRUPTED,
    OK,
    AxisOptions,
    DeviceNames,
    Format,
    echo_path,
    load,
    say,
    split,
    with_axes,
)
from bench.suites import SUITE_AXES
from results.errors import InputError

if TYPE_CHECKING:
    from results.storage.reader import RunFile

PROFILE_AXES: Final = tuple(name for name in SUITE_AXES if name != "model")

_Models = Annotated[str | None, typer.Argument(metavar="MODEL,...", help="Variants or peers; see `list models`.")]
_Diff = Annotated[
    tuple[Path, Path] | None,
    typer.Option(metavar="A B", help="Compare the profiles of two run files: what explains the difference."),
]
_ProbeSeconds = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.0, max=3600.0, help="For layers in other settings, a case; 0: none.")
]
_PeakSeconds = Annotated[
    float, typer.Option(metavar="SECONDS", min=1.0, max=3600.0, help="To measure what the device can do.")
]


@with_axes(PROFILE_AXES)
def profile_command(
    model: _Models = None,
    *,
    axes: AxisOptions,
    device: DeviceNames = None,
    diff: _Diff = None,
    probe_seconds: _ProbeSeconds = 4.0,
    peak_seconds: _PeakSeconds = 8.0,
    trace: Annotated[bool, typer.Option(help="Keep a trace of each case, which Perfetto opens.")] = True,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for run file, traces, page.")] = Path("runs"),
    form: Format = "table",
    report: Annotated[bool, typer.Option(help="Write the HTML page.")] = True,
) -> int:
    """Say where the time of a step goes, how far each layer is from what the device can do, and what would help.

    A step of each case runs under torch's profiler, in a process of its own and never inside timed steps.

    Exit codes: 0 success, 1 a case failed, 2 bad input, 130 interrupted.
    """
    if diff is not None:
        if model is not None or axes:
            raise InputError("--diff compares run files that exist; leave out the model and its axes")
        return _diff(*diff, form)
    if model is None:
        raise InputError("give a model, such as: resnet-bench profile resnet50 --task training")
    return _profile(
        {"model": [*split([model])], **axes},
        "auto" if device is None else device,
        out,
        {"probe_s": probe_seconds, "peaks_s": peak_seconds, "traces": trace},
        form,
        report=report,
    )


def _profile(
    axes: AxisOptions, device: str, out: Path, options: dict[str, float | bool], form: str, *, report: bool
) -> int:
    from bench.schedule import progress
    from bench.schedule.profiling.explain import ProfileOptions
    from bench.schedule.profiling.run import run_profiles
    from bench.schedule.run import Interrupted
    from bench.suites.suite import custom_suite
    from reports.text.profiling.profile import profiles_text

    try:
        with progress.display(sys.stderr) as show:
            chosen = ProfileOptions(**options)  # type: ignore[arg-type] # its fields by their names
            file = run_profiles(custom_suite(axes), device=device, out=out, options=chosen, show=show)
    except Interrupted as stopped:
        say(str(stopped))
        return INTERRUPTED
    typer.echo(profiles_text(file, form), nl=False)
    failed = [profile for profile in file.bodies("profile") if profile.status != "ok"]
    for profile in failed:
        say(f"{profile.status}: {profile.label}: {profile.cause}")
    _say_paths(file, form, report=report)
    return FAILED if failed else OK


def _say_paths(file: "RunFile", form: str, *, report: bool) -> None:
    """Write the page, and the paths: to stdout for people, else to stderr."""
    import reports
    import results

    paths = [("run file: ", file.path)]
    if report:
        paths.append(("page: ", reports.build(results.load(file.path), file.path.with_suffix(".html"))))
    for what, path in paths:
        if form == "table":
            echo_path(what, path)
        else:
            say(f"{what}{path}")


def _diff(a: Path, b: Path, form: str) -> int:
    from reports.text.profiling.diff import diffs_text
    from results.analysis.profiles.matching import matched_profiles

    files = [load([path]).files[0] for path in (a, b)]
    typer.echo(diffs_text(matched_profiles(*files), form), nl=False)
    return OK
