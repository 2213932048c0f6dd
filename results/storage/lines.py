"""One line of a run file: its checksum, its number, its one body, and everything that can be wrong with it.

A line is JSON, and readable as such by any tool. It begins with exactly ``{"crc32":"xxxxxxxx",``; the checksum
covers every byte after that prefix up to the newline, so a reader can tell a damaged line before parsing it.
"""

import dataclasses
import json
import re
import zlib
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from results.errors import InputError
from results.schema.metrics import BOUNDS, METRICS
from results.schema.record import Record, Samples, Summary
from results.schema.run import SCHEMA_VERSION, Environment, Run
from results.schema.static import Static
from results.schema.types import LEAST_S
from results.schema.validation import InvalidError, document, validated
from results.storage.plain import SHARED, plain, plain_part

MAX_LINE_BYTES: Final = 64 * 2**20
"""A longer line is damage, not a record: the largest real ones hold some megabytes of samples."""

_PREFIX: Final = re.compile(rb'\{"crc32":"[0-9a-f]{8}",')
_PREFIX_BYTES: Final = len(b'{"crc32":"00000000",')
POSITIVE: Final = ("latency_s", "throughput_img_per_s", "speedup")
"""Metrics of a summary whose logarithms are taken: less than `LEAST_S` is damage, as of a step."""
_TELLING_BYTES: Final = 256
"""At the start of a static cost, which tell it from others: its model and its image's size."""
_NOTHING: Final = (b"", None)
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


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What was made of lines before, so that of what many lines spell alike one object is made."""

    statics: dict[bytes, tuple[bytes, Body]] = dataclasses.field(default_factory=dict)
    """Bodies of static costs and how they are spelled, by the beginning of it."""
    parts: tuple[dict[bytes, object], ...] = dataclasses.field(default_factory=lambda: tuple({} for _ in SHARED))
    """Objects of each of `results.storage.plain.SHARED` by how they are spelled."""


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it stands in the file; exactly one of the bodies is there."""

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


_DECODER: Final = msgspec.json.Decoder(_Line)


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
    line = _prefix(rest) + rest
    decode(line)
    return line + b"\n"


def _prefix(rest: bytes) -> bytes:
    return b'{"crc32":"%08x",' % zlib.crc32(rest)


def decode(line: bytes, known: Known | None = None) -> tuple[int, Body]:
    """Return the number and the body of `line` (without its newline).

    Args:
        line: what was read.
        known: what was made of other lines, which grows.

    Raises:
        DamagedLineError: The line is not as it was written, or breaks the schema.
        InputError: The line is sound, but of a newer schema than this program knows.
    """
    if len(line) > MAX_LINE_BYTES:
        raise DamagedLineError(f"longer than {MAX_LINE_BYTES // 2**20} MiB")
    if not line.startswith(_prefix(line[_PREFIX_BYTES:])):
        if _PREFIX.match(line) is None:
            raise DamagedLineError('does not begin with {"crc32":"…",')
        raise DamagedLineError("checksum does not match: the line was cut or changed")
    static = None if known is None else _STATIC.match(line, _PREFIX_BYTES)
    if known is None or static is None:
        return _body(_parsed(line, known or Known()))
    rest = line[static.end() :]
    start = rest[:_TELLING_BYTES]  # to hash it whole would take longer than the checksum
    if known.statics.get(start, _NOTHING)[0] != rest:
        known.statics[start] = (rest, _body(_parsed(line, known))[1])
    return int(static[1]), known.statics[start][1]


def _parsed(line: bytes, known: Known) -> _Line:
    """Return a line whose checksum is right, quickly if it stands as `encode` writes it."""
    try:
        parsed = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _checked(line)  # which says what is wrong
    spelled = plain(line)
    if spelled is None or (parsed.record is not None and not _shared(parsed.record, spelled, known)):
        return _checked(line)
    return parsed


def _shared(record: Record, spelled: Sequence[bytes | None], known: Known) -> bool:
    """Give a record the parts that others have spelled alike; False if a part is not plain."""
    for name, text, parts in zip(SHARED, spelled, known.parts, strict=True):
        if text is None or text == b"null":
            continue
        part = parts.get(text)
        if part is not None:
            object.__setattr__(record, name, part)  # frozen, but nobody has seen it yet
        elif plain_part(name, text):
            parts[text] = getattr(record, name)
        else:
            return False
    return True


def _checked(line: bytes) -> _Line:
    """Return a line that may be spelled in any way, or say what is wrong with it."""
    try:
        content = document(line)
        _check_version(content.get("header"))
        return validated(content, _Line, closed=True)
    except InvalidError as error:
        raise DamagedLineError(str(error)) from None


def _check_version(header: object) -> None:
    version = header.get("schema") if isinstance(header, dict) else None
    if type(version) is int and version > SCHEMA_VERSION:
        raise InputError(
            f"written by a newer resnet-bench (schema {version}, this one reads {SCHEMA_VERSION}); update resnet-bench"
        )


def _body(line: _Line) -> tuple[int, Body]:
    record = line.record
    other = line.static or line.header or line.resumed or line.end
    if record is not None and other is None:
        _check_record(record)
        return line.line, record
    bodies = [body for body in (record, line.static, line.header, line.resumed, line.end) if body is not None]
    if len(bodies) != 1:
        raise DamagedLineError(f"holds {len(bodies)} bodies instead of one of {', '.join(_KEYS.values())}")
    return line.line, bodies[0]


def _check_record(record: Record) -> None:
    """Refuse a record whose series do not fit together: every statistic relies on it."""
    if record.summary is not None:
        _check_summary(record, record.summary)
    if record.samples is not None:
        _check_samples(record.samples)
    elif record.status == "ok" and record.summary is None:
        raise DamagedLineError("record: status ok, but neither samples nor a summary")


def _check_samples(samples: Samples) -> None:
    steps, turns = len(samples.step_s), len(samples.wall_s)
    for_steps, for_turns = (0, steps), (0, turns)
    if not (
        len(samples.turn) == steps
        and len(samples.baseline_s) in for_turns
        and len(samples.arm_s) in for_turns
        and len(samples.forward_s) in for_steps
        and len(samples.backward_s) in for_steps
        and len(samples.optimizer_s) in for_steps
    ):
        raise DamagedLineError(f"record.samples.{_misfit(samples, steps, turns)} for {steps} steps in {turns} turns")
    if samples.warmup > steps:
        raise DamagedLineError(f"record.samples.warmup: {samples.warmup} of {steps} steps")
    if list(samples.turn) != sorted(samples.turn):
        raise DamagedLineError("record.samples.turn: goes backwards")
    if steps and samples.turn[-1] >= turns:
        raise DamagedLineError(f"record.samples.turn: turn {samples.turn[-1]} of {turns}")


def _misfit(samples: Samples, steps: int, turns: int) -> str:
    """Return which series has another number of entries than it may have, and how many."""
    phases = dict.fromkeys(("forward_s", "backward_s", "optimizer_s"), (0, steps))
    allowed = {"turn": (steps,), "baseline_s": (0, turns), "arm_s": (0, turns), **phases}
    found = ((name, len(getattr(samples, name))) for name in allowed)
    return next(f"{name}: {entries} entries" for name, entries in found if entries not in allowed[name])


def _check_summary(record: Record, summary: Summary) -> None:
    if record.samples is not None:
        raise DamagedLineError("record: both samples and a summary")
    strange = [name for name in summary.metrics if name not in METRICS] + [
        name for name in summary.bounds if name not in BOUNDS
    ]
    if strange:
        raise DamagedLineError(f"record.summary: {strange[0][:80]!r} is no metric")
    if any(summary.metrics.get(name, 1.0) < LEAST_S for name in POSITIVE):
        raise DamagedLineError(f"record.summary: a time or rate of less than {LEAST_S:g}")
