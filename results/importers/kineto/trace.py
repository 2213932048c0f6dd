"""A trace as plain spans: `read_trace`, for all versions of torch.profiler's chrome JSON."""

import datetime
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from results.errors import InputError
from results.importers.reading import Content
from results.schema.validation import InvalidError, parsed_json
from results.text import printable

MAX_TRACE_BYTES: Final = 512 * 2**20
"""A larger trace would fill the memory, and a small file may unpack to any size."""
STEP_NAME: Final = "ProfilerStep"
"""Begins the names of the ranges of steps, ``ProfilerStep#7``."""

SpanKind = Literal["device", "operator", "launch", "range"]
_Id = int | float | str | None
_KINDS: Final[dict[str, SpanKind]] = {
    **dict.fromkeys(("kernel", "gpu_memcpy", "gpu_memset", "memcpy", "memset", "hpu_op", "mtia_ccp_events"), "device"),
    **dict.fromkeys(("cpu_op", "operator"), "operator"),
    "user_annotation": "range",
}
"""What an event is, by its category in small letters: torch 1.8 wrote ``Kernel``, ``Memcpy`` and ``Operator``."""
_LAUNCHES: Final = ("runtime", "driver")
"""Ends of the categories of calls that launch: ``cuda_runtime``, ``xpu_driver`` and so on."""
_DEVICE_TYPES: Final = ("xpu", "hpu", "mtia")
"""Types of accelerators whose categories begin with their name; those of others are ``cuda``, AMD's too."""
_GZIP: Final = b"\x1f\x8b"
_NOT_FINITE: Final = re.compile(rb":\s*[+-]?(?:inf|infinity|nan)\b", re.IGNORECASE)
_CONTROLS: Final = bytes(max(code, 32) for code in range(256))
_NANO: Final = 1000
"""Nanoseconds in a microsecond."""


class Span(Struct, frozen=True, gc=False):
    """What lasts from `start` to `end`, in nanoseconds after the first event."""

    kind: SpanKind
    name: str
    start: int
    end: int
    process: str
    thread: str
    device: str | None = None
    """Such as ``cuda:0``, of a kernel, a copy or a fill."""
    correlation: _Id = None
    """Number that a launch and its kernel share."""
    external: _Id = None
    """Number of the operator that is the event's, or that launched the kernel."""
    shapes: Raw | None = None
    """JSON of the shapes of what an operator takes."""


class Trace(Struct, frozen=True):
    """The content of a trace."""

    spans: list[Span]
    incomplete: int
    """Events that should have a time and a duration, and have not."""
    rank: str | None
    device_names: dict[str, str]
    started: str | None
    """ISO 8601, UTC."""


class _Args(Struct, gc=False):
    correlation: _Id = None
    device: _Id = None
    external: _Id = field(default=None, name="External id")
    old_external: _Id = field(default=None, name="external id")
    shapes: Raw | UnsetType = field(default=UNSET, name="Input Dims")
    old_shapes: Raw | UnsetType = field(default=UNSET, name="Input dims")


class _Event(Struct, gc=False):
    ph: str = ""
    cat: str | None = None
    name: str | None = None
    pid: _Id = None
    tid: _Id = None
    ts: Annotated[float, Meta(ge=-1e18, le=1e18)] | None = None
    dur: Annotated[float, Meta(ge=0, le=1e15)] | None = None
    args: _Args | None = None


class _Device(Struct, gc=False):
    id: _Id = None
    name: str | None = None


class _Distributed(Struct, gc=False):
    rank: _Id = None


class _File(Struct):
    events: list[_Event] = field(name="traceEvents")
    devices: list[_Device] | None = field(default=None, name="deviceProperties")
    distributed: _Distributed | None = field(default=None, name="distributedInfo")
    base_ns: int | float | None = field(default=None, name="baseTimeNanoseconds")


def read_trace(content: Content) -> Trace:
    """Return the spans of a trace.

    Raises:
        InputError: The file is cut off, no JSON of torch.profiler, too large, or holds no complete event.
    """
    file = _parsed(content)
    timed = [event for event in file.events if event.ph == "X" and _kind(event) is not None]
    complete = [event for event in timed if event.ts is not None and event.dur is not None]
    if not complete:
        raise InputError(
            f"{content.name}: holds no operator or kernel with time and duration; this is no trace of torch.profiler"
        )
    first = min(event.ts for event in complete if event.ts is not None)
    names = [(event.cat or "").lower() for event in complete]
    device_type = next((known for known in _DEVICE_TYPES if any(name.startswith(known) for name in names)), "cuda")
    rank = None if file.distributed is None else file.distributed.rank
    return Trace(
        spans=list(_spans(complete, first, device_type)),
        incomplete=len(timed) - len(complete),
        rank=None if rank is None else printable(str(rank)),
        device_names={
            f"{device_type}:{device.id}": printable(device.name)[:128] for device in file.devices or () if device.name
        },
        started=_date(first + (file.base_ns or 0) / _NANO),
    )


def shapes_of(span: Span) -> str:
    """Return the shapes of the tensors that an operator takes: ``1x64x56x56, 64x64x3x3``; empty if not known."""
    if span.shapes is None:
        return ""
    shapes = msgspec.json.decode(span.shapes)
    texts = []
    for shape in shapes if isinstance(shapes, list) else ():
        if isinstance(shape, list) and shape and all(isinstance(size, int) for size in shape):
            texts.append("x".join(map(str, shape)))
        elif isinstance(shape, list) and shape and all(isinstance(part, list) for part in shape):
            texts.append(f"[{len(shape)} tensors]")
    return ", ".join(texts)[:512]


def _parsed(content: Content) -> _File:
    data = _unpacked(content)
    try:
        try:
            return parsed_json(data, _File)
        except InvalidError as error:
            # Some versions write numbers that JSON lacks (a rate over no time), and raw control characters in names.
            if not error.what.startswith("not JSON"):
                raise
            return parsed_json(_NOT_FINITE.sub(b": null", data.translate(_CONTROLS)), _File)
    except InvalidError as error:
        raise InputError(f"{content.name}: {error}; this is no trace of torch.profiler, or it is cut off") from None


def _unpacked(content: Content) -> bytes:
    if not content.data.startswith(_GZIP):
        return content.data
    try:
        data = gzip.GzipFile(fileobj=io.BytesIO(content.data)).read(MAX_TRACE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{content.name}: its gzip is damaged or cut off ({error}); copy the trace again") from None
    if len(data) > MAX_TRACE_BYTES:
        raise InputError(
            f"{content.name}: more than {MAX_TRACE_BYTES // 2**20} MiB once unpacked; trace fewer steps, without stacks"
        )
    return data


def _kind(event: _Event) -> SpanKind | None:
    category = (event.cat or "").lower()
    if event.name is not None and event.name.startswith(STEP_NAME) and not category.startswith("gpu"):
        return "range"
    return "launch" if category.endswith(_LAUNCHES) else _KINDS.get(category)


def _spans(events: list[_Event], first: float, device_type: str) -> Iterator[Span]:
    none = _Args()
    names: dict[str, str] = {}
    for event in events:
        args, kind = event.args or none, _kind(event)
        if event.ts is None or event.dur is None or kind is None:
            continue
        name = names.setdefault(event.name or "(unnamed)", event.name or "(unnamed)")  # equal names are kept once
        start = round((event.ts - first) * _NANO)
        shapes = args.shapes if isinstance(args.shapes, Raw) else args.old_shapes
        device = event.pid if args.device is None else args.device
        yield Span(
            kind=kind,
            name=name,
            start=start,
            end=start + round(event.dur * _NANO),
            process=str(event.pid),
            thread=str(event.tid),
            device=printable(f"{device_type}:{device}")[:128] if kind == "device" else None,
            correlation=args.correlation,
            external=args.external if args.old_external is None else args.old_external,
            shapes=shapes if isinstance(shapes, Raw) else None,
        )


def _date(microseconds: float) -> str | None:
    """Return the date of a time since 1970; None if it cannot be such: some versions count from the host's start."""
    seconds = microseconds / 1e6
    if not 1.4e9 < seconds < 4e9:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
