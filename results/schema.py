"""What is measured and what comes of it: Case, Record, Static, Environment, Run.

Every border between rooms is one of these frozen dataclasses. They hold base SI units (seconds, bytes) and are
never rounded. A value that could not be had is ``None``, and its reason stands in the ``nulls`` beside it.
`results.validation` checks them when they come from a file or a worker; the constraints are in the annotations.
"""

import dataclasses
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta

from results.errors import InputError, suggestion

SCHEMA_VERSION: Final = 3
"""Version of the run file. History: 1, the first; 2 adds what was found out about a record beside its times (equality,
noise, the batch that ran, warm compilation), peaks and arms of A/B runs; 3 adds imported runs, whose source tells less:
summaries in place of samples, and unknown machines. Files of versions 1 and 2 are still read."""

Task = Literal["inference", "training"]
Precision = Literal["fp32", "tf32", "amp-fp16", "amp-bf16", "fp16", "bf16"]
Runtime = Literal[
    "eager",
    "compile",
    "compile:reduce-overhead",
    "compile:max-autotune",
    "compile:max-autotune-no-cudagraphs",
]
Layout = Literal["nchw", "nhwc"]
Status = Literal["ok", "out-of-memory", "crash", "timeout", "error", "unsupported"]
Stop = Literal["target", "budget", "time-limit"]
Sameness = Literal["equal", "wrong", "eager-twice-differs"]
ArmName = Literal["a", "b"]

T = TypeVar("T")

BASELINE: Final = {"precision": "fp32", "runtime": "eager", "layout": "nchw"}
"""What may be chosen to make a model faster, and the choice that others are compared with."""

UNSEEN: Final = "unknown"
"""What `Ran.layout` is where no convolution was seen, as in a graph that is replayed."""

Text = Annotated[str, Meta(max_length=4096)]
Name = Annotated[str, Meta(min_length=1, max_length=128, extra={"printable": True})]
"""``extra`` is for `results.validation`, as msgspec itself cannot ask for `str.isprintable`."""
LEAST_S: Final = 1e-12
MOST_S: Final = 1e9
Seconds = Annotated[float, Meta(ge=0, le=MOST_S)]
StepSeconds = Annotated[float, Meta(ge=LEAST_S, le=MOST_S)]
"""Beyond a picosecond and thirty years lies damage, with which statistics would overflow."""
Value = Annotated[float, Meta(ge=-1e30, le=1e30)]
"""Of any metric: what lies beyond is damage, too."""
Patience = Annotated[float, Meta(gt=0, le=MOST_S)]
Count = Annotated[int, Meta(ge=0, le=2**62)]
Size = Annotated[int, Meta(ge=1, le=2**31)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that may change a number, and nothing else: one point on every axis."""

    model: Name
    """A variant of `resnet.VARIANTS`, or a peer such as ``torchvision:vgg16``."""
    task: Task
    """``inference``: forward in eval mode; ``training``: forward, cross-entropy, backward, SGD with momentum."""
    batch_size: Size
    image_size: Size
    """Height and width of the square input in pixels."""
    device: Name
    """``cpu``, or an accelerator with its index, such as ``cuda:0``."""
    precision: Precision
    runtime: Runtime
    layout: Layout
    threads: Size | None
    """Threads with which torch computes inside one operator on the CPU; None where an imported source does not tell."""

    @property
    def key(self) -> str:
        """The case in one line, unique to it: ``resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2``."""
        return "/".join(
            (
                self.model,
                self.task,
                f"b{self.batch_size}",
                str(self.image_size),
                self.device,
                self.precision,
                self.runtime,
                self.layout,
                f"t{'?' if self.threads is None else self.threads}",
            )
        )

    @property
    def baseline(self) -> "Case":
        """The same model, task, batch, image, device and threads with `BASELINE`."""
        return dataclasses.replace(self, **BASELINE)  # type: ignore[arg-type] # mypy sees no literals


AXES: Final = tuple(field.name for field in dataclasses.fields(Case))
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "task": Task.__args__,  # type: ignore[attr-defined]
    "precision": Precision.__args__,  # type: ignore[attr-defined]
    "runtime": Runtime.__args__,  # type: ignore[attr-defined]
    "layout": Layout.__args__,  # type: ignore[attr-defined]
}
"""The axes whose values are words, with those words."""


def check_choice(axis: str, value: str) -> None:
    """Raise `InputError`, naming the axis and its choices, unless `value` is one of them."""
    choices = CHOICES[axis]
    if value not in choices:
        raise InputError(f"unknown {axis} {value!r}{suggestion(value, choices)} (choices: {', '.join(choices)})")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The raw series of one process, oldest first, warm-up included: every statistic is recomputed from it.

    A turn is one worker's share of a round of the rotation: its first step is dropped where others ran in
    between, the others are kept here.
    """

    step_s: tuple[StepSeconds, ...]
    """Seconds of each kept step (on an accelerator between two events on its queue)."""
    turn: tuple[Count, ...]
    """For each step, the index of the turn it belongs to: 0, 0, 1, 1, 2, …"""
    wall_s: tuple[StepSeconds, ...]
    """For each turn, wall seconds a step: the host's clock from one synchronisation to the next."""
    baseline_s: tuple[StepSeconds | None, ...] = ()
    """For each turn, the median step of the group's baseline in the same round, or None where it had left;
    empty where no baseline was alive beside this case (and for the baseline itself)."""
    arm_s: tuple[StepSeconds | None, ...] = ()
    """A/B runs: for each turn of arm ``b``, the median step of arm ``a`` in the same round; empty elsewhere."""
    forward_s: tuple[StepSeconds, ...] = ()
    """For each step, the part up to the loss (training only, else empty)."""
    backward_s: tuple[StepSeconds, ...] = ()
    optimizer_s: tuple[StepSeconds, ...] = ()
    warmup: Count
    """Steps at the start of the series that are not steady; statistics begin after them."""
    steady: bool
    """Whether the series became steady before sampling ended."""
    slowing: bool = False
    """Whether it was not steady because steps became ever slower, as on a machine that grows hot."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one process measured once. None has its reason in `Record.nulls` under the field's name."""

    first_step_s: Seconds | None = None
    """Wall time of the very first step (with compilation, where the runtime compiles)."""
    compile_s: Seconds | None = None
    """First step of a compiled runtime less the median steady step, from an empty cache: a cold compilation."""
    warm_compile_s: Seconds | None = None
    """The same in another fresh process that found the artefacts of the cold compilation in its cache."""
    graph_breaks: Count | None = None
    recompiles: Count | None = None
    """Compilations after the first step, that is inside the timed ones."""
    peak_resident_bytes: Count | None = None
    """CPU: peak resident size of the worker above its size at its start."""
    peak_allocated_bytes: Count | None = None
    """Accelerator: peak of the bytes that tensors occupied."""
    peak_reserved_bytes: Count | None = None
    """Accelerator: peak of the bytes that the allocator held."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What really ran, observed on one forward pass of the case's own runtime outside the timed steps."""

    parameter_dtypes: tuple[Name, ...]
    """Dtypes of the parameters, such as ``float32``."""
    compute_dtypes: tuple[Name, ...]
    """Dtypes that convolutions and linear layers gave out."""
    layout: Name
    """Memory format of the convolutions' outputs: ``nchw``, ``nhwc``, ``mixed`` or `UNSEEN`."""
    tf32_matmul: bool
    tf32_convolution: bool
    autocast: Name | None
    """Autocast's dtype, None where it was off."""
    grad_scaler: bool
    threads: Size
    batch_size: Size | None = None
    """Images that the first convolution was given."""
    image_size: Size | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Equality:
    """Whether a case computes what its baseline computes, against fp64 on the same weights and input.

    Errors are root mean squares relative to that of the reference: of the output, or in training the larger of the
    loss's and the worst gradient tensor's after one step.
    """

    verdict: Sameness
    error: Annotated[float, Meta(ge=0)] | None
    """The case against fp64; None where it is not finite, which is wrong."""
    baseline_error: Annotated[float, Meta(ge=0)]
    """The baseline (fp32, eager, nchw) against fp64: what rounding alone does to this network."""
    allowed: Annotated[float, Meta(ge=0)]
    """The error from which on a result counts as wrong, by the precision and the baseline's own error."""
    what: Name
    """What differs most: ``output``, ``loss`` or the name of a parameter whose gradient it is."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Signs of disturbance while a worker lived. None where the system does not tell."""

    other_cpus: Annotated[float, Meta(ge=0)] | None = None
    """CPUs that other processes than this run's kept busy, on average."""
    steal: Annotated[float, Meta(ge=0)] | None = None
    """CPUs that the hypervisor gave to others while someone here wanted them, on average."""
    cpu_pressure: Annotated[float, Meta(ge=0)] | None = None
    """Share of the time in which some task waited for a CPU (PSI)."""
    memory_pressure: Annotated[float, Meta(ge=0)] | None = None
    """Share of the time in which some task waited for memory (PSI)."""
    throttled_s: Seconds | None = None
    """Seconds for which the control group's CPU limit stopped its tasks."""
    accelerator_throttling: tuple[Name, ...] = ()
    """Why the accelerator held its clocks back, by NVML's names."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The rate of the fastest matrix product that was found, measured before the run."""

    device: Name
    precision: Precision
    threads: Size
    flops_per_s: Annotated[float, Meta(gt=0)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """That a run is one side of an A/B comparison: its replicates pair up with the other side's by their index."""

    name: ArmName
    pair: Name
    """The same in both runs."""
    margin: Annotated[float, Meta(ge=0, le=1)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One leaf module of a model."""

    name: Name
    type: Name
    stage: Name
    """The top-level child that holds it: ``conv1``, ``layer1``, ``fc``…"""
    output_shape: tuple[Count, ...]
    """Shape for one image, batch dimension first."""
    parameters: Count
    macs: Count
    """Multiply-adds (convolution and linear layers; 0 elsewhere)."""
    activations: Count
    """Elements put out by convolution and linear layers (0 elsewhere)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The layers of one top-level child, added up."""

    name: Name
    parameters: Count
    macs: Count
    activations: Count


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """What is known of a model at an image size without timing it; per image unless it says otherwise."""

    model: Name
    family: Name
    """Family of the variant, such as ``resnet`` or ``resnext``; ``peer`` for torchvision's others."""
    block: Name | None
    """Block type, None for peers that have none."""
    depth: Size | None
    image_size: Size
    num_classes: Count
    parameters: Count
    trainable_parameters: Count
    buffers: Count
    """Elements in buffers."""
    model_bytes: dict[str, Count]
    """Bytes of parameters and buffers by precision of the weights: ``fp32``, ``fp16``, ``bf16``."""
    macs: Count
    """Multiply-adds of convolution and linear layers, agreed by two counters."""
    training_flops: Count
    """Forward and backward, 2 × MACs each way as the backward pass really needs them."""
    fvcore_macs: Count
    """fvcore's own total in multiply-adds, batch norm and pooling included."""
    activations: Count
    arithmetic_intensity: float
    """FLOPs a byte in fp32 at batch 1: weights read once, each layer's activations read and written once."""
    uncounted: tuple[Name, ...]
    """Operators that the reference counter does not know."""
    imagenet_top1: float | None
    """ImageNet-1k top-1 accuracy as a fraction, from torchvision's weight metadata; None is none."""
    imagenet_weights: Name | None
    """The weights that reach it, such as ``IMAGENET1K_V2``."""
    layers: tuple[Layer, ...]
    stages: tuple[Stage, ...]

    @property
    def flops(self) -> int:
        """Floating-point operations of one forward pass: 2 × MACs."""
        return 2 * self.macs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One accelerator as its driver describes it."""

    device: Name
    name: Name
    memory_bytes: Count | None
    capability: Name | None = None
    driver: Name | None = None
    clock_hz: Count | None = None
    max_clock_hz: Count | None = None
    power_limit_w: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The machine and the software of a run. Host and user names are left out on purpose.

    A run that was measured here knows them all but for what `nulls` gives a reason; an imported one knows few.
    """

    cpu: Name | None
    cpu_flags: tuple[Name, ...]
    """Those of AVX2, AVX-512, AMX and bf16 support that the CPU has."""
    physical_cores: Size | None
    logical_cores: Size | None
    usable_cores: Size | None
    """Cores that this process may run on."""
    governor: Name | None
    cgroup_cpus: float | None
    """CPUs' worth of time that the control group grants."""
    cgroup_memory_bytes: Count | None
    memory_bytes: Count | None
    accelerators: tuple[Accelerator, ...]
    os: Name | None
    kernel: Name | None
    python: Name | None
    torch: Name | None
    torch_build: dict[str, Text]
    """CUDA, HIP, cuDNN, oneDNN, BLAS, OpenMP… as torch was built or found them."""
    torch_threads: Size | None
    torch_interop_threads: Size | None
    variables: dict[str, Text]
    """Environment variables that change speed (``OMP_NUM_THREADS`` and its like), as set."""
    torchvision: Name | None
    tool_version: Name | None
    tool_commit: Name | None
    nulls: dict[str, Text]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run samples."""

    replicates: Size
    """Fresh processes for each case."""
    target: Annotated[float, Meta(gt=0, le=1)]
    """Half-width of the 95 % interval at which a case is precise enough, as a fraction."""
    budget_s: Patience
    """Seconds of sampling for one worker at most."""
    timeout_s: Patience
    """Seconds without an answer after which a worker counts as hung."""
    time_limit_s: Patience | None
    """Seconds for the whole run; cases that it leaves no time for are not measured."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an imported run comes from: it was not measured by this program."""

    format: Name
    """One of `results.exchange.importing.IMPORTERS`."""
    file: Name
    """Name of the file, without its folder."""
    sha256: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{64}\Z")]
    """Of its content."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The head of a run file: one machine, one plan."""

    id: Name
    schema: Literal[1, 2, 3] = SCHEMA_VERSION
    started: Name | None
    """ISO 8601, UTC; None where an imported source does not tell."""
    suite: Name
    settings: Settings | None
    """None where an imported source does not tell how it sampled."""
    environment: Environment
    plan: tuple[Case, ...]
    peaks: tuple[Peak, ...] = ()
    arm: Arm | None = None
    """None for a run that is no side of an A/B comparison."""
    source: Source | None = None
    """None for a run that was measured by this program."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What an imported record holds in place of samples: a row of a table, as its source gives it.

    Whatever the source does not tell is missing, and `Record.nulls` may say why.
    """

    metrics: dict[Name, Value]
    """Values by the names of `results.catalogue.METRICS`, in their units."""
    bounds: dict[Name, Value] = dataclasses.field(default_factory=dict)
    """Ends of intervals by the names of `results.tables.BOUNDS`, in their units."""
    interval: Literal["replicates", "process"] | None = None
    """What the bounds span, as in `results.tables.table`."""
    family: Name | None = None
    block: Name | None = None
    depth: Size | None = None
    replicates: Count = 1
    """Processes that the values were brought together from."""
    failed_replicates: Count = 0
    equality: Sameness | None = None
    state: Name | None = None
    warnings: tuple[Text, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What came of one case in one process, whatever came of it."""

    case: Case
    replicate: Count
    """Index of the fresh process, from 0."""
    status: Status
    cause: Annotated[str, Meta(max_length=8192)] | None = None
    """One line: why the status is not ``ok``. An imported one may be that of a table, with its own words before it."""
    started: Name | None
    duration_s: Seconds | None
    """Wall time from the worker's start to its end, others' turns included."""
    samples: Samples | None = None
    summary: Summary | None = None
    """Of an imported record, which has no samples; None otherwise."""
    facts: Facts = dataclasses.field(default_factory=Facts)
    nulls: dict[str, Text] = dataclasses.field(default_factory=dict)
    """Reason of each value that could not be had, by the name of the metric or field. Records that were read share one
    dict with those that spell it alike: copy it before you change it."""
    ran: Ran | None = None
    equality: Equality | None = None
    """None where it was not checked, with the reason in `nulls`; a baseline is not checked against itself."""
    noise: Noise | None = None
    notes: tuple[Text, ...] = ()
    """Findings a reader should know, such as a precision that the hardware only emulates."""
    budget_s: Patience | None = None
    """Seconds of sampling that this worker was given: less than `Settings.budget_s` where the run's time was short."""
    stop: Stop | None = None
    """Why sampling ended: precise enough, out of its budget, or out of the run's time."""


def known(value: T | None) -> T:
    """Return `value`, which every run that was measured here knows.

    Raises:
        ValueError: It is None, as an imported run's may be (a bug of the caller).
    """
    if value is None:
        raise ValueError("an imported run does not tell this")
    return value
