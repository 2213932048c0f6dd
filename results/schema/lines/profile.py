"""A profile, a kind of line of a run file: where the time of a step goes, and what each layer has to do.

All times of a profile are self times on a single timeline: the device's where the work is queued, else the host's. The
rows of `Profile.operators` together are the profiled step: what lies between operators, and what nobody can explain,
are rows too.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from results.schema.case import Case
from results.schema.lines.record import Status
from results.schema.types import Count, Name, Seconds, Share, Size, StepSeconds, Stored, Text

OPERATOR_KINDS: Final = (
    "convolution",
    "linear",
    "normalisation",
    "activation",
    "addition",
    "pooling",
    "fused",
    "loss",
    "optimizer",
    "copy",
    "communication",
    "other",
    "overhead",
    "idle",
    "unexplained",
)
"""Classes of operators. ``linear``: matrix products; ``fused``: a kernel that a compiler made of several operators;
``copy``: copies, casts and changes of layout; ``overhead``: the host between operators, such as Python and dispatch, on
a timeline of the host; ``idle``: a device with an empty queue; ``unexplained``: time that no event covers."""
STEP_PHASES: Final = ("forward", "backward", "optimizer", "other")
"""Parts of a step; ``other`` is what none of them holds."""

OperatorKind = Literal[OPERATOR_KINDS]  # type: ignore[valid-type] # the choices are declared once
Phase = Literal[STEP_PHASES]  # type: ignore[valid-type] # likewise
Shapes = Annotated[str, Meta(max_length=512)]
Ratio = Annotated[float, Meta(gt=0, le=1e6)]


class OperatorTime(Stored, frozen=True, kw_only=True):
    """The calls of an operator, or a kernel, with the same shapes in a module and a phase."""

    name: Name
    """Such as ``aten::mkldnn_convolution``, the name of a kernel, or text in parentheses where there is no operator."""
    kind: OperatorKind
    phase: Phase
    module: Name | None
    """Path of the module that called it, or whose forward pass it is the backward of; ``(root)`` for the network
    itself. None outside of the network, such as for the optimizer, and where it is not known."""
    modules: tuple[Name, ...] = ()
    """Fused kernels: the paths of all modules whose operators it computes."""
    shapes: Shapes
    """Shapes of the tensors that it takes: ``1x64x56x56, 64x64x3x3``; empty where they are not known."""
    calls: Count
    self_s: Seconds
    """Time on the timeline of the profile, without what it calls."""
    host_s: Seconds | None
    """The host's time, without what it calls; equal to `self_s` on the CPU. None where it is not known."""


class ProfiledModule(Stored, frozen=True, kw_only=True):
    """A module of the network, in the order of `named_modules`."""

    name: Name
    """Its path; ``(root)`` for the network itself."""
    type: Name
    stage: Name
    """The top-level child that holds it, as in the static cost."""


class LayerWork(Stored, frozen=True, kw_only=True):
    """The work of a leaf module for a whole batch in a phase: what any implementation has to do."""

    name: Name
    type: Name
    stage: Name
    phase: Phase
    flops: Count
    """Floating-point operations of convolution and linear layers, 2 a multiply-add; 0 of others."""
    bytes: Count
    """Bytes that must move if the layer is computed alone: every tensor that it takes is read once and every tensor
    that it gives is written once, in the case's own number format."""
    fused_bytes: Count
    """The same if it is fused with the layer before it: an element-wise layer then moves only what else it takes."""


class LayerProbe(Stored, frozen=True, kw_only=True):
    """Layers of equal shape, timed alone in another setting and in their own, in turns."""

    layers: Annotated[tuple[Name, ...], Meta(min_length=1)]
    phase: Phase
    axis: Name
    """The axis that differs from the case: ``layout``, ``precision`` or ``batch_size``."""
    value: Name
    ratios: Annotated[tuple[Ratio, ...], Meta(min_length=1)]
    """Time of an image in the other setting over its time in the case's own, one for each turn."""


class Profile(Stored, frozen=True, kw_only=True):
    """The profile of a case in a process of its own, or of a trace that was made elsewhere."""

    label: Name
    """The case's key, or the name of the trace."""
    case: Case | None
    """None for a trace that was made elsewhere."""
    status: Status = "ok"
    cause: Annotated[str, Meta(max_length=8192)] | None = None
    """Why the status is not ``ok``, in a line of text."""
    steps: Size = 1
    """Steps that the profile covers; its times are sums over all of them."""
    step_s: tuple[StepSeconds, ...] = ()
    """Seconds of steps in the same process without the profiler, before and after it; empty for a trace."""
    profiled_s: StepSeconds | None = None
    """Seconds of the profiled steps; the difference to `step_s` is the cost of the profiler."""
    operators: tuple[OperatorTime, ...] = ()
    """Together they are `profiled_s`."""
    modules: tuple[ProfiledModule, ...] = ()
    works: tuple[LayerWork, ...] = ()
    probes: tuple[LayerProbe, ...] = ()
    queued: bool = False
    """Whether the timeline is that of a device with a queue."""
    launch_bound: Share | None = None
    """Share of the idle time in which the device waited for the host to launch a kernel; None without a queue."""
    trace: Name | None = None
    """Name of the trace beside the run file."""
    trace_bytes: Count | None = None
    started: Name | None
    """ISO 8601, UTC; None where a trace does not state it."""
    duration_s: Seconds
    """Seconds that the profile took; of a trace, those that it covers."""
    notes: tuple[Text, ...] = ()
    nulls: dict[str, Text] = field(default_factory=dict)
    """Reason of each value that is missing."""
