"""The command that measures a case again."""

import shlex

from results.schema.axes import AXES, SETTINGS, is_silent
from results.schema.case import Case
from results.schema.lines.run import RunHeader
from results.text import printable


def reproduce(run: RunHeader, case: Case) -> str | None:
    """Return the command line that measures `case` as in `run`, with its baseline; None for an imported case.

    The baseline is included because a speed-up is a ratio of times from the same rotation.
    """
    if run.source is not None or run.settings is None:
        return None
    words = ["resnet-bench", "run"]
    for name in AXES:
        if is_silent(name, getattr(case, name)):
            continue
        values = [getattr(case.baseline, name), getattr(case, name)] if name in SETTINGS else [getattr(case, name)]
        words += [f"--{name.replace('_', '-')}", ",".join(map(str, dict.fromkeys(values)))]
    words += ["--replicates", str(run.settings.replicates), "--target", f"{100 * run.settings.target:g}%"]
    words += ["--budget", f"{run.settings.budget_s:g}"]
    return printable(shlex.join(words))
