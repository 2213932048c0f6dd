"""The header of a run file: environment, settings, plan."""

import dataclasses
from typing import Annotated, Final, Literal

from msgspec import Meta

from results.schema.case import Case, Precision
from results.schema.types import Count, Name, Patience, Size, Text

SCHEMA_VERSION: Final = 3
"""Version of the run file. History: 1, the first; 2 adds what was found out about a record beside its times (equality,
noise, the batch that ran, warm compilation), peaks and arms of A/B runs; 3 adds imported runs, whose source tells less:
summaries in place of samples, and unknown machines. Files of versions 1 and 2 are still read."""
ArmName = Literal["a", "b"]


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
    """One of `results.importers.IMPORTERS`."""
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
