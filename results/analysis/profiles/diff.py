"""What explains the difference of two profiles: layers, phases and operators, the largest first."""

from typing import Final

import pandas as pd

from results.analysis.profiles.breakdown import OUTSIDE, rows_of
from results.schema.lines.profile import Profile

DIFF_KEYS: Final = ("module", "phase", "kind")


def profile_diff(a: Profile, b: Profile) -> pd.DataFrame:
    """Return the seconds of a step by module, phase and class of operator in both profiles.

    Columns ``a_s``, ``b_s``, ``change_s`` (b less a) and ``share`` (of the whole difference); the rows add up to the
    difference of the steps. The largest change comes first.
    """
    sides = [_sums(profile).rename(f"{name}_s") for name, profile in (("a", a), ("b", b))]
    frame = pd.concat(sides, axis=1).fillna(0.0).reset_index()
    frame = frame.assign(change_s=frame["b_s"] - frame["a_s"])
    total = float(frame["change_s"].sum())
    frame = frame.assign(share=frame["change_s"] / total if total else 0.0)
    order = frame["change_s"].abs().sort_values(ascending=False).index
    return frame.loc[order].reset_index(drop=True)


def _sums(profile: Profile) -> "pd.Series[float]":
    rows = rows_of(profile)
    return rows.assign(module=rows["module"].fillna(OUTSIDE)).groupby(list(DIFF_KEYS))["self_s"].sum()
