"""Speed-ups over the baseline: the rows of the heat map, and its sentences."""

from typing import Final

import pandas as pd

from reports.style.units import SPACE, TIMES, quantity, spread
from reports.style.views import BASELINE_TEXT, is_baseline, setting
from reports.style.words import extreme, joined, plural, workload_text

LISTED: Final = 3
"""Variants that a sentence names for each kind of failure."""


def tried(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the cases in other settings than the baseline's that have a speed-up or failed."""
    return frame[~is_baseline(frame) & (frame["speedup"].notna() | frame["status"].ne("ok"))]


def best_speedup(frame: pd.DataFrame) -> str | None:
    """Return the sentences on the best speed-up over the baseline, and on the numbers of slower and unchecked cases.

    A case counts as faster or slower only if its 95 % interval excludes 1.
    """
    others = frame[frame["status"].eq("ok") & frame["speedup"].notna() & ~is_baseline(frame)]
    if others.empty:
        return None
    faster = others[others["speedup_low"] > 1]
    if faster.empty:
        said = (
            f"Nothing was shown to be faster than {BASELINE_TEXT}: no speed-up of "
            f"{plural(len(others), 'case')} in another setting has a 95{SPACE}% interval above 1."
        )
    else:
        best = extreme(faster, "speedup", largest=True)
        value = quantity(best.speedup, TIMES, best.speedup_low, best.speedup_high)
        within = spread(best.speedup, best.speedup_low, best.speedup_high)
        said = (
            f"The best speed-up is {value} ({within}): {setting(best)} instead of "
            f"{BASELINE_TEXT}, on {best.model} ({workload_text(best)})."
        )
    return said + _slower(others) + _unchecked(others)


def _slower(others: pd.DataFrame) -> str:
    slower = others[others["speedup_high"] < 1]
    if slower.empty:
        return ""
    worst = extreme(slower, "speedup", largest=False)
    value = quantity(worst.speedup, TIMES, worst.speedup_low, worst.speedup_high)
    return (
        f" {len(slower)} of {plural(len(others), 'case')} in another setting were slower, "
        f"the most {setting(worst)} on {worst.model} at {value}."
    )


def _unchecked(others: pd.DataFrame) -> str:
    """Return the sentence on speed-ups of cases whose result nobody compared with the baseline's."""
    count = int((others["equality"].isna() & ~others["imported"]).sum())
    if not count:
        return ""
    if len(others) == 1:
        return " Its result was not checked."
    return f" The results of {count:,} of these {len(others):,} were not checked."


def failures(frame: pd.DataFrame) -> str:
    """Return the sentence on the number of cases without a result, and their reasons."""
    failed = frame[frame["status"] != "ok"]
    if failed.empty:
        return f"All {plural(len(frame), 'case')} gave a result." if len(frame) > 1 else "The one case gave a result."
    parts = []
    for status, rows in failed.groupby("status", sort=True):
        names = list(dict.fromkeys(rows["model"]))
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        parts.append(f"{len(rows)} {status} ({', '.join(names[:LISTED])}{more})")
    return f"{len(failed)} of {plural(len(frame), 'case')} did not succeed: {joined(parts)}."


def of_speedups(frame: pd.DataFrame) -> str:
    """Return the sentence of `best_speedup`, or of the failures where no case has a speed-up."""
    return best_speedup(frame) or failures(frame)
