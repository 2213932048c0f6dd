"""Measure two things in turn: `ab`, and `doctor` with its A/A run."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bench.commands.compare import Form
from bench.commands.options import CRASHED, FAILED, OK, OUTCOMES, existing, say, split, whole
from results.errors import InputError


def _arm(name: str, what: str) -> Any:
    return typer.Option(f"--{what}-{name}", metavar="PATH", help=f"The {what} that arm {name} runs from.")


def ab(
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Variant or peer of both arms.")] = None,
    task: Annotated[str | None, typer.Option(metavar="TASK", help="inference, training.")] = None,
    precision: Annotated[str | None, typer.Option(metavar="PRECISION", help="fp32, tf32, amp-bf16, ...")] = None,
    runtime: Annotated[str | None, typer.Option(metavar="RUNTIME", help="eager, compile, ...")] = None,
    layout: Annotated[str | None, typer.Option(metavar="LAYOUT", help="nchw, nhwc.")] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="COUNT", help="Images a step.")] = None,
    image_size: Annotated[str | None, typer.Option(metavar="PIXELS", help="Height and width.")] = None,
    threads: Annotated[
        str | None, typer.Option(metavar="COUNT", help="Threads inside one operator on the CPU.")
    ] = None,
    a: Annotated[str, typer.Option("--a", metavar="KEY=VALUE,...", help="Axes that arm a has of its own.")] = "",
    b: Annotated[str, typer.Option("--b", metavar="KEY=VALUE,...", help="Axes that arm b has of its own.")] = "",
    python_a: Annotated[Path | None, _arm("a", "python")] = None,
    python_b: Annotated[Path | None, _arm("b", "python")] = None,
    checkout_a: Annotated[Path | None, _arm("a", "checkout")] = None,
    checkout_b: Annotated[Path | None, _arm("b", "checkout")] = None,
    margin: Annotated[str, typer.Option(metavar="PERCENT", help="Difference that does not matter: 2%.")] = "2%",
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator.")] = "auto",
    budget: Annotated[float | None, typer.Option(metavar="SECONDS", help="Sampling of one process at most.")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Until a process counts as hung.")] = None,
    time_limit: Annotated[float | None, typer.Option(metavar="SECONDS", help="For all pairs together.")] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the two run files.")] = Path("runs"),
    form: Form = "table",
) -> int:
    """Compare two settings of one case, or two interpreters or checkouts: is b slower than a?

    Pairs of fresh processes are stepped in turn; 10, 20 or 40 pairs are judged, as soon as they tell. Without --a and
    --b both arms are the same, which shows what this machine can resolve.

    Exit codes: 0 b is faster or the same, 1 slower or broken, 2 bad input, 3 not enough to say, 70 a crash.
    """
    common = {
        "model": model,
        "task": task,
        "precision": precision,
        "runtime": runtime,
        "layout": layout,
        "batch_size": batch_size,
        "image_size": image_size,
        "threads": threads,
    }
    from bench.schedule import progress
    from bench.schedule.ab import Side
    from bench.schedule.ab import ab as measure
    from bench.schedule.runner import Stopped
    from bench.suites.suite import fraction
    from reports.text.comparison import arms_text
    from reports.text.github import arms_github

    sides = [
        Side(axes=_arm_axes(name, text, common), python=existing(python), checkout=existing(checkout))
        for name, text, python, checkout in (("a", a, python_a, checkout_a), ("b", b, python_b, checkout_b))
    ]
    try:
        found = measure(
            *sides,
            margin=fraction(margin),
            device=device,
            out=out,
            listener=progress.listener(sys.stderr),
            budget_s=budget,
            timeout_s=timeout,
            time_limit_s=time_limit,
        )
    except Stopped as stopped:
        say(str(stopped))
        return CRASHED
    typer.echo(arms_github([found]) if form == "github" else arms_text(found, form), nl=False)
    say(f"run files: {out / found.pair}-a.jsonl {out / found.pair}-b.jsonl")
    return OUTCOMES[found.outcome]


def doctor(
    model: Annotated[str, typer.Option(metavar="MODEL", help="Both arms of the A/A run.")] = "resnet18",
    batch_size: Annotated[int, typer.Option(metavar="COUNT", min=1, help="Images a step.")] = 1,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, or an accelerator.")] = "auto",
    time: Annotated[float, typer.Option(metavar="SECONDS", min=1.0, help="For the A/A run.")] = 60.0,
    aa: Annotated[bool, typer.Option(help="Measure the noise floor.")] = True,
    form: Annotated[Literal["table", "json"], typer.Option("--format", help="Form of the output.")] = "table",
) -> int:
    """Tell whether this machine is fit to measure, what to do about it, and how small a difference it can show.

    Exit codes: 0 fit, perhaps with warnings, 1 something is bad, 2 bad input.
    """
    from bench.doctor.doctor import examine, findings_text, full_name
    from bench.schedule import progress
    from bench.schedule.ab import ab as measure

    findings = examine(
        full_name(device),
        model=model,
        batch_size=batch_size,
        time_s=time,
        aa=measure if aa else None,
        listener=progress.listener(sys.stderr),
    )
    typer.echo(findings_text(findings, form), nl=False)
    return OK if findings.fit else FAILED


def _arm_axes(name: str, text: str, common: dict[str, str | None]) -> dict[str, str | int]:
    """Return the axes of one arm: those that both have, and its own."""
    values = {axis: value for axis, value in common.items() if value is not None}
    for part in filter(None, split([text])):
        key, equals, value = (word.strip() for word in part.partition("="))
        axis = key.replace("-", "_")
        if not equals or axis not in common:
            raise InputError(f"--{name}: {part!r} is no KEY=VALUE with a key of {', '.join(common)}")
        values[axis] = value
    return {
        axis: whole(axis, value) if axis in {"batch_size", "image_size", "threads"} else value
        for axis, value in values.items()
    }
