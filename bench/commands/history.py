"""Show run files over time: `history`."""

# ruff: noqa: PLC0415 - see bench.cli: imports inside commands are what keeps --help fast

from typing import Annotated

import typer

from bench.commands.options import Form, Runs, load


def history(
    runs: Runs,
    margin: Annotated[str, typer.Option(metavar="PERCENT", help="Change of level that does not matter: 2%.")] = "2%",
    form: Form = "table",
) -> None:
    """Show how latencies went from run to run on each machine, where they changed, and what else changed there.

    A change has 4 runs before it and 4 from it on. Advisory: runs of different days cannot tell a change of the code
    from one of the machine. `compare` and `ab` are what gates.

    Exit codes: 0 whatever was found, 2 bad input.
    """
    from bench.suites.suite import fraction
    from reports.text.history import history_text
    from results.analysis.history import history as of_runs

    share = fraction(margin)
    typer.echo(history_text(of_runs(load(runs), share), form, share), nl=False)
