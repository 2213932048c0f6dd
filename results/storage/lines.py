"""One line of a run file: its checksum, its number, its kind and its body.

A line is JSON: ``{"crc32":"xxxxxxxx","line":7,"kind":"record","body":{…}}``. It begins with exactly the checksum, which
covers every byte after it up to the newline, so that a reader detects a damaged line before parsing it. Lines of the
schemas 1 to 3 are ``{"crc32":"xxxxxxxx","line":7,"record":{…}}``.
"""

import zlib
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType, structs

from results.errors import InputError
from results.schema.kinds import KINDS, Unknown, kind_of
from results.schema.lines.record import Record, Samples, Summary
from results.schema.lines.run import SCHEMA_VERSION
from results.schema.lines.static import Static
from results.schema.metrics import BOUNDS, METRICS
from results.schema.types import LEAST_S, Stored
from results.schema.validation import InvalidError, check, from_json

MAX_LINE_BYTES: Final = 64 * 2**20
"""A longer line is damage, not a record: the largest real ones hold some megabytes of samples."""

_CHECKSUM_BYTES: Final = len(b'{"crc32":"00000000",')
POSITIVE: Final = ("latency_s", "throughput_img_per_s", "speedup")
"""Metrics of a summary whose logarithms are taken: a value below `LEAST_S` is damage, as it is for a step."""

_SHARED: Final = ("case", "ran", "nulls")
"""Fields of a record that have few distinct values in a run."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    crc32: str
    line: Annotated[int, Meta(ge=1, le=2**62)]
    kind: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")] | UnsetType = UNSET
    body: Raw | UnsetType = UNSET
    # Schemas 1 to 3 have the body under the name of its kind.
    header: Raw | UnsetType = UNSET
    static: Raw | UnsetType = UNSET
    record: Raw | UnsetType = UNSET
    resumed: Raw | UnsetType = UNSET
    end: Raw | UnsetType = UNSET


_BODIES: Final = ("body", "header", "static", "record", "resumed", "end")


class DamagedLineError(ValueError):
    """A line is damaged or breaks the schema; the message says why."""


def encode(number: int, body: Stored) -> bytes:
    """Return the line `number` (from 1) that holds `body`, with its newline.

    Raises:
        DamagedLineError: `body` breaks the schema, so that its own reader would refuse it (a bug of the caller).
    """
    kind = kind_of(body)
    try:
        check(body, type(body))  # msgspec would write null for values that JSON cannot hold, such as NaN
    except InvalidError as error:
        raise DamagedLineError(_within(kind, error)) from None
    content = body.body if isinstance(body, Unknown) else body
    rest = msgspec.json.encode({"line": number, "kind": kind, "body": content})[1:]
    line = _checksum(rest) + rest
    decode(line)
    return line + b"\n"


def _checksum(rest: bytes) -> bytes:
    return b'{"crc32":"%08x",' % zlib.crc32(rest)


class Shared:
    """Cache of equal parts of lines, so that memory holds each part once."""

    def __init__(self) -> None:
        self._statics: dict[bytes, Static] = {}
        """Static costs by their JSON: files of many machines repeat the layers of the same models."""
        self._parts: dict[object, object] = {}

    def static(self, raw: bytes) -> Static:
        """Return the static cost that this JSON describes."""
        if raw not in self._statics:
            self._statics[raw] = from_json(raw, Static)
        return self._statics[raw]

    def share(self, record: Record) -> None:
        """Replace parts of a record by equal parts of earlier records."""
        for name in _SHARED:
            part = getattr(record, name)
            key = tuple(part.items()) if isinstance(part, dict) else part
            structs.force_setattr(
                record, name, self._parts.setdefault(key, part)
            )  # the record is new: no other code holds it


def decode(line: bytes, shared: Shared | None = None) -> tuple[int, Stored]:
    """Return the number and the body of `line` (without its newline).

    Args:
        line: the bytes of the line.
        shared: cache of the earlier lines; the line is added to it.

    Raises:
        DamagedLineError: The line was changed after it was written, or breaks the schema.
        InputError: The line is undamaged, but its schema is newer than this program.
    """
    if len(line) > MAX_LINE_BYTES:
        raise DamagedLineError(f"longer than {MAX_LINE_BYTES // 2**20} MiB")
    if not line.startswith(_checksum(line[_CHECKSUM_BYTES:])):
        if not line.startswith(b'{"crc32":"'):
            raise DamagedLineError('does not begin with {"crc32":"…",')
        raise DamagedLineError("checksum does not match: the line was cut or changed")
    try:
        content = from_json(line, _Line)
    except InvalidError as error:
        raise DamagedLineError(str(error)) from None
    kind, raw = _kind_and_body(content)
    try:
        return content.line, _body(kind, raw, Shared() if shared is None else shared)
    except InvalidError as error:
        raise DamagedLineError(_within(kind, error)) from None


def _kind_and_body(line: _Line) -> tuple[str, bytes]:
    bodies = [(name, raw) for name in _BODIES if (raw := getattr(line, name)) is not UNSET]
    if len(bodies) != 1:
        raise DamagedLineError(f"holds {len(bodies)} bodies instead of one")
    name, raw = bodies[0]
    if (name == "body") == (line.kind is UNSET):
        raise DamagedLineError("has a body without a kind, or a kind without a body")
    return name if line.kind is UNSET else line.kind, bytes(raw)


def _body(kind: str, raw: bytes, shared: Shared) -> Stored:
    if kind not in KINDS:
        return Unknown(kind=kind, body=from_json(raw, Any))
    if kind == "static":
        return shared.static(raw)
    if kind == "header":
        _check_version(raw)
    body = from_json(raw, KINDS[kind])
    if isinstance(body, Record):
        _check_record(body)
        shared.share(body)
    return body


def _within(kind: str, error: InvalidError) -> str:
    return f"{kind}.{error}" if error.where else f"{kind}: {error}"


class _Version(msgspec.Struct):
    schema: int


def _check_version(header: bytes) -> None:
    version = from_json(header, _Version).schema
    if version > SCHEMA_VERSION:
        raise InputError(
            f"written by a newer resnet-bench (schema {version}, this one reads {SCHEMA_VERSION}); update resnet-bench"
        )


def _check_record(record: Record) -> None:
    """Raise `DamagedLineError` unless the lengths of the record's series agree: every statistic relies on that."""
    if record.summary is not None:
        _check_summary(record, record.summary)
    if record.samples is not None:
        _check_samples(record.samples)
    elif record.status == "ok" and record.summary is None:
        raise DamagedLineError("record: status ok, but neither samples nor a summary")


def _check_samples(samples: Samples) -> None:
    steps, turns = len(samples.step_s), len(samples.wall_s)
    lengths = (
        ("turn", len(samples.turn), (steps,)),
        ("at_s", len(samples.at_s), (0, turns)),
        ("part", len(samples.part), (len(samples.at_s),)),
        ("queued", len(samples.queued), (0, turns)),
        ("baseline_s", len(samples.baseline_s), (0, turns)),
        ("arm_s", len(samples.arm_s), (0, turns)),
        ("forward_s", len(samples.forward_s), (0, steps)),
        ("backward_s", len(samples.backward_s), (0, steps)),
        ("optimizer_s", len(samples.optimizer_s), (0, steps)),
    )
    for name, entries, allowed in lengths:
        if entries not in allowed:
            raise DamagedLineError(f"record.samples.{name}: {entries} entries for {steps} steps in {turns} turns")
    if samples.warmup > steps:
        raise DamagedLineError(f"record.samples.warmup: {samples.warmup} of {steps} steps")
    if list(samples.turn) != sorted(samples.turn):
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
    if any(summary.metrics.get(name, 1.0) < LEAST_S for name in POSITIVE):
        raise DamagedLineError(f"record.summary: a time or rate of less than {LEAST_S:g}")
