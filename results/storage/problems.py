"""Problems of a run file as a whole: missing, repeated and misplaced lines, changed conditions, a missing end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from results.schema.lines.record import Record
from results.schema.lines.run import End, Environment, RunHeader
from results.schema.types import Stored
from results.storage.trainings import Trainings

_MOST: Final = 100
"""The most problems that are listed; a faulty disk can make millions of damaged lines."""
_MACHINE: Final = (
    "cpu",
    "usable_cores",
    "cgroup_cpus",
    "memory_bytes",
    "os",
    "kernel",
    "python",
    "torch",
    "tool_version",
)
"""Fields of `Environment` whose change during a run is reported."""


class Problems:
    """The problems of a file with their lines; the first of them are listed, the others counted."""

    def __init__(self, path: Path) -> None:
        self.damaged: str | None = None
        """The first problem that prevents the run from being resumed."""
        self._path = path
        self._listed: list[str] = []
        self._others = 0

    def add(self, position: int, problem: str) -> None:
        """Add damage of the line at `position` (from 1)."""
        self.damaged = self.damaged or f"{self._path} line {position}: {problem}"
        self.note(position, problem)

    def unreadable(self, position: int, error: Exception, *, torn: bool) -> None:
        """Add a line that cannot be read; a `torn` line is the last line of a run that was cut off."""
        if torn:
            self.note(position, "torn, as the run was cut off while writing it; left out")
        else:
            self.add(position, str(error))

    def note(self, position: int, *problems: str) -> None:
        """Add problems that do not prevent the run from being resumed."""
        for problem in problems:
            if len(self._listed) < _MOST:
                self._listed.append(f"{self._path} line {position}: {problem}")
            else:
                self._others += 1

    def lines(self, *last: str) -> tuple[str, ...]:
        """Return the problems, a line of text each, followed by `last`, the problems of the whole file."""
        more = [f"{self._others:,} more problems of this kind"] if self._others else []
        return (*self._listed, *(f"{self._path}: {problem}" for problem in (*more, *last)))


class Order:
    """The numbers of a file's readable lines: which are missing, repeated or misplaced."""

    def __init__(self) -> None:
        self.last = 1
        """The highest number so far; 1 is the header."""
        self.end: End | None = None
        """The end line, unless lines of the run follow it."""
        self._skipped = 0
        """Lines since `last` that could not be read."""
        self._seen = {self.last}
        self.trainings = Trainings()

    def skip(self) -> None:
        """Count a line that cannot be read."""
        self._skipped += 1

    def misplaced(self, number: int, body: Stored) -> str | None:
        """Return why the readable line `number` cannot follow the lines before it, None where it can."""
        if number in self._seen:
            return f"repeats line {number}; left out"
        if number < self.last:
            return f"not in its place (it was line {number})"
        missing = number - self.last - self._skipped - 1
        if missing > 0:
            return f"{missing} line{'s are' if missing > 1 else ' is'} missing before it (it was line {number})"
        if isinstance(body, RunHeader):
            return "a second header; left out"
        if self.end is not None:
            return "comes after the end of the run"
        return self.trainings.misplaced(body)

    def take(self, number: int, body: Stored) -> bool:
        """Count a readable line, and return whether its number is new."""
        if number in self._seen:
            return False
        self._seen.add(number)
        if number > self.last:
            self.last, self._skipped, self.end = number, 0, None
        if isinstance(body, End):
            self.end = body
        self.trainings.take(body)
        return True


def changes(before: Environment, after: Environment) -> list[str]:
    """Return the differences of machine and software before and after a break."""
    changed = [
        f"{name} {getattr(before, name)} became {getattr(after, name)}"
        for name in _MACHINE
        if getattr(before, name) != getattr(after, name)
    ]
    names = [[accelerator.name for accelerator in machine.accelerators] for machine in (before, after)]
    if names[0] != names[1]:
        changed.append(f"accelerators {names[0]} became {names[1]}")
    return [f"resumed under other conditions: {change}" for change in changed]


def ending(run: RunHeader, records: Sequence[Record], end: End | None, trainings: Trainings) -> list[str]:
    """Return why a run is not complete."""
    planned = len(run.plan) * (run.settings.replicates if run.settings else 1)
    progress = f"{len(records)} of {planned} planned records are there"
    if trainings.started and not planned:
        progress = f"{trainings.ended} of {trainings.started} trainings that began came to their end"
    if end is None:
        return [f"no end line, the run was cut off: {progress}"]
    problems = []
    if end.records != len(records):
        problems.append(f"the end line counts {end.records} records, {len(records)} could be read")
    if end.status == "interrupted":
        problems.append(f"the run was interrupted: {progress}")
    elif trainings.ended < trainings.started:
        problems.append(f"{trainings.ended} of {trainings.started} trainings have an end, although the run is complete")
    return problems
