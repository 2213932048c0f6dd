"""Group the runs of two sides by machine, as a machine is only compared with itself, and describe runs."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence

from results.analysis import differences
from results.schema.lines.run import UNKNOWN_ACCELERATOR, Environment, RunHeader
from results.storage.reader import Records, RunFile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The runs of both sides on the same hardware."""

    name: str
    """Name for people; two machines may share it."""
    base: Records
    new: Records


def machines(base: Records, new: Records) -> list[Machine]:
    """Return each machine with its runs on both sides, in the order of the base.

    A machine without a partner has an empty other side. If both sides have exactly one such machine, the two are
    paired: their times are shown, but not judged. Several machines without a partner cannot be paired.
    """
    groups: list[tuple[list[RunFile], list[RunFile]]] = []
    for side, files in enumerate((base.files, new.files)):
        for file in files:
            group = next((known for known in groups if _alike(known, file)), None)
            if group is None:
                group = ([], [])
                groups.append(group)
            group[side].append(file)
    matched = [group for group in groups if all(group)]
    alone = [group for group in groups if not all(group)]
    before, after = ([group for group in alone if group[side]] for side in (0, 1))
    if len(before) == len(after) == 1:
        alone = [(before[0][0], after[0][1])]
    return [
        Machine(name=_name(group), base=Records(tuple(group[0])), new=Records(tuple(group[1])))
        for group in (*matched, *alone)
    ]


def described(records: Records) -> list[str]:
    """Return a line for each run: machine, date, versions, replicates and target."""
    return [", ".join(_details(file.run)) for file in records.files]


def _details(run: RunHeader) -> Iterator[str]:
    machine = run.environment
    yield f"run {run.id} of {run.started or 'an unknown date'}"
    yield machine_text(machine)
    yield f"torch {machine.torch or 'unknown'}"
    if run.source is not None:
        code = run.source.code
        yield f"imported from {run.source.file}" + (f" (commit {code})" if code else "")
    else:
        yield f"resnet-bench {machine.tool_version or 'unknown'} ({machine.tool_commit or 'no commit known'})"
    if run.settings is not None:
        yield f"replicates {run.settings.replicates}, target ±{100 * run.settings.target:g} %"
        yield f"budget {run.settings.budget_s:g} s"


def _alike(group: tuple[list[RunFile], list[RunFile]], file: RunFile) -> bool:
    first = next(iter((*group[0], *group[1])))
    if first.run.source is not None and file.run.source is not None:
        # Sources state little: runs of the same chip are shown together, and not judged as other fields are unknown.
        named = _named(first.run)
        return named is not None and named == _named(file.run)
    return differences.alike([first.run.environment, file.run.environment])


def _named(run: RunHeader) -> tuple[str | None, tuple[str, ...]] | None:
    """Return the chips of an imported run, None where its source does not state them all."""
    cards = tuple(card.name for card in run.environment.accelerators)
    if UNKNOWN_ACCELERATOR in cards:
        return None
    return (run.environment.cpu, cards) if run.environment.cpu or cards else None


def _name(group: tuple[Sequence[RunFile], Sequence[RunFile]]) -> str:
    sides = [", ".join(dict.fromkeys(machine_text(file.run.environment) for file in side)) for side in group]
    return " against ".join(dict.fromkeys(filter(None, sides)))


def machine_text(machine: Environment) -> str:
    """Return a machine for people: its chip, cores and memory, as far as they are known."""
    cards = Counter(card.name for card in machine.accelerators)
    named = " + ".join(name if count == 1 else f"{count} × {name}" for name, count in cards.items())
    chip = named or machine.cpu or "unknown machine"
    cores = None if machine.usable_cores is None else f"{machine.usable_cores} cores"
    memory = None if machine.memory_bytes is None else f"{machine.memory_bytes / 2**30:.0f} GiB"
    return " ".join(filter(None, (chip, cores, memory)))
