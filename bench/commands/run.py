"""Measure: `run`, and the text on its plan and its results."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bench.commands.options import (
    CRASHED,
    FAILED,
    INCOMPLETE,
    INTERRUPTED,
    OK,
    AxisOptions,
    Budget,
    DeviceNames,
    TimeLimit,
    Timeout,
    echo_path,
    say,
    with_axes,
)
from bench.suites import SUITE_AXES
from results.errors import InputError
from results.schema.lines.run import Cards

if TYPE_CHECKING:
    from bench.schedule.plan import Plan
    from bench.schedule.progress import Show
    from results.analysis.study import Study
    from results.storage.reader import Records

FINE: Final = ("ok", "unsupported")
"""Statuses that are not failures: an unsupported case is a result."""


SuiteName = Annotated[
    str | None,
    typer.Argument(metavar="SUITE", help="A built-in suite (see `list suites`) or a TOML file [default: default]."),
]
Target = Annotated[str | None, typer.Option(metavar="PERCENT", help="Half-width of the 95 % interval to reach: 1%.")]
CardOrder = Annotated[
    Cards | None, typer.Option(help="Measure several cards one by one, or at once: they share the host then.")
]
Sustained = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Also let each case step alone for so long; from 10 on with its energy."),
]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder for the run file and the page [default: runs].")
]


@with_axes(SUITE_AXES)
def run_command(
    suite: SuiteName = None,
    *,
    axes: AxisOptions,
    device: DeviceNames = None,
    replicates: Annotated[int | None, typer.Option(metavar="COUNT", help="Fresh processes a case.")] = None,
    target: Target = None,
    budget: Budget = None,
    timeout: Timeout = None,
    time_limit: TimeLimit = None,
    live: Annotated[int | None, typer.Option(metavar="COUNT", help="Live processes of a device at most.")] = None,
    cards: CardOrder = None,
    sustained: Sustained = None,
    out: Out = None,
    resume: Annotated[Path | None, typer.Option(metavar="FILE", help="Go on with an interrupted run file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the cases and an estimate only.")] = False,
    report: Annotated[bool, typer.Option(help="Write the HTML page.")] = True,
) -> int:
    """Measure a suite, or the cases of the axis options.

    Axis options take several values, comma-separated or repeated, and are multiplied out. With a suite they replace
    its values; without a suite they are the whole plan. Several devices get the same plan each, one by one or at once.

    Exit codes: 0 success, 1 a case failed or computed a wrong result, 2 bad input, 3 the time limit left cases out,
    70 a crash of resnet-bench, 130 interrupted.
    """
    from bench.schedule import run as schedule
    from bench.suites.suite import choose

    settings: dict[str, object] = {"replicates": replicates, "target": target, "budget_s": budget}
    settings |= {"timeout_s": timeout, "time_limit_s": time_limit, "live": live}
    settings |= {"cards": cards, "sustained_s": sustained}
    if resume is not None:
        others = (suite, device, out, dry_run or None, axes or None, *settings.values())
        if any(value is not None for value in others):
            raise InputError(
                "--resume continues with the plan and the folder of its file; leave out all but --no-report"
            )
        return _measure(lambda show: schedule.resume(resume, show=show), report=report)
    chosen = choose(suite, axes, settings)
    machine = "auto" if device is None else device
    if dry_run:
        return _show_plan(schedule.plan(chosen, device=machine))
    folder = Path("runs") if out is None else out
    return _measure(lambda show: schedule.run(chosen, device=machine, out=folder, show=show), report=report)


def _measure(measure: Callable[["Show"], "Records"], *, report: bool) -> int:
    """Measure, show the results, write the page, and return the exit code."""
    import results
    from bench.schedule import progress
    from bench.schedule.run import Interrupted, Stopped
    from reports.text.findings import study_text

    try:
        with progress.display(sys.stderr) as show:
            records = measure(show)
    except Stopped as stopped:
        say(f"{stopped}; go on with `resnet-bench run --resume {stopped.path}`")
        return INTERRUPTED if isinstance(stopped, Interrupted) else CRASHED
    study = results.Study(records)  # the statistics are computed once, for the text and for the page
    typer.echo(study_text(study, "table"))
    _say_failures(records)
    _write_page(study, report=report)
    return _outcome(records)


def _show_plan(plan: "Plan") -> int:
    from bench.schedule.progress import duration

    for case in plan.cases:
        typer.echo(case.key)
    count, replicates = len(plan.cases), plan.settings.replicates
    times = "" if replicates == 1 else f" {replicates} times"
    say(f"suite {plan.suite}: {count} cases{times}, about {duration(plan.estimate_s)}")
    return OK


def _say_failures(records: "Records") -> None:
    from results.metrics.reasons import error_text, is_wrong

    for record in records:
        if record.status != "ok":
            say(f"{record.status}: {record.case.key}: {record.cause}")
        elif record.equality is not None and is_wrong(record):
            say(f"wrong result: {record.case.key}: {error_text(record.equality)}")


def _write_page(study: "Study", *, report: bool) -> None:
    """Write the page next to the run file, and the paths of both to stdout."""
    for file in study.records.files:
        echo_path("run file: ", file.path)
        if report:
            import reports

            echo_path("page: ", reports.build(study, file.path.with_suffix(".html")))


def _outcome(records: "Records") -> int:
    from results.metrics.reasons import is_wrong

    if any(record.status not in FINE or is_wrong(record) for record in records):
        return FAILED
    if not all(file.complete for file in records.files):
        paths = " ".join(str(file.path) for file in records.files)
        say(f"incomplete: the time limit left cases out; go on with `resnet-bench run --resume {paths}`")
        return INCOMPLETE
    return OK
