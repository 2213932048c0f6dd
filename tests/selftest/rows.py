"""A line of a session's table: a promise, the figure that was measured, and whether the promise is kept."""

import sys
from typing import Final, NamedTuple

WORDS: Final = {True: "kept", False: "BROKEN", None: "unsure"}


class Row(NamedTuple):
    """A promise and its figure. Rows that differ in `variant` alone share a line in the documents."""

    what: str
    figure: str
    bound: str
    kept: bool | None
    """None: the figure is not certain enough."""
    variant: str = ""


def show(row: Row) -> None:
    """Write the row as a line to stdout at once: the next may take minutes."""
    what = ", ".join(filter(None, [row.what, row.variant]))
    sys.stdout.write(f"{WORDS[row.kept]:6}  {what:66} {row.figure:34} {row.bound}\n")
    sys.stdout.flush()


def share_row(what: str, hits: int, of: int, *, low: float = 0.0, high: float = 1.0, variant: str = "") -> Row:
    """Return the row of a share that must lie in [low, high], from `hits` of so many simulated runs.

    Both bounds of its interval hold with 99 % (Clopper and Pearson 1934). A share outside is ``unsure`` where the
    interval, which is the error of the simulation, still reaches inside, and else ``BROKEN``.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 (0.5 s that other rows need not pay)

    share = hits / of
    error = binomtest(hits, of).proportion_ci(0.98)
    kept = True if low <= share <= high else None if error.high >= low and error.low <= high else False
    bound = (
        f"≤ {100 * high:g} %"
        if low == 0
        else f"≥ {100 * low:g} %"
        if high == 1
        else f"{100 * low:g} to {100 * high:g} %"
    )
    return Row(what, f"{share:.2%} [{error.low:.2%}, {error.high:.2%}]", bound, kept, variant)
