"""Measure two arms in turn: `ab`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.commands.options import (
    CRASHED,
    OUTCOMES,
    AxisOptions,
    Budget,
    CommentFormat,
    DeviceName,
    Margin,
    TimeLimit,
    Timeout,
    Value,
    axis_value,
    existing,
    say,
    single,
    split,
    with_axes,
)
from bench.suites import SUITE_AXES
from results.errors import InputError

PairFolder = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the two run files.")]
OwnAxes = Annotated[str, typer.Option(metavar="KEY=VALUE,...", help="Axes that only this arm has.")]


def _arm(name: str, what: str) -> Any:
    return typer.Option(f"--{what}-{name}", metavar="PATH", help=f"The {what} that arm {name} runs from.")


@with_axes(SUITE_AXES, several=False)
def ab_command(
    *,
    axes: AxisOptions,
    a: OwnAxes = "",
    b: OwnAxes = "",
    python_a: Annotated[Path | None, _arm("a", "python")] = None,
    python_b: Annotated[Path | None, _arm("b", "python")] = None,
    checkout_a: Annotated[Path | None, _arm("a", "checkout")] = None,
    checkout_b: Annotated[Path | None, _arm("b", "checkout")] = None,
    margin: Margin = "2%",
    device: DeviceName = None,
    budget: Budget = None,
    timeout: Timeout = None,
    time_limit: TimeLimit = None,
    out: PairFolder = Path("runs"),
    form: CommentFormat = "table",
) -> int:
    """Compare two settings of a case, or two interpreters or checkouts: is b slower than a?

    Pairs of fresh processes are stepped in turn; they are judged after 10, 20 and 40 pairs, until there is a verdict.
    Axis options describe both arms, --a and --b a single arm. Without --a and --b both arms are the same, which shows
    the smallest difference that this machine can resolve.

    Exit codes: 0 b is faster or the same, 1 slower or broken, 2 bad input, 3 not enough to say, 70 a crash.
    """
    from bench.schedule import ab as schedule
    from bench.schedule import progress
    from bench.schedule.run import Stopped
    from bench.suites.values import fraction
    from reports.text.comparison import arms_text
    from reports.text.github import arms_github

    given = (("a", a, python_a, checkout_a), ("b", b, python_b, checkout_b))
    setups = [
        schedule.ArmSetup(axes=single(axes) | _own(name, text), python=existing(python), checkout=existing(checkout))
        for name, text, python, checkout in given
    ]
    settings: dict[str, Any] = {"budget_s": budget, "timeout_s": timeout, "time_limit_s": time_limit}
    try:
        with progress.display(sys.stderr) as show:
            paired = schedule.ab(
                *setups, margin=fraction(margin), device=device or "auto", out=out, show=show, **settings
            )
    except Stopped as stopped:
        say(str(stopped))
        return CRASHED
    typer.echo(arms_github([paired]) if form == "github" else arms_text(paired, form), nl=False)
    say(f"run files: {out / paired.pair}-a.jsonl {out / paired.pair}-b.jsonl")
    return OUTCOMES[paired.outcome]


def _own(name: str, text: str) -> dict[str, Value]:
    """Return the axes of arm `name` alone, from ``KEY=VALUE,…``."""
    values: dict[str, Value] = {}
    for part in filter(None, split([text])):
        key, equals, value = (word.strip() for word in part.partition("="))
        axis = key.replace("-", "_")
        if not equals or axis not in SUITE_AXES:
            raise InputError(f"--{name}: {part!r} is no KEY=VALUE with a key of {', '.join(SUITE_AXES)}")
        values[axis] = axis_value(axis, value)
    return values
