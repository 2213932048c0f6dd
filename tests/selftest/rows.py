"""One line of the self-test's table: a promise, the figure that was seen, and whether it is kept."""

import sys
from typing import Final

Row = tuple[str, str, str, bool | None]
"""What, figure, bound, and whether it is kept (None: the figure is not sure enough)."""

_WORDS: Final = {True: "kept", False: "BROKEN", None: "unsure"}


def show(row: Row) -> None:
    """Write the row as one line to stdout at once: the next may take minutes."""
    what, figure, bound, kept = row
    sys.stdout.write(f"{_WORDS[kept]:6}  {what:66} {figure:34} {bound}\n")
    sys.stdout.flush()


def share_row(what: str, hits: int, of: int, *, low: float = 0.0, high: float = 1.0) -> Row:
    """Return the row of a share that must lie in [low, high], as `hits` of so many simulated runs show it.

    Its bounds hold with 99 % each (Clopper and Pearson 1934). A share outside is ``unsure`` where a bound still reaches
    inside, which is the error of the simulation, and else ``BROKEN``.
    """
    from scipy.stats import binomtest  # noqa: PLC0415 (0.5 s that other rows need not pay)

    seen = hits / of
    error = binomtest(hits, of).proportion_ci(0.98)
    kept = True if low <= seen <= high else None if error.high >= low and error.low <= high else False
    bound = (
        f"≤ {100 * high:g} %"
        if low == 0
        else f"≥ {100 * low:g} %"
        if high == 1
        else f"{100 * low:g} to {100 * high:g} %"
    )
    return what, f"{seen:.2%} [{error.low:.2%}, {error.high:.2%}]", bound, kept
