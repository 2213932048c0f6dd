"""A step of the rehearsal, and the arguments of the kinds of steps.

In arguments, ``{device}`` is the device, ``{identity}`` NVIDIA's UUID of it or nothing, ``{out}`` the folder of the
rehearsal's files, ``{runs}`` that of run files and ``{traces}`` that of traces.
"""

import dataclasses

from tests.rehearsal.verdicts import Bound


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A process of the rehearsal."""

    name: str
    seconds: float
    """Time-out."""
    argv: tuple[str, ...]
    """Arguments of the interpreter."""
    bounds: tuple[Bound, ...] = ()
    codes: tuple[int, ...] = (0,)
    """Exit codes with which it succeeds."""
    skip: str | None = None
    """Why it cannot run on this device."""


def pytest_of(*arguments: str) -> tuple[str, ...]:
    """Return the arguments of a step that runs tests."""
    return ("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


def part_of(module: str, *more: str) -> tuple[str, ...]:
    """Return the arguments of a step that appends lines to ``physics.jsonl``."""
    return ("-m", f"tests.rehearsal.parts.{module}", "{device}", "{out}/physics.jsonl", *more)


def timm_like(name: str, *options: str) -> tuple[str, ...]:
    """Return the arguments of a step that measures as timm does."""
    return ("-m", "tests.rehearsal.parts.timm_like", "{out}/physics.jsonl", name, "--device", "{device}", *options)


def run_of(step: str, *options: str, seconds: int) -> tuple[str, ...]:
    """Return the arguments of a step that runs the harness."""
    shared = ("--device", "{device}", "--replicates", "1", "--time-limit", str(seconds), "--no-report")
    return ("-m", "bench", "run", *options, *shared, "--out", f"{{runs}}/{step}")
