"""What a worker's answers must look like: a worker may lose its mind, and its parent must not lose the run."""

import dataclasses
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta

from bench.schedule.rotation import Failed
from results.schema.record import Equality, Facts, Ran
from results.schema.run import Environment
from results.schema.static import Static
from results.schema.types import Count, Name, Seconds, StepSeconds, Text
from results.schema.validation import InvalidError, validated


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """To any question: that it came to nothing."""

    failed: Literal["out-of-memory", "unsupported", "error"]
    cause: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """To ``describe``."""

    devices: tuple[Name, ...]
    environment: Environment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """To ``static``."""

    static: Static


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """To ``peak``."""

    flops_per_s: Annotated[float, Meta(gt=0)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """To ``prepare``."""

    first_step_s: Seconds
    phases: tuple[Literal["forward", "backward", "optimizer"], ...]
    """Parts of a step; empty where a step is one."""
    notes: tuple[Text, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """To ``turn``."""

    phase_s: tuple[tuple[StepSeconds, ...], ...]
    """For each step, the seconds of each of its phases."""
    wall_s: StepSeconds


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """To ``footprint``."""

    host_bytes: Annotated[int, Meta(ge=1)]
    device_bytes: Count | None
    device_free_bytes: Count | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """To ``finish``."""

    facts: Facts
    nulls: dict[str, Text]
    notes: tuple[Text, ...]
    ran: Ran | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """To ``check``."""

    equality: Equality


T = TypeVar("T", Failure, Described, Counted, Rated, Prepared, Turned, Footprint, Finished, Checked)


def read(kind: type[T], answer: dict[str, Any]) -> T:
    """Return `answer` as one of the classes above; keys that it does not have are left out.

    Raises:
        Failed: It is no such answer.
    """
    try:
        return validated(answer, kind)
    except InvalidError as error:
        raise Failed("error", f"its worker's answer makes no sense: {error}"[:300]) from None
