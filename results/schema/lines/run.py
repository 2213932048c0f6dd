"""The header of a run file, and the lines that continue and end it: environment, settings, plan."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from results.schema.case import Case, Precision
from results.schema.types import Count, Name, Patience, Size, Stored, Text

SCHEMA_VERSION: Final = 9
"""Version of the run file. History: 1, the first; 2 adds equality, noise, the batch that ran, warm compilation, peak
rates and arms of A/B runs; 3 adds imported runs: summaries in place of samples, and unknown machines; 4 names the kind
of each line; 5 gives each turn its time and its part, in place of the baseline's turn, and adds images that are not
square, and their channels; 6 adds facts of accelerators: what cuDNN was asked, clocks and power, the peak memory of
the preparation, the share of a turn in which the host queued its steps, and steps in sustained use; 7 adds heads; 8
adds gradient checkpointing, optimizers and energy. Files of earlier versions are still read."""
ArmName = Literal["a", "b"]
Cards = Literal["one-by-one", "at-once"]
UNKNOWN_ACCELERATOR: Final = "unknown accelerator"
"""Name of an accelerator that an imported source does not name: it is not that of another run."""


class PeakRate(Stored, frozen=True, kw_only=True):
    """The highest rate of a matrix product, measured at the start of the run."""

    device: Name
    precision: Precision
    threads: Size
    flops_per_s: Annotated[float, Meta(gt=0)]


class Arm(Stored, frozen=True, kw_only=True):
    """The arm of an A/B comparison that a run measures; replicates of both arms with the same index are a pair."""

    name: ArmName
    pair: Name
    """Name of the comparison, the same in both runs."""
    margin: Annotated[float, Meta(ge=0, le=1)]


class Accelerator(Stored, frozen=True, kw_only=True):
    """An accelerator as its driver describes it."""

    device: Name
    name: Name
    memory_bytes: Count | None
    capability: Name | None = None
    driver: Name | None = None
    clock_hz: Count | None = None
    max_clock_hz: Count | None = None
    power_limit_w: float | None = None


class Environment(Stored, frozen=True, kw_only=True):
    """The machine and the software of a run. Host and user names are left out on purpose.

    In a measured run, a None has its reason in `nulls`; an imported run states few fields.
    """

    cpu: Name | None
    cpu_flags: tuple[Name, ...]
    """AVX2, AVX-512, AMX and bf16 support, where the CPU has them."""
    physical_cores: Size | None
    logical_cores: Size | None
    usable_cores: Size | None
    """Cores that this process may run on."""
    governor: Name | None
    cgroup_cpus: float | None
    """CPU time that the control group grants, in CPUs."""
    cgroup_memory_bytes: Count | None
    memory_bytes: Count | None
    accelerators: tuple[Accelerator, ...]
    os: Name | None
    kernel: Name | None
    python: Name | None
    torch: Name | None
    torch_build: dict[str, Text]
    """Versions of CUDA, HIP, cuDNN, oneDNN, BLAS, OpenMP… that torch was built with or has loaded."""
    torch_threads: Size | None
    torch_interop_threads: Size | None
    variables: dict[str, Text]
    """Environment variables that change speed, such as ``OMP_NUM_THREADS``."""
    torchvision: Name | None
    tool_version: Name | None
    tool_commit: Name | None
    nulls: dict[str, Text]


class Settings(Stored, frozen=True, kw_only=True):
    """The settings of a run's sampling."""

    replicates: Size
    """Fresh processes for each case."""
    target: Annotated[float, Meta(gt=0, le=1)]
    """Half-width of the 95 % interval at which a case is precise enough, as a fraction."""
    budget_s: Patience
    """The most seconds of sampling of a worker."""
    timeout_s: Patience
    """Seconds without an answer after which a worker counts as hung."""
    time_limit_s: Patience | None
    """Seconds for the whole run; cases beyond it are not measured."""
    live: Size | None = None
    """The most workers of a device alive at the same time; None: as many as memory holds."""
    cards: Cards = "one-by-one"
    """Whether several accelerators are measured one after another, or at the same time."""
    sustained_s: Patience | None = None
    """Seconds for which each case steps without a pause after the last rotation; None: not at all. Schema 7: only the
    cases of accelerators."""


class Source(Stored, frozen=True, kw_only=True):
    """The file that a run was imported from."""

    format: Name
    """One of `results.importers.IMPORTERS`."""
    file: Name
    """Name of the file, without its folder."""
    sha256: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{64}\Z")]
    """SHA-256 of its content."""
    commit: Name | None = None
    """Commit of the code that was measured, None where the source does not state it."""
    branch: Name | None = None
    dirty: bool | None = None
    """Whether the code had changes that were not committed; None where the source does not state it."""

    @property
    def code(self) -> str | None:
        """The commit in short, with its branch and the mark of changes, for people; None where it is not known."""
        if self.commit is None:
            return None
        branch = f" on {self.branch}" if self.branch else ""
        return f"{self.commit[:12]}{'-dirty' if self.dirty else ''}{branch}"


class RunHeader(Stored, frozen=True, kw_only=True):
    """The first line of a run file: a machine and a plan."""

    id: Name
    schema: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9] = SCHEMA_VERSION
    started: Name | None
    """ISO 8601, UTC; None where an imported source does not state it."""
    suite: Name
    settings: Settings | None
    """None where an imported source does not state them."""
    environment: Environment
    plan: tuple[Case, ...]
    peaks: tuple[PeakRate, ...] = ()
    arm: Arm | None = None
    """None for a run outside of an A/B comparison."""
    source: Source | None = None
    """None for a measured run."""


class Resumed(Stored, frozen=True, kw_only=True):
    """The continuation of a run after a break, with its machine."""

    started: str
    environment: Environment


class End(Stored, frozen=True, kw_only=True):
    """The last line of a run: its status and the number of its records."""

    status: Literal["complete", "interrupted"]
    records: Count
