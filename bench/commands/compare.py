"""Judge run files: `compare` two sides of them, and `pairs` that `ab` has measured."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.commands.options import OUTCOMES, Runs, load

Form = Annotated[
    Literal["table", "json", "csv", "markdown", "github"],
    typer.Option("--format", help="Form of the output; github is for comments and job summaries."),
]


def compare(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="Run file, or a folder of them, to compare with.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Run file, or a folder of them, that is judged.")],
    margin: Annotated[
        str, typer.Option(metavar="PERCENT", help="Difference of latency that does not matter: 2%.")
    ] = "2%",
    form: Form = "table",
) -> int:
    """Compare two sides of runs: what became faster or slower, and what cannot be said.

    Where the sides hold runs of several machines, each machine is compared with itself.

    Exit codes: 0 nothing became worse, 1 a case did, 2 bad input, 3 not enough to say, 70 a crash.
    """
    import results
    from bench.suites.suite import fraction
    from reports.text.comparison import comparison_text
    from reports.text.github import comparison_github

    comparison = results.compare(load([base]), load([new]), margin=fraction(margin))
    text = comparison_github(comparison) if form == "github" else comparison_text(comparison, form)
    typer.echo(text, nl=False)
    return OUTCOMES[comparison.outcome]


def pairs(
    runs: Runs,
    form: Annotated[
        Literal["table", "markdown", "github"],
        typer.Option("--format", help="Form of the output; github is for comments and job summaries."),
    ] = "table",
) -> int:
    """Tell once more what `ab` found, from the run files of one or more comparisons.

    Exit codes, of the worst of them: 0 b is faster or the same, 1 slower or broken, 2 bad input, 3 not enough to say.
    """
    from reports.text.comparison import arms_text
    from reports.text.github import arms_github, worst_outcome
    from results.analysis.ab_files import compare_pairs

    found = compare_pairs(load(runs))
    text = arms_github(found) if form == "github" else "\n".join(arms_text(one, form) for one in found)
    typer.echo(text, nl=False)
    return OUTCOMES[worst_outcome(one.outcome for one in found)]
