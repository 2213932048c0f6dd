"""What parent and worker say about profiles, peaks and memory: for each verb a request and an answer."""

import dataclasses

from bench.process.messages import Request
from results.schema.case import Case, Precision
from results.schema.lines.memory import MemoryParts, MemoryPoint
from results.schema.lines.peaks import Bandwidth, ComputePeak
from results.schema.lines.profile import LayerProbe, LayerWork, OperatorTime, Phase, ProfiledModule
from results.schema.types import Count, Name, Patience, Share, Size, StepSeconds, Text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """A profiled step of the worker's case; see `results.schema.lines.profile.Profile`."""

    step_s: tuple[StepSeconds, ...]
    profiled_s: StepSeconds
    operators: tuple[OperatorTime, ...]
    modules: tuple[ProfiledModule, ...]
    works: tuple[LayerWork, ...]
    queued: bool
    launch_bound: Share | None
    trace_bytes: Count | None
    notes: tuple[Text, ...]
    nulls: dict[str, Text]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfile(Request[Profiled]):
    """Time some steps of the prepared case, profile one, and time some more."""

    steps: Size
    """Steps that are timed without the profiler, half of them before and half after the profiled step."""
    trace: Text | None
    """File for the trace, which Perfetto opens (gzip); None for none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayersProbed:
    """The times of layers in other settings."""

    probes: tuple[LayerProbe, ...]
    nulls: dict[str, Text]
    """Reason of each setting that could not be tried, as ``precision=fp16``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLayers(Request[LayersProbed]):
    """Time the layers of the prepared case alone, in other settings and in their own in turns; the worker ends then."""

    others: tuple[Case, ...]
    """Cases that differ from the worker's in a single axis: its layout, its precision or its batch."""
    seconds: Patience
    """For all of them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DevicePeaksMeasured:
    """What a device can do; see `results.schema.lines.peaks.Peaks`."""

    device_name: Name | None
    compute: tuple[ComputePeak, ...]
    bandwidths: tuple[Bandwidth, ...]
    dispatch_s: tuple[StepSeconds, ...]
    launch_s: tuple[StepSeconds, ...]
    notes: tuple[Text, ...]
    nulls: dict[str, Text]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasureDevicePeaks(Request[DevicePeaksMeasured]):
    """Measure what a device can do."""

    device: Name
    threads: Size
    precisions: tuple[Precision, ...]
    seconds: Patience
    """For everything, roughly: fewer repetitions and working sets where it is short."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPredicted:
    """The predicted memory of a step; see `results.schema.lines.memory.Memory`."""

    parts: MemoryParts
    phase: Phase
    module: Name | None
    points: tuple[MemoryPoint, ...]
    notes: tuple[Text, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PredictMemory(Request[MemoryPredicted]):
    """Predict the memory of a case without running it."""

    case: Case


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MemoryMeasured:
    """The measured memory of a step of the worker's case; see `results.schema.lines.memory.Memory`."""

    peak_bytes: Count | None
    points: tuple[MemoryPoint, ...]
    nulls: dict[str, Text]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasureMemory(Request[MemoryMeasured]):
    """Measure the memory of a steady step of the prepared case."""
