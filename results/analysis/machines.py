"""Which runs of two sides were made on the same machine, for each is compared with itself, and what they are."""

import dataclasses
from collections.abc import Iterator, Sequence

from results.analysis import differences
from results.schema.run import Environment, RunHeader
from results.storage.reader import Records, RunFile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The runs of both sides that were made on hardware of one kind."""

    name: str
    """For people; two machines may share it."""
    base: Records
    new: Records


def machines(base: Records, new: Records) -> list[Machine]:
    """Return each machine with its runs on both sides, in the order of the base.

    What has no partner stands alone, with an empty other side. Only where each side has exactly one such machine are
    they brought together, so that their times can be shown though not judged: of more, nobody knows who became whom.
    """
    groups: list[tuple[list[RunFile], list[RunFile]]] = []
    for side, files in enumerate((base.files, new.files)):
        for file in files:
            group = next((one for one in groups if _alike(one, file)), None)
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
    """Return a line for each run: where, when and with what it was measured, and how often."""
    return [", ".join(_details(file.run)) for file in records.files]


def _details(run: RunHeader) -> Iterator[str]:
    machine = run.environment
    yield f"run {run.id} of {run.started or 'an unknown date'}"
    yield _called(machine)
    yield f"torch {machine.torch or 'unknown'}"
    if run.source is not None:
        yield f"imported from {run.source.file}"
    else:
        yield f"resnet-bench {machine.tool_version or 'unknown'} ({machine.tool_commit or 'no commit known'})"
    if run.settings is not None:
        yield f"replicates {run.settings.replicates}, target ±{100 * run.settings.target:g} %"
        yield f"budget {run.settings.budget_s:g} s"


def _alike(group: tuple[list[RunFile], list[RunFile]], file: RunFile) -> bool:
    first = next(iter((*group[0], *group[1])))
    if first.run.source is not None and file.run.source is not None:
        # Sources tell little: what they name alike is shown together, and never judged for want of the rest.
        named = _named(first.run)
        return named is not None and named == _named(file.run)
    return differences.alike([first.run.environment, file.run.environment])


def _named(run: RunHeader) -> tuple[str | None, tuple[str, ...]] | None:
    """Return the chips of an imported run, None where its source names none."""
    cards = tuple(card.name for card in run.environment.accelerators)
    return (run.environment.cpu, cards) if run.environment.cpu or cards else None


def _name(group: tuple[Sequence[RunFile], Sequence[RunFile]]) -> str:
    sides = [", ".join(dict.fromkeys(_called(file.run.environment) for file in side)) for side in group]
    return " against ".join(dict.fromkeys(filter(None, sides)))


def _called(machine: Environment) -> str:
    chip = " + ".join(card.name for card in machine.accelerators) or machine.cpu or "unknown machine"
    cores = None if machine.usable_cores is None else f"{machine.usable_cores} cores"
    memory = None if machine.memory_bytes is None else f"{machine.memory_bytes / 2**30:.0f} GiB"
    return " ".join(filter(None, (chip, cores, memory)))
