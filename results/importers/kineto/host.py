"""What the host did, nested: which operator launched a kernel, and in which phase of the step."""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from results.importers.kineto.trace import Span
from results.schema.lines.profile import OperatorKind, Phase
from results.schema.operators import operator_kind

AUTOGRAD_NODE: Final = "autograd::engine::evaluate_function"
"""Begins the name of the evaluation of a node of autograd's graph."""
_PHASES: Final[tuple[tuple[Phase, re.Pattern[str]], ...]] = (
    ("backward", re.compile(rf"{AUTOGRAD_NODE}|\w+Backward\d*\Z")),
    ("optimizer", re.compile(r"Optimizer\.")),
)
"""Names that tell a phase, in which all is that they enclose."""


@dataclasses.dataclass(slots=True, eq=False)
class Call:
    """A span of the host among those that enclose it on its thread."""

    span: Span
    parent: "Call | None"
    depth: int
    phase: Phase
    inner: int = 0
    """Nanoseconds of the operators directly inside it."""

    @property
    def own(self) -> int:
        """Nanoseconds without those of the operators inside; launches are its own."""
        return max(0, self.span.end - self.span.start - self.inner)

    def operators(self) -> Iterator["Call"]:
        """Yield the operators around this call, the innermost first; an operator begins with itself."""
        call: Call | None = self
        while call is not None:
            if call.span.kind == "operator":
                yield call
            call = call.parent


def nested_calls(spans: Iterable[Span]) -> list[Call]:
    """Return the calls of all threads by their starts."""
    calls: list[Call] = []
    open_of: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        stack = open_of[span.process, span.thread]
        while stack and stack[-1].span.end <= span.start:
            stack.pop()
        parent = stack[-1] if stack else None
        phase = parent.phase if parent else "forward"
        phase = next((named for named, pattern in _PHASES if pattern.match(span.name)), phase)
        call = Call(span, parent, len(stack), phase)
        around = next(parent.operators(), None) if parent and span.kind == "operator" else None
        if around is not None:
            around.inner += min(span.end, around.span.end) - span.start
        calls.append(call)
        stack.append(call)
    return calls


def kernel_kind(name: str, launcher: Call | None) -> OperatorKind:
    """Return the class of a kernel; a convolution may compute by matrix products, and a kernel may tell nothing."""
    if launcher is not None and launcher.phase == "optimizer":
        return "optimizer"
    kind = operator_kind(name)
    if kind not in {"linear", "other"} or launcher is None:
        return kind
    around = (operator_kind(call.span.name) for call in launcher.operators())
    return next((known for known in around if known not in {"other", "copy"}), kind)
