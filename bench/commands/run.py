"""Measure: `run`, and what it shows of its plan and of what it found."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bench.commands.options import CRASHED, FAILED, INCOMPLETE, INTERRUPTED, OK, echo_path, say, split, whole
from results.errors import InputError

if TYPE_CHECKING:
    from bench.schedule.runner import Plan
    from results.schema.record import Record
    from results.storage.reader import Records

FINE: Final = ("ok", "unsupported")
"""Statuses that do not make a run a failure: what a device cannot do is a finding."""

_Axis = list[str] | None


def _axis(text: str) -> Any:
    return typer.Option(metavar="VALUE,...", help=text)


def run(
    suite: Annotated[
        str | None,
        typer.Argument(metavar="SUITE", help="A built-in suite (see `list suites`) or a TOML file [default: default]."),
    ] = None,
    model: Annotated[_Axis, _axis("Variants or peers; 'all' is every variant.")] = None,
    task: Annotated[_Axis, _axis("inference, training.")] = None,
    precision: Annotated[_Axis, _axis("fp32, tf32, amp-fp16, amp-bf16, fp16, bf16.")] = None,
    runtime: Annotated[_Axis, _axis("eager, compile, compile:max-autotune, ...")] = None,
    layout: Annotated[_Axis, _axis("nchw, nhwc (channels_last).")] = None,
    batch_size: Annotated[_Axis, _axis("Images a step.")] = None,
    image_size: Annotated[_Axis, _axis("Height and width in pixels.")] = None,
    threads: Annotated[_Axis, _axis("Threads inside one operator on the CPU.")] = None,
    device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator such as cuda:0 [default: auto].")
    ] = None,
    replicates: Annotated[int | None, typer.Option(metavar="COUNT", help="Fresh processes a case.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Half-width of the 95 % interval to reach: 1%.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds of sampling a process at most.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds until a silent process counts as hung.")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(metavar="SECONDS", help="Seconds for the whole run.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for the run file and the page [default: runs].")
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="FILE", help="Go on with an interrupted run file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the cases and an estimate only.")] = False,
    report: Annotated[bool, typer.Option(help="Write the HTML page.")] = True,
) -> int:
    """Measure a suite, or the cases that the axis options describe.

    Axis options take several values, comma-separated or repeated, and are multiplied out. With a suite they replace
    its values; without one they are the whole plan.

    Exit codes: 0 fine, 1 a case failed or computed a wrong result, 2 bad input, 3 the time limit left cases out,
    70 a crash of resnet-bench, 130 interrupted.
    """
    words = {"model": model, "task": task, "precision": precision, "runtime": runtime, "layout": layout}
    sizes = {"batch_size": batch_size, "image_size": image_size, "threads": threads}
    axes: dict[str, Sequence[str | int]] = {
        **{axis: split(values) for axis, values in words.items() if values},
        **{axis: [whole(axis, text) for text in split(values)] for axis, values in sizes.items() if values},
    }
    settings = {
        "replicates": replicates,
        "target": target,
        "budget_s": budget,
        "timeout_s": timeout,
        "time_limit_s": time_limit,
    }
    fresh = resume is None
    others = (suite, device, out, dry_run or None, axes or None, *settings.values())
    if not fresh and any(value is not None for value in others):
        raise InputError("--resume goes on with what its file says and where it lies; leave out all but --no-report")

    from bench.schedule import progress, runner
    from bench.suites.suite import choose

    plan = choose(suite, axes, settings) if fresh else None
    if dry_run:
        _show_plan(runner.plan(plan, device="auto" if device is None else device))
        return OK
    listener = progress.listener(sys.stderr)
    try:
        records = runner.run(plan, device=device, out=out, resume=resume, listener=listener)
    except runner.Stopped as stopped:
        say(f"{stopped}; go on with `resnet-bench run --resume {stopped.path}`")
        return INTERRUPTED if isinstance(stopped, runner.Interrupted) else CRASHED
    return _show_records(records, report=report)


def _show_plan(plan: "Plan") -> None:
    from bench.schedule.progress import duration

    for case in plan.cases:
        typer.echo(case.key)
    count, replicates = len(plan.cases), plan.settings.replicates
    times = "" if replicates == 1 else f" {replicates} times"
    say(f"suite {plan.suite}: {count} cases{times}, about {duration(plan.estimate_s)}")


def _show_records(records: "Records", *, report: bool) -> int:
    import results
    from reports.text.study import study_text
    from results.metrics.reasons import error_text

    typer.echo(study_text(results.Study(records), "table"))
    for record in records:
        if record.status != "ok":
            say(f"{record.status}: {record.case.key}: {record.cause}")
        elif record.equality is not None and _wrong(record):
            say(f"wrong result: {record.case.key}: {error_text(record.equality)}")
    for file in records.files:
        echo_path("run file: ", file.path)
        if report:
            import reports

            echo_path("page: ", reports.build(records, file.path.with_suffix(".html")))
    if any(record.status not in FINE or _wrong(record) for record in records):
        return FAILED
    if not all(file.complete for file in records.files):
        paths = " ".join(str(file.path) for file in records.files)
        say(f"incomplete: the time limit left cases out; go on with `resnet-bench run --resume {paths}`")
        return INCOMPLETE
    return OK


def _wrong(record: "Record") -> bool:
    return record.equality is not None and record.equality.verdict == "wrong"
