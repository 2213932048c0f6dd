"""Profiles from the spans of a trace: whose time is each moment of a device, or of the host where no device worked?"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import structs

from results.errors import InputError
from results.importers.kineto.host import AUTOGRAD_NODE, Call, kernel_kind, nested_calls
from results.importers.kineto.timeline import Claim, Gap, owned
from results.importers.kineto.trace import STEP_NAME, Span, Trace, shapes_of
from results.importers.reading import Content, short_name
from results.schema.lines.profile import OperatorKind, OperatorTime, Phase, Profile
from results.schema.operators import operator_kind
from results.text import printable

_NANO: Final = 1e-9
_NO_STEPS: Final = "the trace names no steps (ProfilerStep), so all of it counts as a single step"
_NO_LAUNCHES: Final = "the trace does not hold the calls that launched the kernels"
_PHASES: Final = "forward is all that runs outside of autograd's backward pass and of the optimizer"
_OVERLAP: Final = (
    "time in which streams overlap counts once: for computation, not for communication or copies; else for what began "
    "first"
)
_GIVES_WAY: Final[Mapping[str, int]] = {"copy": 1, "communication": 2}
"""Ranks of kernels that own only the time in which nothing is computed."""
_Key = tuple[str, OperatorKind, Phase, str]
"""Name, class, phase and shapes of a row."""
_BETWEEN: Final[_Key] = ("(between operators)", "overhead", "other", "")
_IDLE: Final[_Key] = ("(idle)", "idle", "other", "")


@dataclasses.dataclass(frozen=True, slots=True)
class _Window:
    """The traced steps of a process, else all that was traced."""

    start: int
    end: int
    steps: int | None
    """None where the trace names no steps."""
    thread: str | None
    """The thread of the steps."""

    def notes(self) -> tuple[str, ...]:
        return () if self.steps else (_NO_STEPS,)


@dataclasses.dataclass(slots=True)
class _Sums:
    """Rows while they are added up, in nanoseconds."""

    own: Counter[_Key] = dataclasses.field(default_factory=Counter)
    calls: Counter[_Key] = dataclasses.field(default_factory=Counter)
    host: Counter[_Key] = dataclasses.field(default_factory=Counter)

    def add(self, key: _Key, own: int, host: int | None = None, *, calls: int = 1) -> None:
        self.own[key] += own
        self.calls[key] += calls
        if host is not None:
            self.host[key] += host

    def rows(self) -> tuple[OperatorTime, ...]:
        rows = [
            OperatorTime(
                name=short_name(key[0]),
                kind=key[1],
                phase=key[2],
                module=None,
                shapes=key[3],
                calls=self.calls[key],
                self_s=own * _NANO,
                host_s=self.host[key] * _NANO if key in self.host else None,
            )
            for key, own in self.own.items()
        ]
        return tuple(sorted(rows, key=lambda row: -row.self_s))


def trace_profiles(trace: Trace, content: Content) -> tuple[Profile, ...]:
    """Return the profile of each device; of each process where the trace has no device.

    Raises:
        InputError: Nothing lasts.
    """
    calls = nested_calls(span for span in trace.spans if span.kind != "device")
    by_device: dict[str, list[Span]] = defaultdict(list)
    for span in trace.spans:
        if span.device is not None:
            by_device[span.device].append(span)
    label = printable(content.path.name).removesuffix(".gz").removesuffix(".json")
    label += f", rank {trace.rank}" if trace.rank is not None else ""
    if by_device:
        launches = _Launches(calls)
        made = [_of_device(f"{label}, {name}", spans, launches) for name, spans in sorted(by_device.items())]
    else:
        processes = sorted({call.span.process for call in calls if call.span.kind == "operator"})
        several = len(processes) > 1
        made = [
            _of_host(f"{label}, process {name}" if several else label, [c for c in calls if c.span.process == name])
            for name in processes
        ]
    lasted = max(span.end for span in trace.spans) - min(span.start for span in trace.spans)
    lasting = tuple(
        structs.replace(profile, started=trace.started, duration_s=lasted * _NANO)
        for profile in made
        if profile is not None
    )
    if not lasting:
        raise InputError(
            f"{content.name}: no operator or kernel lasts within its steps; trace a step that computes something"
        )
    return lasting


class _Launches:
    """The host's calls by what kernels know of them."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self._by_correlation = {
            str(call.span.correlation): call
            for call in calls
            if call.span.kind == "launch" and call.span.correlation is not None
        }
        self._by_external = {
            str(call.span.external): call
            for call in calls
            if call.span.kind == "operator" and call.span.external is not None
        }

    def launch(self, kernel: Span) -> Call | None:
        """Return the call that launched a kernel."""
        return self._by_correlation.get(str(kernel.correlation))

    def launcher(self, kernel: Span) -> Call | None:
        """Return the innermost operator around the launch; without a launch, that which the kernel names."""
        launch = self.launch(kernel)
        if launch is not None:
            return next(launch.operators(), None)
        return self._by_external.get(str(kernel.external))

    def process(self, kernels: Iterable[Span]) -> str | None:
        """Return the process that launched most of the kernels."""
        counts = Counter(call.span.process for kernel in kernels if (call := self.launch(kernel)) is not None)
        return counts.most_common(1)[0][0] if counts else None


def _of_device(label: str, kernels: Sequence[Span], launches: _Launches) -> Profile | None:
    process = launches.process(kernels)
    window = _window(launches.calls, process, kernels)
    moments = [kernel.start if (launch := launches.launch(kernel)) is None else launch.span.start for kernel in kernels]
    inside = [kernel for kernel, moment in zip(kernels, moments, strict=True) if window.start <= moment < window.end]
    # What earlier steps queued still runs as the first step begins, and what the last step queued runs on after it.
    start = max([window.start, *(k.end for k, moment in zip(kernels, moments, strict=True) if moment < window.start)])
    end = max([window.end, *(kernel.end for kernel in inside)])
    launchers = [launches.launcher(kernel) for kernel in inside]
    kinds = [kernel_kind(kernel.name, launcher) for kernel, launcher in zip(inside, launchers, strict=True)]
    claims = [
        Claim(kernel.start, kernel.end, (_GIVES_WAY.get(kind, 0), kernel.start))
        for kernel, kind in zip(inside, kinds, strict=True)
    ]
    if not inside or end <= start:
        return None
    own, gaps = owned(claims, start, end)
    sums = _Sums()
    counted: set[int] = set()
    for kernel, launcher, kind, nanoseconds in zip(inside, launchers, kinds, own, strict=True):
        outside: Phase = "other" if kind in _GIVES_WAY else "forward"
        phase = launcher.phase if launcher is not None and launcher.phase != "forward" else outside
        host = None if launcher is None else 0 if id(launcher) in counted else launcher.own
        counted.add(id(launcher))
        key = (kernel.name, kind, phase, "" if launcher is None else shapes_of(launcher.span))
        sums.add(key, nanoseconds, host)
    idle = sum(gap.end - gap.start for gap in gaps)
    sums.add(_IDLE, idle, calls=0)
    waiting = _waiting(gaps, inside, launches)
    hidden = _hidden(kinds, claims, own)
    return Profile(
        label=short_name(label),
        case=None,
        steps=window.steps or 1,
        profiled_s=(end - start) * _NANO,
        operators=sums.rows(),
        queued=True,
        launch_bound=None if waiting is None else waiting / idle if idle else 0.0,
        started=None,
        duration_s=0.0,
        notes=(*window.notes(), _PHASES, _OVERLAP, *hidden),
        nulls={"launch_bound": _NO_LAUNCHES} if waiting is None else {},
    )


def _waiting(gaps: Sequence[Gap], kernels: Sequence[Span], launches: _Launches) -> int | None:
    """Return the idle time before the host had launched the kernel that ended it; None if no launch is known."""
    if not any(launches.launch(kernel) for kernel in kernels):
        return None
    waiting = 0
    for gap in gaps:
        launch = None if gap.following is None else launches.launch(kernels[gap.following])
        if launch is not None:
            waiting += max(0, min(gap.end, launch.span.end) - gap.start)
    return waiting


def _hidden(kinds: Sequence[OperatorKind], claims: Sequence[Claim], own: Sequence[int]) -> tuple[str, ...]:
    """Return a line on communication and copies that computation hides, each if there are such."""
    lines = []
    for name in _GIVES_WAY:
        which = [index for index, kind in enumerate(kinds) if kind == name]
        whole, seen = sum(claims[i].end - claims[i].start for i in which), sum(own[i] for i in which)
        if whole > seen:
            lines.append(f"{name} ran for {whole * 1e-6:.3g} ms, of which {seen * 1e-6:.3g} ms are its own time")
    return tuple(lines)


def _of_host(label: str, calls: Sequence[Call]) -> Profile | None:
    window = _window(calls, None, ())
    inside = [c for c in calls if c.span.kind == "operator" and window.start <= c.span.start < window.end]
    threads = Counter[str]()
    for call in inside:
        threads[call.span.thread] += call.own
    if not inside or window.end <= window.start:
        return None
    main = window.thread if window.thread in threads else threads.most_common(1)[0][0]
    claims = [Claim(c.span.start, c.span.end, (int(c.span.thread != main), -c.depth, c.span.start)) for c in inside]
    own, gaps = owned(claims, window.start, window.end)
    sums = _Sums()
    for call, nanoseconds in zip(inside, own, strict=True):
        sums.add(_host_key(call), nanoseconds, nanoseconds)
    between = sum(gap.end - gap.start for gap in gaps)
    sums.add(_BETWEEN, between, between, calls=0)
    return Profile(
        label=short_name(label),
        case=None,
        steps=window.steps or 1,
        profiled_s=(window.end - window.start) * _NANO,
        operators=sums.rows(),
        started=None,
        duration_s=0.0,
        notes=(*window.notes(), _PHASES),
        nulls={"launch_bound": "the CPU has no queue"},
    )


def _host_key(call: Call) -> _Key:
    if call.span.name.startswith(AUTOGRAD_NODE):
        return "(autograd)", "overhead", "backward", ""
    kind: OperatorKind = "optimizer" if call.phase == "optimizer" else operator_kind(call.span.name)
    return call.span.name, kind, call.phase, shapes_of(call.span)


def _window(calls: Sequence[Call], process: str | None, kernels: Sequence[Span]) -> _Window:
    """Return the steps of a process; without any, those of all processes; without any, the whole trace."""
    steps = [c.span for c in calls if c.span.kind == "range" and c.span.name.startswith(STEP_NAME)]
    steps = [span for span in steps if span.process == process] or steps
    if steps:
        names = {span.name for span in steps}
        start, end = min(span.start for span in steps), max(span.end for span in steps)
        return _Window(start, end, len(names), steps[0].thread)
    spans = [*(call.span for call in calls if call.span.kind != "range"), *kernels]
    return _Window(min(span.start for span in spans), max(span.end for span in spans), None, None)
