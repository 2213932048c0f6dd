"""In what two sides of runs differ beside their times: hardware, software, settings and static counts."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import structs

from results.schema.case import Case
from results.schema.run import Environment, RunHeader
from results.storage.reader import Records

COUNTED: Final = ("parameters", "macs", "training_flops")
"""What must be exactly equal on any machine; FLOPs are twice the MACs."""

_MOMENTARY: Final = frozenset({"clock_hz"})
"""Fields of an accelerator that tell of the moment in which they were read, not of the machine."""
_MEMORY_SLACK: Final = 0.01
"""Kernels keep different bits of the memory for themselves."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing, other than time, in which the sides differ."""

    what: str
    base: str
    new: str


def settings(base: Records, new: Records) -> str | None:
    """Return how sampling differed: what is measured for longer, or to another precision, is not the same."""
    for side, runs in (("BASE", _runs(base)), ("NEW", _runs(new))):
        if any(run.settings is None for run in runs):
            return f"unknown settings: {side} holds an imported run, which does not tell how it sampled"
    for name in ("target", "budget_s"):
        known = [[run.settings for run in _runs(side) if run.settings is not None] for side in (base, new)]
        values = [sorted({getattr(one, name) for one in side}) for side in known]
        if values[0] != values[1] or len(values[0]) > 1:
            shown = [", ".join(f"{value:g}" for value in one) for one in values]
            return f"unequal settings: {name} is {shown[0]} in BASE and {shown[1]} in NEW"
    return None


def same_hardware(base: Records, new: Records) -> bool:
    """Tell whether all runs of both sides were made on machines that are `alike`."""
    return alike([run.environment for run in (*_runs(base), *_runs(new))])


def alike(machines: Sequence[Environment]) -> bool:
    """Tell whether CPU, usable cores, CPU limit, memory and accelerators are known and the same in all of them."""
    kinds = {
        (one.cpu, one.usable_cores, one.cgroup_cpus, tuple((card.name, card.memory_bytes) for card in one.accelerators))
        for one in machines
    }
    sizes = [one.memory_bytes for one in machines if one.memory_bytes is not None]
    if len(kinds) > 1 or len(sizes) < len(machines):  # what is not known may differ
        return False
    return math.isclose(min(sizes), max(sizes), rel_tol=_MEMORY_SLACK)


def counts(base: Records, new: Records, common: Iterable[Case]) -> tuple[tuple[Change, ...], list[str]]:
    """Return the counts that differ, and a reason for each model whose counts are not known on both sides."""
    changes: dict[str, Change] = {}
    missing: dict[str, None] = {}
    sides = [_statics(side) for side in (base, new)]
    for model, size in dict.fromkeys((case.model, case.image_size) for case in common):
        before, after = (side.get((model, size), set()) for side in sides)
        if not before or not after:
            missing[f"the static cost of {model} at {size} pixels is not in {'NEW' if before else 'BASE'}"] = None
    for model, size in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = (side.get((model, size), set()) for side in sides)
        if before and after and (before != after or len(before) > 1):
            for place, name in enumerate(COUNTED):
                told = [" or ".join(str(row[place]) for row in sorted(one)) for one in (before, after)]
                if len({row[place] for row in before | after}) > 1:
                    what = f"{name} of {model} at {size} pixels"
                    changes[what] = Change(what=what, base=told[0], new=told[1])
    return tuple(changes.values()), list(missing)


def _statics(side: Records) -> dict[tuple[str, int], set[tuple[int, ...]]]:
    found: dict[tuple[str, int], set[tuple[int, ...]]] = {}
    for file in side.files:
        for static in file.statics:
            row = tuple(getattr(static, name) for name in COUNTED)
            found.setdefault((static.model, static.image_size), set()).add(row)
    return found


def environment(base: Records, new: Records) -> tuple[Change, ...]:
    """Return the fields of the environment that differ, but for what only tells of a moment."""
    before, after = ([_flat(run.environment) for run in _runs(side)] for side in (base, new))
    names = dict.fromkeys(name for one in (*before, *after) for name in one)
    changes = []
    for name in names:
        told = [dict.fromkeys(one.get(name, "-") for one in side) for side in (before, after)]
        if told[0].keys() != told[1].keys():  # runs have no order
            changes.append(Change(what=name, base=" or ".join(told[0]), new=" or ".join(told[1])))
    return tuple(changes)


def moved(vanished: Sequence[Case], added: Sequence[Case]) -> list[str]:
    """Return a line for cases that are on both sides, but for the device or the number of threads."""
    elsewhere = {structs.replace(case, device="-", threads=1): case for case in added}
    reasons = []
    for case in vanished:
        other = elsewhere.get(structs.replace(case, device="-", threads=1))
        if other is not None:
            what = f"{case.device} with {case.threads} threads in BASE, {other.device} with {other.threads} in NEW"
            reasons.append(f"cases are not matched across devices or numbers of threads: {what}")
    return list(dict.fromkeys(reasons))


def _flat(machine: Environment) -> dict[str, str]:
    content: dict[str, Any] = msgspec.to_builtins(machine)
    del content["nulls"]
    flat: dict[str, str] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": str(one) for key, one in value.items()}
        elif name == "accelerators":
            flat |= {
                f"{card['device']}.{key}": str(one)
                for card in value
                for key, one in card.items()
                if key not in _MOMENTARY
            }
        else:
            flat[name] = " ".join(value) if isinstance(value, tuple) else str(value)
    return flat


def _runs(side: Records) -> list[RunHeader]:
    return [file.run for file in side.files]
