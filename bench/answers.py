"""What a worker's answers must look like: a worker may lose its mind, and its parent must not lose the run."""

import dataclasses
import functools
import json
from typing import Annotated, Any, Final, Literal, TypeVar

from annotated_types import Ge, Gt

from bench.rotation import Failed
from results.schema import Count, Environment, Equality, Facts, Name, Ran, Seconds, Static, StepSeconds, Text

_CONFIG: Final = {"strict": True, "allow_inf_nan": False}
"""Read by pydantic: a number in quotes is no number, and a time that is not finite is none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """To any question: that it came to nothing."""

    __pydantic_config__ = _CONFIG

    failed: Literal["out-of-memory", "unsupported", "error"]
    cause: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """To ``describe``."""

    __pydantic_config__ = _CONFIG

    devices: tuple[Name, ...]
    environment: Environment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """To ``static``."""

    __pydantic_config__ = _CONFIG

    static: Static


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """To ``peak``."""

    __pydantic_config__ = _CONFIG

    flops_per_s: Annotated[float, Gt(0)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """To ``prepare``."""

    __pydantic_config__ = _CONFIG

    first_step_s: Seconds
    phases: tuple[Literal["forward", "backward", "optimizer"], ...]
    """Parts of a step; empty where a step is one."""
    notes: tuple[Text, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """To ``turn``."""

    __pydantic_config__ = _CONFIG

    phase_s: tuple[tuple[StepSeconds, ...], ...]
    """For each step, the seconds of each of its phases."""
    wall_s: StepSeconds


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """To ``footprint``."""

    __pydantic_config__ = _CONFIG

    host_bytes: Annotated[int, Ge(1)]
    device_bytes: Count | None
    device_free_bytes: Count | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """To ``finish``."""

    __pydantic_config__ = _CONFIG

    facts: Facts
    nulls: dict[str, Text]
    notes: tuple[Text, ...]
    ran: Ran | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """To ``check``."""

    __pydantic_config__ = _CONFIG

    equality: Equality


T = TypeVar("T", Failure, Described, Counted, Rated, Prepared, Turned, Footprint, Finished, Checked)


def read(kind: type[T], answer: dict[str, Any]) -> T:
    """Return `answer` as one of the classes above; keys that it does not have are left out.

    Raises:
        Failed: It is no such answer.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - 0.2 s that only measuring needs

    try:
        # mypy takes the class for one of its own instances, which have no hash.
        made: T = _adapter(kind).validate_json(json.dumps(answer))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Failed("error", f"its worker's answer makes no sense: {where}: {first['msg']}"[:300]) from None
    return made


@functools.cache
def _adapter(kind: type) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415 - as above

    return TypeAdapter(kind)
