"""From the events of a step to rows that together are the step: whose time is it?

Ranges around modules name the forward pass. A node of autograd's graph has the sequence number of the operator whose
backward pass it is, and so its module. Accumulating a gradient has no number: autograd does it right after the node
that gave the gradient. On a timeline of the host, self times and the gaps between events are the step; on that of a
device, kernels and the gaps between them.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bench.profiling.events import BACKWARD, MARK, MODULE, STEP, TraceEvent
from results.schema.lines.profile import OperatorKind, OperatorTime, Phase
from results.schema.operators import operator_kind

ROOT_NAME: Final = "(root)"
_NANO: Final = 1e-9
_LOSS: Final = "(loss)"
"""Stands for a module in what is computed between the network and the end of the forward pass."""
_LAUNCHES: Final = ("Launch", "Memcpy", "Memset")
_PhaseOf = Callable[[int], Phase]
"""The phase of a moment."""
_Key = tuple[str, OperatorKind, Phase, str | None, str]
"""Name, class, phase, module and shapes of a row."""
_BETWEEN: Final[_Key] = ("(between operators)", "overhead", "other", None, "")


@dataclasses.dataclass(slots=True)
class Nested:
    """An event of the host among those that enclose it."""

    event: TraceEvent
    parent: "Nested | None"
    inner: int = 0
    """Nanoseconds of the events directly inside it."""
    module: str | None = None

    @property
    def own(self) -> int:
        """Nanoseconds without those of the events inside."""
        return max(0, self.event.end - self.event.start - self.inner)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """The rows of a step."""

    rows: tuple[OperatorTime, ...]
    profiled_s: float
    launch_bound: float | None
    """Share of a device's idle time in which it waited for the host to launch a kernel; None without a queue."""


def attributed(events: Sequence[TraceEvent], phases: Sequence[Phase]) -> Attributed:
    """Return the rows of the step among `events`, whose marks divide it into `phases`."""
    step = next(event for event in events if event.name == STEP and not event.device)
    host = [event for event in events if not event.device and step.start <= event.start and event.end <= step.end]
    marks = sorted(event.start for event in host if event.name == MARK)
    nodes = nested(event for event in host if event.name != MARK)
    _name_modules(nodes, marks[0] if marks else step.end)
    phase_of = _Phases(marks, tuple(phases)).of
    kernels = sorted((event for event in events if event.device and event.start >= step.start), key=_starts)
    if kernels:
        return _of_device(step, nodes, kernels, phase_of)
    return _of_host(step, nodes, phase_of)


def nested(events: Iterable[TraceEvent]) -> list[Nested]:
    """Return the events of each thread with the event that encloses them."""
    nodes: list[Nested] = []
    open_of: dict[int, list[Nested]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event.start, -event.end)):
        stack = open_of[event.thread]
        while stack and stack[-1].event.end <= event.start:
            stack.pop()
        parent = stack[-1] if stack else None
        if parent is not None:
            parent.inner += min(event.end, parent.event.end) - event.start
        nodes.append(Nested(event, parent))
        stack.append(nodes[-1])
    return nodes


@dataclasses.dataclass(frozen=True, slots=True)
class _Phases:
    marks: list[int]
    names: tuple[Phase, ...]

    def of(self, start: int) -> Phase:
        """Return the phase of a moment."""
        passed = sum(mark <= start for mark in self.marks)
        return self.names[min(passed, len(self.names) - 1)]


def _name_modules(nodes: Sequence[Nested], forward_end: int) -> None:
    """Give each event the module of the nearest range or node of autograd's graph around it."""
    by_sequence: dict[int, str] = {}
    root_ended = False
    last: str | None = None
    for node in nodes:
        event, parent = node.event, node.parent
        if event.name.startswith(MODULE):
            node.module = event.name.removeprefix(MODULE)
            root_ended = root_ended or node.module == ROOT_NAME
        elif event.name.startswith(BACKWARD):
            last = node.module = by_sequence.get(event.sequence, last)
        elif parent is not None and parent.module is not None:
            node.module = parent.module
        elif root_ended and event.start < forward_end and event.name != STEP:
            node.module = _LOSS
        if event.sequence >= 0 and event.start < forward_end and node.module is not None:
            by_sequence[event.sequence] = node.module


def _of_host(step: TraceEvent, nodes: Sequence[Nested], phase_of: _PhaseOf) -> Attributed:
    sums: Counter[_Key] = Counter()
    calls: Counter[_Key] = Counter()
    for node in nodes:
        key = _key(node, phase_of)
        if node.event.thread != step.thread and node.parent is None:
            sums[_BETWEEN] -= node.event.end - node.event.start  # the main thread waited for it
        sums[key] += node.own
        calls[key] += not node.event.annotation
    total = step.end - step.start
    unexplained = total - sum(max(0, value) for value in sums.values())
    rows = [_row(key, value, value, calls[key]) for key, value in sums.items() if value > 0]
    rows.append(_row(("(unexplained)", "unexplained", "other", None, ""), max(0, unexplained), None, 0))
    return Attributed(rows=_sorted(rows), profiled_s=total * _NANO, launch_bound=None)


def _of_device(
    step: TraceEvent, nodes: Sequence[Nested], kernels: Sequence[TraceEvent], phase_of: _PhaseOf
) -> Attributed:
    """Return rows of kernels; where kernels overlap, the time belongs to the kernel that began first."""
    by_correlation = {node.event.correlation: node for node in nodes if node.event.correlation}
    launches = {
        node.event.correlation: node.event
        for node in nodes
        if any(word in node.event.name for word in _LAUNCHES) and node.event.correlation
    }
    sums: Counter[_Key] = Counter()
    calls: Counter[_Key] = Counter()
    idle = waiting = 0
    busy_until = step.start
    for kernel in kernels:
        caller = by_correlation.get(kernel.operator)
        phase = phase_of(kernel.start if caller is None else caller.event.start)
        module = None if caller is None else caller.module
        kind = _kind(kernel.name, phase, module)
        key = (kernel.name[:128], kind, phase, _public(module), "" if caller is None else caller.event.shapes)
        gap = max(0, kernel.start - busy_until)
        idle += gap
        launch = launches.get(kernel.correlation)
        waiting += min(gap, max(0, launch.end - busy_until)) if launch is not None else 0
        sums[key] += max(0, kernel.end - max(kernel.start, busy_until))
        calls[key] += 1
        busy_until = max(busy_until, kernel.end)
    total = max(busy_until, step.end) - step.start
    idle += max(0, step.end - busy_until)
    rows = [_row(key, value, None, calls[key]) for key, value in sums.items()]
    rows.append(_row(("(idle)", "idle", "other", None, ""), idle, None, 0))
    return Attributed(rows=_sorted(rows), profiled_s=total * _NANO, launch_bound=waiting / idle if idle else 0.0)


def _key(node: Nested, phase_of: _PhaseOf) -> _Key:
    event = node.event
    if event.name == STEP:
        return _BETWEEN
    phase, module = phase_of(event.start), node.module
    if event.name.startswith(MODULE):
        return "(Python)", "overhead", phase, _public(module), ""
    if event.name.startswith(BACKWARD):
        return "(autograd)", "overhead", phase, _public(module), ""
    return event.name[:128], _kind(event.name, phase, module), phase, _public(module), event.shapes


def _kind(name: str, phase: Phase, module: str | None) -> OperatorKind:
    if phase == "optimizer":
        return "optimizer"
    return "loss" if module == _LOSS else operator_kind(name)


def _public(module: str | None) -> str | None:
    return None if module == _LOSS else module


def _row(key: _Key, own: int, host: int | None, calls: int) -> OperatorTime:
    name, kind, phase, module, shapes = key
    host_s = None if host is None else host * _NANO
    return OperatorTime(
        name=name, kind=kind, phase=phase, module=module, shapes=shapes, calls=calls, self_s=own * _NANO, host_s=host_s
    )


def _sorted(rows: Iterable[OperatorTime]) -> tuple[OperatorTime, ...]:
    return tuple(sorted(rows, key=lambda row: -row.self_s))


def _starts(event: TraceEvent) -> int:
    return event.start
