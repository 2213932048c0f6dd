"""A record: the samples, facts and checks of a case in a process.

Values are in base SI units (seconds, bytes) and not rounded. A missing value is ``None``, with its reason in ``nulls``.
`results.schema.validation` checks data from files and workers against the constraints in the annotations.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from results.schema.case import Case
from results.schema.types import (
    Count,
    ImageSize,
    Name,
    Patience,
    Seconds,
    Share,
    Size,
    StepSeconds,
    Stored,
    Text,
    Value,
)

Status = Literal["ok", "out-of-memory", "crash", "timeout", "error", "unsupported"]
Stop = Literal["target", "budget", "time-limit", "eliminated"]
Sameness = Literal["equal", "wrong", "eager-twice-differs"]

UNSEEN: Final = "unknown"
"""`Ran.layout` where no convolution was observed, as in a replayed graph."""


class Samples(Stored, frozen=True, kw_only=True):
    """The raw series of a process, oldest first, warm-up included; every statistic is recomputed from them.

    A turn is a worker's share of a round of the rotation. Its first step is dropped on an accelerator, and on the CPU
    where other workers ran before it.
    `at_s` and `part` link the turns of all cases of a replicate: `results.metrics.levels` makes use of them.
    """

    step_s: tuple[StepSeconds, ...]
    """Seconds of each step that was not dropped; on an accelerator, between two events on its queue."""
    turn: tuple[Count, ...]
    """For each step, the index of its turn: 0, 0, 1, 1, 2, …"""
    wall_s: tuple[StepSeconds, ...]
    """For each turn, wall seconds a step by the host's clock, which runs from one synchronisation to the next: of that
    time the share of the timed steps, as the device's clock divides it between them and the dropped steps."""
    queued: tuple[Share, ...] = ()
    """Accelerator: for each turn, the share of that time after which the host had queued all steps. Near 1, the host is
    what was measured. Empty on the CPU, and in files of the schemas 1 to 5."""
    at_s: tuple[Seconds, ...] = ()
    """For each turn, the middle of its timed steps, in seconds since the run began, on a clock that all workers of the
    run share; of an A/B comparison, the clock of both arms. Empty in files of the schemas 1 to 4."""
    part: tuple[Count, ...] = ()
    """For each turn, the part of the replicate in which it was taken: where memory does not hold all workers of a
    replicate, parts follow one another, and the workers of at least two cases live through all of them."""
    baseline_s: tuple[StepSeconds | None, ...] = ()
    """Schemas 1 to 4: for each turn, the median step of the baseline in the same round, None after the baseline left
    the rotation; empty for the baseline itself, and in files of later schemas."""
    arm_s: tuple[StepSeconds | None, ...] = ()
    """Schemas 1 to 4, A/B runs: for each turn of arm ``b``, the median step of arm ``a`` in the same round."""
    forward_s: tuple[StepSeconds, ...] = ()
    """For each step, the part up to the loss (training only, else empty)."""
    backward_s: tuple[StepSeconds, ...] = ()
    optimizer_s: tuple[StepSeconds, ...] = ()
    warmup: Count
    """Steps at the start of the series that are not steady; statistics begin after them."""
    steady: bool
    """Whether the series became steady before sampling ended."""
    slowing: bool = False
    """Whether steps became slower all the time, as on a machine that heats up; then the series is not steady."""


class Facts(Stored, frozen=True, kw_only=True):
    """Values that a process measured once. `Record.nulls` has the reason of each None, under the field's name."""

    first_step_s: Seconds | None = None
    """Wall time of the very first step (with compilation, where the runtime compiles)."""
    compile_s: Seconds | None = None
    """First step of a compiled runtime less the median steady step, from an empty cache: a cold compilation. With CUDA
    graphs the first three steps, which also record them, less three steady steps (from schema 6 on)."""
    warm_compile_s: Seconds | None = None
    """The same with the artefacts of an earlier compilation in the cache, as in every replicate after the first."""
    export_s: Seconds | None = None
    """Part of a cold compilation: the capture of the network as a graph of operators, or as a file of ONNX."""
    convert_s: Seconds | None = None
    """Part of a cold compilation: the conversion into the format of an engine that is not torch."""
    build_s: Seconds | None = None
    """Part of a compilation, cold or warm: the engine's own, which chooses kernels and folds the weights."""
    load_s: Seconds | None = None
    """Part of a compilation: reading the artefacts of this process, or of an earlier process, from a file."""
    artefact_bytes: Count | None = None
    """Size of the artefacts that hold the prepared network, with its weights."""
    sustained_s: StepSeconds | None = None
    """Mean step of the second half of `Settings.sustained_s`, while the case stepped without a pause and all other
    workers were idle."""
    image_j: Value | None = None
    """Joules of an image in that time, by a counter of energy: all that the card spent, or the processor packages with
    their memory, idle power included."""
    idle_w: Value | None = None
    """Power before that time by the same counter, in watts, while all workers were idle, after a pause to cool down."""
    mark_s: Seconds | None = None
    """Accelerator: time of an event, the device's or the host's, whichever is longer; a step has an event, or one for
    each of its phases."""
    graph_breaks: Count | None = None
    recompiles: Count | None = None
    """Compilations after the first step, inside the timed steps."""
    peak_resident_bytes: Count | None = None
    """CPU: peak resident size of the worker above its size at its start."""
    peak_allocated_bytes: Count | None = None
    """Accelerator: peak of the bytes that tensors occupied; from schema 6 on without the first step."""
    peak_prepare_bytes: Count | None = None
    """Accelerator: the same up to the end of the first step, in which compilers and libraries try algorithms."""
    peak_reserved_bytes: Count | None = None
    """Accelerator: peak of the bytes that the allocator held, what it keeps from the first step included."""


class Ran(Stored, frozen=True, kw_only=True):
    """The dtypes, layout and settings that really ran, observed in an untimed forward pass of the case's runtime."""

    parameter_dtypes: tuple[Name, ...]
    """Dtypes of the parameters, such as ``float32``."""
    compute_dtypes: tuple[Name, ...]
    """Dtypes of the outputs of convolutions and linear layers, or the format that a library uses for float32."""
    layout: Name
    """Memory format of the convolutions' outputs: ``nchw``, ``nhwc``, ``mixed`` or `UNSEEN`."""
    tf32_matmul: bool
    tf32_convolution: bool
    autocast: Name | None
    """Autocast's dtype, None where it was off."""
    grad_scaler: bool
    threads: Size
    """Threads that really shared an operator, on cores of their own."""
    batch_size: Size | None = None
    """Images in the input of the first convolution."""
    image_size: ImageSize | None = None
    in_channels: Size | None = None
    cudnn_benchmark: bool | None = None
    """Whether the autotuner of cuDNN, or MIOpen, was on. None in files of the schemas 1 to 5, and where the engine is
    not torch."""
    deterministic: bool | None = None
    """Whether torch was restricted to deterministic algorithms. None as above."""


class Equality(Stored, frozen=True, kw_only=True):
    """Whether a case computes the same result as its baseline, judged against fp64 on the same weights and input.

    An error is a root mean square, divided by the root mean square of the reference. Inference compares the output;
    training takes the larger error of the loss and the worst gradient tensor after a step.
    """

    verdict: Sameness
    error: Annotated[float, Meta(ge=0)] | None
    """Error of the case against fp64; None where it is not finite, and the verdict ``wrong``."""
    baseline_error: Annotated[float, Meta(ge=0)]
    """Error of the baseline (fp32, eager, nchw) against fp64: the effect of rounding alone."""
    allowed: Annotated[float, Meta(ge=0)]
    """The largest error that counts as equal; it depends on the precision and on `baseline_error`."""
    what: Name
    """The tensor that differs most: ``output``, ``loss``, or the parameter whose gradient differs."""


class Agreement(Stored, frozen=True, kw_only=True):
    """How a trained network answers in the settings of a case, against fp32 in eager, on images it was not trained on.

    The case's own weights are random, and have no accuracy. The network is quantized as the case is, with scales from
    training images.
    """

    network: Name
    """Which network, such as ``cifar_resnet20 on fashion-mnist``."""
    images: Size
    agreed: Count
    """Images whose top class is that of fp32."""
    lost: Count
    """Images that fp32 classifies right, and the case wrong."""
    gained: Count
    """The other way round."""
    reference_correct: Count
    """Images that fp32 classifies right."""


class Noise(Stored, frozen=True, kw_only=True):
    """Signs of disturbance while a worker lived. None where the system does not report them."""

    other_cpus: Annotated[float, Meta(ge=0)] | None = None
    """CPUs that processes outside this run used, on average."""
    steal: Annotated[float, Meta(ge=0)] | None = None
    """CPUs that the hypervisor gave to other machines while a task here waited, on average."""
    cpu_pressure: Annotated[float, Meta(ge=0)] | None = None
    """Share of the time in which a task waited for a CPU (PSI)."""
    memory_pressure: Annotated[float, Meta(ge=0)] | None = None
    """Share of the time in which a task waited for memory (PSI)."""
    throttled_s: Seconds | None = None
    """Seconds for which the control group's CPU limit stopped its tasks."""
    accelerator_throttling: tuple[Name, ...] = ()
    """Schemas 1 to 5: why the accelerator lowered its clocks at any time, by NVML's names; empty in later files."""
    accelerator_held: dict[Name, Share] | None = None
    """For each cause of low clocks, by NVML's names: a policy with its share of the time from the first step to the
    end, the turns of other workers included, as the driver counts it; a reason with its share of the worker's turns,
    after each of which the driver was asked. None also for a CPU."""
    accelerator_processes: Count | None = None
    """Processes outside this run on the accelerator, or on the part of it, the most at a time. None also for a CPU."""


class Readings(Stored, frozen=True, kw_only=True):
    """Readings of a quantity: their median, and their range without the outer twentieths, where rare outliers stand."""

    median: Value
    low: Value
    high: Value


class Clocks(Stored, frozen=True, kw_only=True):
    """The clock and the power of an accelerator, read right after each turn of the worker.

    `Record.nulls` has the reason of each None, as ``clocks.sm_hz``.
    """

    turns: Count
    """Turns that the readings follow."""
    sm_hz: Readings | None = None
    """Clock of the multiprocessors."""
    power_w: Readings | None = None
    """Power of the whole card, which its driver may average over some of the last turns."""


class Summary(Stored, frozen=True, kw_only=True):
    """The values of an imported record, which has no samples: a row of the table of its source.

    Values that the source does not state are missing; `Record.nulls` may hold the reason.
    """

    metrics: dict[Name, Value]
    """Values by the names of `results.schema.metrics.METRICS`, in their units."""
    bounds: dict[Name, Value] = field(default_factory=dict)
    """Ends of intervals by the names of `results.schema.metrics.BOUNDS`, in their units."""
    interval: Literal["replicates", "process"] | None = None
    """The variation that the bounds cover, as in `results.metrics.table.table`."""
    family: Name | None = None
    block: Name | None = None
    depth: Size | None = None
    replicates: Count = 1
    """Processes that the values combine."""
    failed_replicates: Count = 0
    equality: Sameness | None = None
    state: Name | None = None
    warnings: tuple[Text, ...] = ()


class Record(Stored, frozen=True, kw_only=True):
    """The outcome of a case in a process; a failure has a record too."""

    case: Case
    replicate: Count
    """Index of the fresh process, from 0."""
    status: Status
    cause: Annotated[str, Meta(max_length=8192)] | None = None
    """Why the status is not ``ok``, in a line of text."""
    started: Name | None
    duration_s: Seconds | None
    """Wall time from the worker's start to its end, turns of other workers included."""
    samples: Samples | None = None
    summary: Summary | None = None
    """Values of an imported record, which has no samples; None otherwise."""
    facts: Facts = Facts()
    nulls: dict[str, Text] = field(default_factory=dict)
    """Reason of each missing value, by the name of the metric or field. Records of a file share equal dicts: copy a
    dict before you change it."""
    ran: Ran | None = None
    equality: Equality | None = None
    """None where the result was not checked, with the reason in `nulls`; a baseline is not checked against itself."""
    agreement: Agreement | None = None
    """Of a quantized case, whose error against fp64 says little: None elsewhere, with the reason in `nulls`."""
    noise: Noise | None = None
    clocks: Clocks | None = None
    """None for a CPU, and where the driver of the accelerator cannot be asked."""
    sustained_clocks: Clocks | None = None
    """The same, of the turns whose mean step is `Facts.sustained_s`; None where that is None."""
    notes: tuple[Text, ...] = ()
    """Findings a reader should know, such as a precision that the hardware only emulates."""
    budget_s: Patience | None = None
    """The worker's budget of sampling: less than `Settings.budget_s` where the run's time was short."""
    stop: Stop | None = None
    """Why sampling ended: precise enough, budget spent, the run's time over, or out of a search for the fastest."""
