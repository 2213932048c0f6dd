"""Differences between two sides of runs other than times: hardware, software, settings and static counts."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from results.schema.axes import AXES, axis_text, is_silent
from results.schema.case import Case
from results.schema.lines.run import Environment, RunHeader
from results.schema.lines.static import StaticKey, static_key
from results.storage.reader import Records

COUNTED: Final = ("parameters", "macs", "training_flops")
"""Counts that must be exactly equal on any machine; FLOPs are twice the MACs."""

_MOMENTARY: Final = frozenset({"clock_hz"})
"""Fields of an accelerator that change from moment to moment."""
_MEMORY_SLACK: Final = 0.01
"""Relative difference of memory sizes that counts as equal: kernels reserve different amounts."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field, other than a time, that differs between the sides."""

    what: str
    base: str
    new: str


def settings(base: Records, new: Records) -> str | None:
    """Return the differences of sampling settings: samples of another budget or target are not comparable."""
    for side, runs in (("BASE", _runs(base)), ("NEW", _runs(new))):
        if any(run.settings is None for run in runs):
            return f"unknown settings: {side} holds an imported run, which does not state how it sampled"
    for name in ("target", "budget_s"):
        sides = [[run.settings for run in _runs(side) if run.settings is not None] for side in (base, new)]
        values = [sorted({getattr(settings, name) for settings in side}) for side in sides]
        if values[0] != values[1] or len(values[0]) > 1:
            shown = [", ".join(f"{value:g}" for value in side) for side in values]
            return f"unequal settings: {name} is {shown[0]} in BASE and {shown[1]} in NEW"
    return None


def same_hardware(base: Records, new: Records) -> bool:
    """Return whether the machines of all runs of both sides are `alike`."""
    return alike([run.environment for run in (*_runs(base), *_runs(new))])


def alike(machines: Sequence[Environment]) -> bool:
    """Return whether CPU, usable cores, CPU limit, memory and accelerators are known and equal in all environments."""
    kinds = {
        (host.cpu, host.usable_cores, host.cgroup_cpus, *((card.name, card.memory_bytes) for card in host.accelerators))
        for host in machines
    }
    sizes = [host.memory_bytes for host in machines if host.memory_bytes is not None]
    if len(kinds) > 1 or len(sizes) < len(machines):  # an unknown size may differ
        return False
    return math.isclose(min(sizes), max(sizes), rel_tol=_MEMORY_SLACK)


def counts(base: Records, new: Records, common: Iterable[Case]) -> tuple[tuple[Change, ...], list[str]]:
    """Return the counts that differ, and a reason for each model whose counts are unknown on a side."""
    changes: dict[str, Change] = {}
    missing: dict[str, None] = {}
    sides = [_statics(side) for side in (base, new)]
    for key in dict.fromkeys(map(static_key, common)):
        before, after = (side.get(key, set()) for side in sides)
        if not before or not after:
            missing[f"the static cost of {_counted(key)} is not in {'NEW' if before else 'BASE'}"] = None
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = (side.get(key, set()) for side in sides)
        if before and after and (before != after or len(before) > 1):
            for column, name in enumerate(COUNTED):
                shown = [" or ".join(str(row[column]) for row in sorted(side)) for side in (before, after)]
                if len({row[column] for row in before | after}) > 1:
                    what = f"{name} of {_counted(key)}"
                    changes[what] = Change(what=what, base=shown[0], new=shown[1])
    return tuple(changes.values()), list(missing)


def _counted(key: StaticKey) -> str:
    model, size, *others = key
    also = [
        axis_text(axis, value)
        for axis, value in zip(("in_channels", "head"), others, strict=True)
        if not is_silent(axis, value)
    ]
    return " and ".join([f"{model} at {size} pixels", *also])


def _statics(side: Records) -> dict[StaticKey, set[tuple[int, ...]]]:
    counts: dict[StaticKey, set[tuple[int, ...]]] = {}
    for file in side.files:
        for static in file.statics:
            row = tuple(getattr(static, name) for name in COUNTED)
            counts.setdefault(static_key(static), set()).add(row)
    return counts


def environment(base: Records, new: Records) -> tuple[Change, ...]:
    """Return what differs of the environment, except fields that change from moment to moment, and of the code."""
    before, after = ([_flat(run.environment) | _code(run) for run in _runs(side)] for side in (base, new))
    names = dict.fromkeys(name for fields in (*before, *after) for name in fields)
    changes = []
    for name in names:
        old, new_ = (dict.fromkeys(fields.get(name, "-") for fields in side) for side in (before, after))
        if old.keys() != new_.keys():  # runs have no order
            changes.append(Change(what=name, base=" or ".join(old), new=" or ".join(new_)))
    return tuple(changes)


def moved(vanished: Sequence[Case], added: Sequence[Case]) -> list[str]:
    """Return a line about cases whose sides differ only in the device or the number of threads."""
    elsewhere = {_anywhere(case): case for case in added}
    reasons = []
    for case in vanished:
        twin = elsewhere.get(_anywhere(case))
        if twin is not None:
            what = f"{case.device} with {case.threads} threads in BASE, {twin.device} with {twin.threads} in NEW"
            reasons.append(f"cases are not matched across devices or numbers of threads: {what}")
    return list(dict.fromkeys(reasons))


def _anywhere(case: Case) -> tuple[object, ...]:
    """Return the values of the case, without the axes of the machine."""
    return tuple(getattr(case, name) for name, axis in AXES.items() if axis.role != "machine")


def _flat(machine: Environment) -> dict[str, str]:
    content: dict[str, Any] = msgspec.to_builtins(machine)
    del content["nulls"]
    flat: dict[str, str] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": str(entry) for key, entry in value.items()}
        elif name == "accelerators":
            flat |= {
                f"{card['device']}.{key}": str(entry)
                for card in value
                for key, entry in card.items()
                if key not in _MOMENTARY
            }
        else:
            flat[name] = " ".join(value) if isinstance(value, tuple) else str(value)
    return flat


def _code(run: RunHeader) -> dict[str, str]:
    """Return the commit of the code that an imported run measured, where its source states it."""
    code = run.source and run.source.code
    return {"commit": code} if code else {}


def _runs(side: Records) -> list[RunHeader]:
    return [file.run for file in side.files]
