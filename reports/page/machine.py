"""The machine and the settings of a run as text."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from reports.style.units import NONE, quantity
from reports.style.words import joined
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import RunHeader, Settings
from results.storage.reader import RunFile

MOST_TITLED: Final = 3
"""The most machines that the title names."""


def hardware(run: RunHeader, device: str) -> str:
    """Return the hardware that computed the cases of a device: the accelerator, or the CPU.

    Where the run does not name it, its id tells it from other unnamed machines, which may be different.
    """
    cards = {card.device: card.name for card in run.environment.accelerators}
    if device in cards:
        return cards[device]
    if device.partition(":")[0] != "cpu":  # the CPU beside an accelerator did not compute the cases
        return f"unnamed {device} of {run.id}"
    return run.environment.cpu or f"unnamed machine of {run.id}"


def _devices(file: RunFile) -> list[str]:
    """Return the devices of the cases of a run; of a run without cases, the CPU."""
    cases = (*file.run.plan, *(record.case for record in file.records))
    return sorted({case.device for case in cases}) or ["cpu"]


def _hardware_counts(file: RunFile) -> Counter[str]:
    """Return the number of devices of each hardware of a run."""
    return Counter(hardware(file.run, device) for device in _devices(file))


def title(files: Sequence[RunFile]) -> str:
    """Return the title of the page: `MOST_TITLED` machines by name, those that a source names first."""
    counts = [item for file in files for item in _hardware_counts(file).items()]
    names = list(dict.fromkeys(name if count == 1 else f"{count} × {name}" for name, count in counts))
    names.sort(key=lambda name: name.startswith("unnamed "))
    more = len(names) - MOST_TITLED
    return f"ResNets on {joined([*names[:MOST_TITLED], f'{more:,} more'] if more > 0 else names)}"


def sides(files: Sequence[RunFile]) -> dict[tuple[str, str], str]:
    """Return the sides that the page compares, by run id and device: the hardware, with software or run if necessary.

    Runs of the same machine and version are a single side, unless they share a case: then they are compared. Devices of
    a run are sides of their own; several cards of a name have their device in the names of their sides.
    """
    versions = {file.run.id: f"torch {file.run.environment.torch or 'unknown'}" for file in files}
    several = {name for file in files for name, count in _hardware_counts(file).items() if count > 1}
    cases: dict[tuple[str, str], set[Case]] = {}
    by_name: dict[str, list[tuple[RunFile, str]]] = {}
    for file in files:
        for device in _devices(file):
            cases[file.run.id, device] = {record.case for record in file.records if record.case.device == device}
            name = hardware(file.run, device)
            by_name.setdefault(f"{name} · {device}" if name in several else name, []).append((file, device))
    system = {}
    for name, alike in by_name.items():
        differing = len({versions[file.run.id] for file, _ in alike}) > 1
        for file, device in alike:
            run = file.run.id
            shared = [
                twin.run
                for twin, theirs in alike
                if twin is not file
                and versions[twin.run.id] == versions[run]
                and not cases[run, device].isdisjoint(cases[twin.run.id, theirs])
            ]
            mark = [_mark(file.run, shared)] if shared else []
            system[run, device] = " · ".join([name, *([versions[run]] if differing else []), *mark])
    return system


def _mark(run: RunHeader, others: Sequence[RunHeader]) -> str:
    """Return the shortest text that identifies `run` among runs of its machine: its day, its minute, or its name."""
    for letters in (len("2026-11-22"), len("2026-11-22T08:00")):
        days = [(other.started or "")[:letters] for other in (run, *others)]
        if all(days) and days.count(days[0]) == 1:
            return days[0].replace("T", " ")
    return run.id


def compared(files: Sequence[RunFile]) -> tuple[dict[str, str], list[str], list[list[str]]]:
    """Return the facts that all runs share, and a table of the other facts: its heads, and a row a run."""
    known = [facts(file) for file in files]
    names = list(dict.fromkeys(name for run in known for name in run))
    shared = {name: known[0][name] for name in names if all(run.get(name) == known[0].get(name) for run in known)}
    differing = [name for name in names if name not in shared]
    rows = [[file.run.id, *(run.get(name, NONE) for name in differing)] for file, run in zip(files, known, strict=True)]
    return shared, ["Run", *differing], rows


def facts(file: RunFile) -> dict[str, str]:
    """Return the main facts of a run: hardware, software, sampling."""
    run, machine = file.run, file.run.environment
    cards = [
        _joined(
            card.name,
            card.memory_bytes and quantity(card.memory_bytes, "B"),
            card.driver and f"driver {card.driver}",
        )
        for card in machine.accelerators
    ]
    known = {
        "Accelerator": "; ".join(cards),
        "CPU": _joined(machine.cpu, _of(machine.usable_cores, machine.logical_cores, "cores")),
        "Memory": _memory(machine.memory_bytes, machine.cgroup_memory_bytes),
        "PyTorch": _joined(machine.torch, machine.torch_threads and f"{machine.torch_threads} threads"),
        "torchvision": machine.torchvision,
        "Python": machine.python,
        "System": _joined(machine.os, machine.kernel and f"kernel {machine.kernel}"),
        "Suite": run.suite,
        "Started": run.started and run.started.replace("T", " ").replace("Z", " UTC"),
        "resnet-bench": _joined(machine.tool_version, machine.tool_commit and machine.tool_commit[:12]),
        "Sampling": run.settings and _sampling(run.settings, file.records),
        "Imported": run.source and f"from {run.source.format}, not measured here",
    }
    return {name: fact for name, fact in known.items() if fact}


def _sampling(settings: Settings, records: Sequence[Record]) -> str:
    said = (
        f"{settings.replicates} process{'' if settings.replicates == 1 else 'es'} a case, until the 95 % "
        f"interval is within ±{100 * settings.target:g} % or {settings.budget_s:g} s are spent"
    )
    if settings.cards == "at-once" and len({record.case.device for record in records}) > 1:
        said += ", all cards at once, which shared the processor and the power of the machine"
    given = [record.budget_s for record in records if record.budget_s is not None]
    short = [budget for budget in given if budget < settings.budget_s]
    if not short:
        return said
    return f"{said}; {len(short)} of {len(given)} processes were given less, {min(short):.2g} s at the least"


def _joined(*parts: str | int | None) -> str:
    """Return the known parts, joined by commas."""
    return ", ".join(str(part) for part in parts if part)


def _of(some: int | None, every: int | None, what: str) -> str | None:
    return None if some is None or every is None else f"{some} of {every} {what}"


def _memory(total: int | None, limit: int | None) -> str | None:
    """Return memory in GiB: machines and limits have powers of two."""
    if total is None:
        return None
    said = f"{total / 2**30:.3g} GiB"
    return f"{said}, of which {limit / 2**30:.3g} may be used" if limit and limit < total else said


def details(run: RunHeader) -> list[tuple[str, str]]:
    """Return all facts of a run's machine, software and settings as text, by name."""
    machine = run.environment
    fields = structs.asdict(machine)
    for group, content in (("sampling", run.settings), ("source", run.source)):
        if content is not None:
            fields |= {f"{group} {name}": value for name, value in structs.asdict(content).items()}
    del fields["nulls"]
    # A missing value inside a field has its reason under a dotted name, such as torch_build.hip.
    fields |= dict.fromkeys(name for name in machine.nulls if name not in fields)
    return [(re.sub("[_.]", " ", name), _text(value, machine.nulls.get(name))) for name, value in fields.items()]


def _text(value: Any, reason: str | None = None) -> str:
    if value is None or value in ((), {}):
        nothing = NONE if value is None else "none"
        return f"{nothing} ({reason})" if reason else nothing
    if isinstance(value, Struct):
        value = structs.asdict(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, tuple):
        return "; ".join(_text(part) for part in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
