"""The frames of profiles: a row a class of operators, a row a stage, a row a module."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pandas as pd

from reports.figures.chart import Source
from results.analysis.profiles.breakdown import OUTSIDE, by_kind, by_module, by_stage, slow_down, step_seconds
from results.schema.lines.profile import Profile
from results.text import printable

MOST_PROFILES: Final = 12
"""Profiles of a figure: more bars would need a page of their own."""


def profiles_of(source: Source) -> Iterator[tuple[str, Profile]]:
    """Yield the profiles that succeeded, with the id of their run."""
    for file in source.study.records.files:
        for profile in file.bodies("profile"):
            if isinstance(profile, Profile) and profile.status == "ok":
                yield file.run.id, profile


def kind_frame(source: Source) -> pd.DataFrame:
    """Return a row for each profile, phase and class of operators."""
    return _frame(source, by_kind, ["kind", "phase", "self_s", "share", "calls"])


def stage_times(source: Source) -> pd.DataFrame:
    """Return a row for each profile, phase and stage; what lies outside of the network is a stage too."""
    return _frame(source, by_stage, ["stage", "phase", "self_s", "share", "calls"])


def module_frame(source: Source) -> pd.DataFrame:
    """Return a row for each profile, phase and module, with its own seconds and those of all inside it."""

    def modules(profile: Profile) -> pd.DataFrame:
        rows = by_module(profile)
        return rows[rows["total_s"] > 0]

    return _frame(source, modules, ["module", "type", "stage", "phase", "self_s", "total_s", "share"])


def _frame(source: Source, make: Callable[[Profile], pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    parts = []
    for run, profile in list(profiles_of(source))[:MOST_PROFILES]:
        rows = make(profile)
        own: dict[str, Any] = {"run": run, "case": printable(profile.label), "step_s": step_seconds(profile)}
        parts.append(rows.assign(**own, slow_down=slow_down(profile), queued=profile.queued))
    if not parts:
        return pd.DataFrame(columns=["run", "case", "step_s", "slow_down", "queued", *columns])
    return pd.concat(parts, ignore_index=True)


def inside(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of stages of the network and of what lies outside of it, without empty ones."""
    return frame[(frame["self_s"] > 0) | (frame["stage"] == OUTSIDE)]
