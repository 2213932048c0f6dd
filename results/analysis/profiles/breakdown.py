"""Where the time of a profiled step goes: by class of operator, by operator and shape, by module, by stage.

All seconds are those of one step, without the cost of the profiler: self times, scaled to the steps that were timed
without it. `by_kind` adds up to the step; so does `by_stage`.
"""

import statistics
from typing import Final

import pandas as pd

from results.schema.lines.profile import Profile

OUTSIDE: Final = "(outside)"
"""Stage of what belongs to no module: loss, optimizer, what lies between operators."""
_COLUMNS: Final = ("name", "kind", "phase", "module", "stage", "shapes", "calls", "self_s")


def step_seconds(profile: Profile) -> float:
    """Return the median seconds of a step without the profiler; of a trace, those of a profiled step."""
    if profile.step_s:
        return statistics.median(profile.step_s)
    return (profile.profiled_s or 0.0) / profile.steps


def slow_down(profile: Profile) -> float | None:
    """Return the seconds of the profiled step over those of a step without the profiler, None if not known."""
    if not profile.step_s or profile.profiled_s is None:
        return None
    return profile.profiled_s / profile.steps / step_seconds(profile)


def rows_of(profile: Profile) -> pd.DataFrame:
    """Return a row for each row of the profile, with its stage, in seconds of a step without the profiler."""
    stages = {module.name: module.stage for module in profile.modules}
    scale, of_overhead = _scales(profile)
    rows = [
        (row.name, row.kind, row.phase, row.module, _stage(row.module, stages), row.shapes, row.calls,
         (of_overhead if row.kind == "overhead" else scale) * row.self_s)
        for row in profile.operators
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _scales(profile: Profile) -> tuple[float, float]:
    """Return by what the seconds of operators are scaled, and those of the host between them.

    What the profiler costs falls between operators, where its ranges begin and end: it is taken from there first.
    """
    profiled_s, step_s = profile.profiled_s or 0.0, step_seconds(profile) * profile.steps
    between = sum(row.self_s for row in profile.operators if row.kind == "overhead")
    if not profiled_s:
        return 0.0, 0.0
    rest = min(between, max(0.0, between - (profiled_s - step_s)))
    inside = profiled_s - between
    scale = (step_s - rest) / inside if inside > 0 else 0.0
    return scale / profile.steps, (rest / between if between else 0.0) / profile.steps


def _stage(module: str | None, stages: dict[str, str]) -> str:
    if module is None:
        return OUTSIDE
    return stages.get(module, module.split(".")[0])


def by_kind(profile: Profile) -> pd.DataFrame:
    """Return the seconds of each class of operators in each phase, the largest first."""
    return _summed(profile, ["kind", "phase"])


def by_operator(profile: Profile) -> pd.DataFrame:
    """Return the seconds of each operator with the same shapes, the largest first."""
    return _summed(profile, ["name", "kind", "shapes"])


def by_stage(profile: Profile) -> pd.DataFrame:
    """Return the seconds of each stage in each phase, in the order of the network."""
    order = list(dict.fromkeys([*(module.stage for module in profile.modules), OUTSIDE]))
    frame = _summed(profile, ["stage", "phase"])
    return frame.sort_values("stage", key=lambda column: column.map({name: n for n, name in enumerate(order)}))


def by_module(profile: Profile) -> pd.DataFrame:
    """Return the seconds of each module in each phase: its own (``self_s``), and with all inside it (``total_s``)."""
    own = layer_sums(rows_of(profile))
    phases = sorted({phase for _, phase in own})
    rows = []
    for module in profile.modules:
        inside = {module.name} if module.name != "(root)" else set()
        prefix = f"{module.name}."
        for phase in phases:
            total = sum(
                seconds
                for (name, each), seconds in own.items()
                if each == phase and (name in inside or module.name == "(root)" or name.startswith(prefix))
            )
            rows.append((module.name, module.type, module.stage, phase, own.get((module.name, phase), 0.0), total))
    frame = pd.DataFrame(rows, columns=["module", "type", "stage", "phase", "self_s", "total_s"])
    return frame.assign(share=frame["total_s"] / step_seconds(profile))


def layer_sums(rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the seconds of rows that have a module, by module and phase."""
    sums: dict[tuple[str, str], float] = {}
    for module, phase, seconds in zip(rows["module"], rows["phase"], rows["self_s"], strict=True):
        if isinstance(module, str):
            sums[module, phase] = sums.get((module, phase), 0.0) + seconds
    return sums


def _summed(profile: Profile, columns: list[str]) -> pd.DataFrame:
    frame = rows_of(profile).groupby(columns, sort=False)[["self_s", "calls"]].sum().reset_index()
    frame = frame.assign(share=frame["self_s"] / step_seconds(profile))
    return frame.sort_values("self_s", ascending=False, ignore_index=True)
