"""What explains the difference of two profiles: layers, phases and operators, the largest first."""

from typing import Final

import pandas as pd

from results.analysis.profiles.breakdown import OUTSIDE, rows_of
from results.schema.lines.profile import Profile

DIFF_KEYS: Final = ("module", "phase", "kind")


def profile_diff(a: Profile, b: Profile) -> pd.DataFrame:
    """Return the seconds of a step by module, phase and class of operator in both profiles.

    Columns ``a_s``, ``b_s``, ``change_s`` (b less a), ``share`` (of the whole difference), and of the operator that
    changed most among those of the row ``operator`` and ``operator_change_s``; the rows add up to the difference of the
    steps. The largest change comes first.
    """
    sides = [_sums(profile).rename(f"{name}_s") for name, profile in (("a", a), ("b", b))]
    operators = pd.concat(sides, axis=1).fillna(0.0)
    frame = operators.groupby(level=list(DIFF_KEYS)).sum()
    changes = operators["b_s"] - operators["a_s"]
    most = changes.loc[changes.abs().groupby(level=list(DIFF_KEYS)).idxmax()].reset_index("name")
    frame = frame.assign(change_s=frame["b_s"] - frame["a_s"])
    frame = frame.assign(operator=most["name"], operator_change_s=most.iloc[:, -1]).reset_index()
    total = float(frame["change_s"].sum())
    frame = frame.assign(share=frame["change_s"] / total if total else 0.0)
    order = frame["change_s"].abs().sort_values(ascending=False).index
    return frame.loc[order].reset_index(drop=True)


def _sums(profile: Profile) -> "pd.Series[float]":
    rows = rows_of(profile)
    return rows.assign(module=rows["module"].fillna(OUTSIDE)).groupby([*DIFF_KEYS, "name"])["self_s"].sum()
