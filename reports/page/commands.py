"""The command that measures a case again."""

import shlex

from reports.style.words import case_options
from results.schema.case import Case
from results.schema.lines.run import RunHeader
from results.text import printable


def reproduce(run: RunHeader, case: Case) -> str | None:
    """Return the command line that measures `case` as in `run`, with its baseline; None for an imported case.

    The baseline is included because a speed-up is a ratio of times from the same rotation.
    """
    if run.source is not None or run.settings is None:
        return None
    words = ["resnet-bench", "run", *case_options(case)]
    words += ["--replicates", str(run.settings.replicates), "--target", f"{100 * run.settings.target:g}%"]
    words += ["--budget", f"{run.settings.budget_s:g}"]
    return printable(shlex.join(words))
