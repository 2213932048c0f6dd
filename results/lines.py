"""One line of a run file: its checksum, its number, its one body, and everything that can be wrong with it.

A line is JSON, and readable as such by any tool. It begins with exactly ``{"crc32":"xxxxxxxx",``; the checksum
covers every byte after that prefix up to the newline, so a reader can tell a damaged line before parsing it.
"""

import dataclasses
import functools
import json
import re
import zlib
from typing import Any, Final, Literal

from results.catalogue import BOUNDS, METRICS
from results.errors import InputError
from results.formats import printable
from results.plain import plain
from results.schema import SCHEMA_VERSION, Environment, Record, Run, Static, Summary

MAX_LINE_BYTES: Final = 64 * 2**20
"""A longer line is damage, not a record: the largest real ones hold some megabytes of samples."""

_PREFIX: Final = re.compile(rb'\{"crc32":"([0-9a-f]{8})",')
_PREFIX_BYTES: Final = len(b'{"crc32":"00000000",')
_POSITIVE: Final = ("latency_s", "throughput_img_per_s")
"""Metrics of a summary whose logarithms are taken."""
_STATIC: Final = re.compile(rb'"line":([1-9][0-9]{0,17}),(?="static":)')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """That a run went on after a break, and on what machine."""

    started: str
    environment: Environment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended, and how many records it then held."""

    status: Literal["complete", "interrupted"]
    records: int


Body = Run | Static | Record | Resumed | End


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it stands in the file; exactly one of the bodies is there."""

    # pydantic reads this name; strict, because a number in quotes is damage and not a number.
    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    crc32: str
    line: int
    header: Run | None = None
    static: Static | None = None
    record: Record | None = None
    resumed: Resumed | None = None
    end: End | None = None


_KEYS: Final[dict[type, str]] = {
    Run: "header",
    Static: "static",
    Record: "record",
    Resumed: "resumed",
    End: "end",
}


class DamagedLineError(ValueError):
    """A line cannot be believed; the message says why."""


def encode(number: int, body: Body) -> bytes:
    """Return the line `number` (from 1) that holds `body`, with its newline.

    Raises:
        DamagedLineError: `body` breaks the schema, so that its own reader would refuse it (a bug of the caller).
    """
    content = {"line": number, _KEYS[type(body)]: dataclasses.asdict(body)}
    try:
        rest = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()[1:]
    except ValueError as error:
        raise DamagedLineError(f"{_KEYS[type(body)]}: {error}") from None
    line = b'{"crc32":"%08x",' % zlib.crc32(rest) + rest
    decode(line)
    return line + b"\n"


def decode(line: bytes, known: dict[bytes, Body] | None = None) -> tuple[int, Body]:
    """Return the number and the body of `line` (without its newline).

    Args:
        line: what was read.
        known: bodies of static costs by their bytes, which grows: of a model that many runs hold, one is made.

    Raises:
        DamagedLineError: The line is not as it was written, or breaks the schema.
        InputError: The line is sound, but of a newer schema than this program knows.
    """
    if len(line) > MAX_LINE_BYTES:
        raise DamagedLineError(f"longer than {MAX_LINE_BYTES // 2**20} MiB")
    prefix = _PREFIX.match(line)
    if prefix is None:
        raise DamagedLineError('does not begin with {"crc32":"…",')
    if int(prefix[1], 16) != zlib.crc32(line[_PREFIX_BYTES:]):
        raise DamagedLineError("checksum does not match: the line was cut or changed")
    static = None if known is None else _STATIC.match(line, _PREFIX_BYTES)
    if known is None or static is None:
        return _parsed(line)
    rest = line[static.end() :]
    if rest not in known:
        known[rest] = _parsed(line)[1]
    return int(static[1]), known[rest]


def _parsed(line: bytes) -> tuple[int, Body]:
    """Return the number and the body of a line whose checksum is right."""
    from pydantic import ValidationError  # noqa: PLC0415 (0.2 s that only reading and writing files need)

    usual = plain(line)
    if not usual:
        _check_json(line)
    try:
        parsed: Line = _adapter().validate_json(line)
    except ValidationError as error:
        if usual:
            _check_json(line)  # what is no JSON is told so
        raise DamagedLineError(_first(error.errors(include_url=False))) from None
    bodies = [
        body for body in (parsed.header, parsed.static, parsed.record, parsed.resumed, parsed.end) if body is not None
    ]
    if len(bodies) != 1:
        raise DamagedLineError(f"holds {len(bodies)} bodies instead of one of {', '.join(_KEYS.values())}")
    if isinstance(bodies[0], Record):
        _check_record(bodies[0])
    return parsed.line, bodies[0]


@functools.cache
def _adapter() -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415 (as above)

    return TypeAdapter(Line)


def _check_json(line: bytes) -> None:
    """Refuse what pydantic's parser would let pass: repeated keys, true for 1, and a header of a newer schema."""
    try:
        content = json.loads(line, object_pairs_hook=_unique)
    except RecursionError:
        raise DamagedLineError("nested too deeply") from None
    except ValueError as error:
        raise DamagedLineError(f"not JSON: {error}") from None
    header = content.get("header")
    version = header.get("schema") if isinstance(header, dict) else None
    if isinstance(version, bool):
        raise DamagedLineError("header.schema: not a number")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise InputError(
            f"written by a newer resnet-bench (schema {version}, this one reads {SCHEMA_VERSION}); update resnet-bench"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise DamagedLineError("a key is given twice")
    return made


def _first(errors: list[Any]) -> str:
    """Return the first of pydantic's complaints in one short line."""
    where = ".".join(str(part) for part in errors[0]["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return printable(f"{where or 'line'}: {errors[0]['msg']}{more}")[:300]


def _check_record(record: Record) -> None:
    """Refuse a record whose series do not fit together: every statistic relies on it."""
    samples = record.samples
    if record.summary is not None:
        _check_summary(record, record.summary)
    if samples is None:
        if record.status == "ok" and record.summary is None:
            raise DamagedLineError("record: status ok, but neither samples nor a summary")
        return
    steps, turns = len(samples.step_s), len(samples.wall_s)
    for name, allowed in _lengths(steps, turns).items():
        found = len(getattr(samples, name))
        if found not in allowed:
            raise DamagedLineError(f"record.samples.{name}: {found} entries for {steps} steps in {turns} turns")
    if samples.warmup > steps:
        raise DamagedLineError(f"record.samples.warmup: {samples.warmup} of {steps} steps")
    if samples.turn != tuple(sorted(samples.turn)):
        raise DamagedLineError("record.samples.turn: goes backwards")
    if steps and samples.turn[-1] >= turns:
        raise DamagedLineError(f"record.samples.turn: turn {samples.turn[-1]} of {turns}")


def _check_summary(record: Record, summary: Summary) -> None:
    if record.samples is not None:
        raise DamagedLineError("record: both samples and a summary")
    strange = [name for name in summary.metrics if name not in METRICS] + [
        name for name in summary.bounds if name not in BOUNDS
    ]
    if strange:
        raise DamagedLineError(f"record.summary: {strange[0][:80]!r} is no metric")
    if any(summary.metrics.get(name, 1.0) <= 0 for name in _POSITIVE):
        raise DamagedLineError("record.summary: a time or rate that is not positive")


def _lengths(steps: int, turns: int) -> dict[str, tuple[int, ...]]:
    """Return how many entries each series may have."""
    phases = dict.fromkeys(("forward_s", "backward_s", "optimizer_s"), (0, steps))
    return {"turn": (steps,), "baseline_s": (0, turns), "arm_s": (0, turns), **phases}
