"""The command that measures a case again."""

import shlex
from typing import Final

from results.schema.case import Case
from results.schema.run import Run
from results.text import printable

_BESIDE: Final = ("precision", "runtime", "layout")
"""Axes on which a baseline differs; it is measured along, as a speed-up is one only beside it."""


def reproduce(run: Run, case: Case) -> str | None:
    """Return the command line that measures `case` as `run` did, with its baseline; None if it was imported."""
    if run.source is not None or run.settings is None:
        return None
    words = ["resnet-bench", "run"]
    for axis in ("model", "task", "batch_size", "image_size", "device", *_BESIDE, "threads"):
        values = [getattr(case, axis)]
        if axis in _BESIDE:
            values = list(dict.fromkeys([getattr(case.baseline, axis), *values]))
        words += [f"--{axis.replace('_', '-')}", ",".join(map(str, values))]
    words += ["--replicates", str(run.settings.replicates), "--target", f"{100 * run.settings.target:g}%"]
    words += ["--budget", f"{run.settings.budget_s:g}"]
    return printable(shlex.join(words))
