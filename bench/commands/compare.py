"""Judge run files: `compare` two sides of them or the arms of `ab`, and show their `history`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.options import (
    OUTCOMES,
    Accuracy,
    CommentFormat,
    Format,
    Margin,
    Runs,
    holds_trainings,
    load,
)
from results.errors import InputError

if TYPE_CHECKING:
    from results.storage.reader import Records


def compare_command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="BASE NEW",
            help="Run files, or folders of them: the base and the new runs, which are judged; or the arms of `ab`.",
        ),
    ],
    margin: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="Difference of latency that does not matter [default: 2%; for arms, the margin of `ab`].",
        ),
    ] = None,
    accuracy: Accuracy = None,
    form: CommentFormat = "table",
) -> int:
    """Compare two sides of runs: which cases became faster or slower, and which cannot be judged.

    Where the sides hold runs of several machines, every machine is compared with itself. Run files of `ab` are
    recognised, of any number of comparisons, and judged as by `ab`. Trainings are compared by the time to an accuracy
    and by their final accuracy, over their seeds.

    Exit codes: 0 no case became worse, 1 a case became worse, 2 bad input, 3 inconclusive, 70 a crash.
    """
    from bench.suites.values import fraction

    share = None if margin is None else fraction(margin)
    sides = [load([path]) for path in runs]
    arms = [file.run.arm is not None for side in sides for file in side.files]
    if arms and all(arms):
        if share is not None or accuracy is not None:
            option = "--accuracy" if share is None else "--margin"
            raise InputError(f"{option}: these are arms of `ab`, which are judged by their own margin; leave it out")
        return _compare_arms(runs, form)
    if any(arms):
        raise InputError("arms of `ab` and other runs cannot be compared; give only one kind of them")
    if len(sides) != 2:
        raise InputError(f"compare needs two sides, BASE and NEW, not {len(sides)}: give a file or a folder for each")
    base, new = sides
    return _compare_sides(base, new, share, accuracy, form)


def _compare_sides(base: "Records", new: "Records", margin: float | None, accuracy: str | None, form: str) -> int:
    """Judge two sides of cases, or of trainings."""
    import results
    from reports.text.comparison import comparison_text
    from reports.text.github import comparison_github
    from results.statistics.margin import MARGIN

    share = MARGIN if margin is None else margin
    if any(holds_trainings(side) for side in (base, new)):
        return _compare_trainings(base, new, accuracy, share, form)
    if accuracy is not None:
        raise InputError("--accuracy: these runs hold no training; leave it out")
    comparison = results.compare(base, new, margin=share)
    text = comparison_github(comparison) if form == "github" else comparison_text(comparison, form)
    typer.echo(text, nl=False)
    return OUTCOMES[comparison.outcome]


def _compare_trainings(base: "Records", new: "Records", accuracy: str | None, margin: float, form: str) -> int:
    """Judge the trainings of two sides."""
    import results
    from bench.suites.values import fraction
    from reports.text.convergence.comparing import training_comparison_text

    for name, side in (("BASE", base), ("NEW", new)):
        if len(side):
            raise InputError(f"{name} holds trainings and other cases; give the files of only one kind")
        if not holds_trainings(side):
            raise InputError(f"{name} holds no training, but the other side does; give two sides of one kind")
    if form == "github":
        raise InputError("--format github is not for trainings; use markdown")
    target = None if accuracy is None else fraction(accuracy)
    comparison = results.compare_trainings(base, new, accuracy=target, margin=margin)
    typer.echo(training_comparison_text(comparison, form), nl=False)
    return OUTCOMES[comparison.outcome]


def _compare_arms(runs: Sequence[Path], form: str) -> int:
    """Judge the arms of one or more comparisons of `ab`; the worst outcome decides."""
    import results
    from reports.text.comparison import arms_text
    from reports.text.github import arms_github, worst_outcome
    from results.analysis.ab_files import compare_pairs

    paired = compare_pairs(results.load(*runs))
    if form in {"json", "csv"} and len(paired) > 1:
        raise InputError(f"--format {form} holds a single comparison, not {len(paired)}; give the two files of one")
    text = arms_github(paired) if form == "github" else "\n".join(arms_text(arm, form) for arm in paired)
    typer.echo(text, nl=False)
    return OUTCOMES[worst_outcome(arm.outcome for arm in paired)]


def history_command(runs: Runs, margin: Margin = "2%", form: Format = "table") -> None:
    """Show the latencies from run to run on every machine, their changes, and changes of the environment.

    A change needs 4 runs before it and 4 after it. Advisory: runs of different days cannot distinguish a change of
    the code from a change of the machine. `compare` and `ab` are gates.

    Exit codes: 0 done, 2 bad input.
    """
    from bench.suites.values import fraction
    from reports.text.history import history_text
    from results.analysis.history import history as of_runs

    share = fraction(margin)
    typer.echo(history_text(of_runs(load(runs), share), form, share), nl=False)
