"""Warnings of records that are implausible, do not fit their label, or were disturbed.

A warning says how far to trust a number; no number is dropped for it.
"""

import dataclasses
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Self

import numpy as np

from results.image_size import network_size
from results.metrics.reasons import error_text, is_wrong
from results.metrics.timings import Medians
from results.schema.axes import axis_text
from results.schema.case import Case
from results.schema.labels import PROMISES, RUNTIMES, TASKS
from results.schema.lines.record import UNSEEN, Equality, Noise, Ran, Record
from results.schema.lines.run import PeakRate
from results.schema.lines.static import Static
from results.statistics.segments import Floats

NOISES: Final = frozenset({"busy", "steal", "pressure", "throttled", "shared-gpu"})
"""Warnings of a disturbed machine: other users, or throttling. The number is right, for the machine as it was."""
TOLERATED: Final = NOISES | {
    *("not-steady", "slowing", "eager-twice-differs", "layout", "host-bound", "power-capped", "clocks-moved"),
}
"""Warnings of a wider spread between replicates, of a choice of the compiler, of what sets the speed, or of clocks that
follow power and load; any other warning means that a number is not what its label says."""
WRONG: Final = "wrong"
"""The warning of a case whose result differs from its baseline's."""

_STEP_SLACK: Final = 1.05
"""Factor by which steps may exceed the wall clock's time: two clocks, and medians of few steps."""
_WALL_SLACK: Final = 1.1
"""Factor by which the wall clock's time may exceed the steps: a turn also reads clocks and marks events; more than this
is work that the steps do not include."""
_LAUNCH_S: Final = 1e-3
"""The most seconds of launching and synchronising, which matter where steps are this short."""
_HOST_BOUND: Final = 0.95
"""Share of a turn's time in which the host queues steps, from which on the accelerator waits for the host. Where the
host waits for the accelerator, that has as much left to do in the end as its queue holds (about 1,000 kernels of CUDA,
a fifth of a turn)."""
_PHASE_SLACK: Final = 0.05
_WINOGRAD: Final = 2.25
"""Winograd's F(2x2, 3x3) multiplies 16 times where 36 are counted (Lavin and Gray 2016, "Fast algorithms for
convolutional neural networks"), so a true rate may exceed the rate of matrix products by this factor."""
_OTHER_CPUS: Final = 0.25
"""An idle system's own services take some hundredths of a CPU; from a quarter on, another process shares caches, memory
and clocks with the steps."""
_STEAL: Final = 0.05
"""The loss of a twentieth of a CPU shifts medians by more than the 1 % to which they are known."""
_CPU_PRESSURE: Final = 0.2
"""PSI counts our own tasks too: threads of the previous turn spin for 5 of the 25 ms or more of the next turn, and a
compiler fills the machine. So pressure is a sign only where others ran, or where that is unknown."""
_SOME_CPUS: Final = 0.1
_MEMORY_PRESSURE: Final = 0.01
"""A task that waits for memory makes no progress: a hundredth of the time is as much as the intervals promise."""
_POWER: Final = ("power", "board_limit", "sw_power_cap")
"""NVML's names of low clocks for the sake of power. Heavy work holds many cards at their limit all the time, so this is
no noise. Its names ``reliability`` (the voltage of the highest clocks) and ``sync_boost`` are no sign at all."""
_HEAT: Final = ("thermal", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_slowdown", "hw_power_brake_slowdown")
"""NVML's names of low clocks for heat, or for a power supply that fails."""
_CAPPED: Final = 0.05
_HEATED: Final = 0.01
"""As much as the intervals promise."""
_MOVED: Final = 0.02
"""Range of a clock over its median. No noise: a free clock moves with the load, and the turns of cases alternate."""


@dataclasses.dataclass(frozen=True, slots=True)
class RecordWarning:
    """A reason to doubt a record. As text it is one line: ``busy: other processes kept 1.5 CPUs busy``."""

    kind: str
    """Name of the check, such as ``clocks``, ``label`` or one of `NOISES`."""
    text: str

    @classmethod
    def parse(cls, line: str) -> Self:
        """Return the warning that a line of the table's column ``warnings`` shows."""
        name, _, text = line.partition(":")
        return cls(name, text.strip())

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"

    @property
    def noise(self) -> bool:
        """Whether the warning is a sign of a disturbed machine."""
        return self.kind in NOISES

    @property
    def tolerated(self) -> bool:
        """Whether the number may still be used."""
        return self.kind in TOLERATED


def wrong_result(warnings: Iterable[RecordWarning]) -> RecordWarning:
    """Return the warning of a case whose result is wrong; a source need not say what differs."""
    wrong = (warning for warning in warnings if warning.kind == WRONG)
    return next(wrong, RecordWarning(WRONG, "its result is not that of its baseline"))


def kind(line: str) -> str:
    """Return the kind of the warning that a line of the table's column ``warnings`` shows."""
    return RecordWarning.parse(line).kind


_SLOWING: Final = RecordWarning(
    "slowing", "steps grew ever slower, as where a machine grows hot; the median is of the later half"
)
_NOT_STEADY: Final = RecordWarning(
    "not-steady", "the steps never became steady; the median is of those after the best guess"
)
_HOST_BOUND_TEXT: Final = (
    "the host queued steps for {:.0%} of the time: they take what Python and launches take, and the accelerator waits"
)


def warnings(
    records: Sequence[Record],
    costs: Sequence[Static | None],
    peaks: Sequence[PeakRate],
    typical: Medians,
    latencies: Floats,
) -> list[tuple[RecordWarning, ...]]:
    """Return the warnings of each record of a run.

    Args:
        records: the records of the run.
        costs: the static cost of each record's model; a record without a cost has no rate to check.
        peaks: the peak rates of their machine (`RunHeader.peaks`).
        typical: the medians of their samples.
        latencies: their metric ``latency_s``.
    """
    rows: list[list[RecordWarning]] = [[] for _ in records]
    for index, warning in _of_samples(records, typical):
        rows[index].append(warning)
    if peaks:
        for record, row, cost, latency_s in zip(records, rows, costs, latencies.tolist(), strict=True):
            row.extend(() if cost is None or record.summary is not None else _rate(record, cost, peaks, latency_s))
    for record, row in zip(records, rows, strict=True):
        _add_others(record, row)
    return [
        tuple(row) if record.summary is None else tuple(map(RecordWarning.parse, record.summary.warnings))
        for record, row in zip(records, rows, strict=True)
    ]


def _of_samples(records: Sequence[Record], typical: Medians) -> Iterator[tuple[int, RecordWarning]]:
    """Yield the warnings of the samples, with the index of the record."""
    step, wall = typical.clock_step_s, typical.clock_wall_s
    slow, unseen = step > wall * _STEP_SLACK, (wall > step * _WALL_SLACK) & (wall - step > _LAUNCH_S)
    for index in np.flatnonzero(slow | unseen).tolist():
        yield index, _clocks(records[index].case, step[index], wall[index], slow=slow[index])
    for index in np.flatnonzero(np.abs(typical.phases - 1) > _PHASE_SLACK).tolist():
        share = f"{typical.phases[index]:.0%}"
        yield index, RecordWarning("phases", f"forward, backward and optimizer add up to {share} of the step")
    for index, (record, timed) in enumerate(zip(records, (~np.isnan(step)).tolist(), strict=True)):
        samples = record.samples
        if timed and samples is not None and (samples.slowing or not samples.steady):
            yield index, _SLOWING if samples.slowing else _NOT_STEADY
        if samples is not None and samples.queued and not _waits_within_steps(record.case):
            queued = statistics.median(samples.queued)
            if queued > _HOST_BOUND:
                yield index, RecordWarning("host-bound", _HOST_BOUND_TEXT.format(queued))


def _add_others(record: Record, row: list[RecordWarning]) -> None:
    """Add the warnings of a record that do not come from its samples to `row`."""
    facts, equality = record.facts, record.equality
    if equality is not None and equality.verdict != "equal":
        row.append(_unequal(record, equality))
    if facts.recompiles:
        row.append(RecordWarning("recompiled", f"{facts.recompiles} compilations took place inside the timed steps"))
    allocated, reserved = facts.peak_allocated_bytes, facts.peak_reserved_bytes
    if allocated is not None and reserved is not None and allocated > reserved:
        row.append(RecordWarning("memory", f"{allocated} bytes allocated exceed {reserved} reserved"))
    if record.ran is not None:
        row.extend(_label(record.case, record.ran))
    if record.noise is not None:
        row.extend(_noise(record.noise))
    sm_hz = None if record.clocks is None else record.clocks.sm_hz
    if sm_hz is not None and sm_hz.high - sm_hz.low > _MOVED * sm_hz.median:
        low, median, high = (f"{hz / 1e6:.0f}" for hz in (sm_hz.low, sm_hz.median, sm_hz.high))
        row.append(RecordWarning("clocks-moved", f"the clock was {low} to {high} MHz after turns, median {median} MHz"))


def _waits_within_steps(case: Case) -> bool:
    """Return whether the host waits for the device in each step, as the loss scaler does to see an overflow."""
    return PROMISES[case.precision].grad_scaler and TASKS[case.task].trains


def _rate(record: Record, cost: Static, peaks: Sequence[PeakRate], latency_s: float) -> Iterator[RecordWarning]:
    """Yield a warning where the rate of a case exceeds the rate that the peak allows."""
    case = record.case
    rate = case.batch_size / latency_s * (cost.training_flops if TASKS[case.task].trains else cost.flops)
    for peak in peaks:
        like = (peak.device, peak.precision, peak.threads) == (case.device, case.precision, case.threads)
        if like and rate > _WINOGRAD * peak.flops_per_s:
            yield RecordWarning(
                "peak",
                f"{rate:.3g} FLOP/s are more than {_WINOGRAD} times (what Winograd's convolution may save) "
                f"the measured peak of {peak.flops_per_s:.3g}",
            )


def _unequal(record: Record, equality: Equality) -> RecordWarning:
    if is_wrong(record):
        return RecordWarning(WRONG, f"{error_text(equality)}; it is no speed-up")
    return RecordWarning("eager-twice-differs", f"the baseline does not repeat its own result: {error_text(equality)}")


def _noise(noise: Noise) -> Iterator[RecordWarning]:
    if (noise.other_cpus or 0) > _OTHER_CPUS:
        yield RecordWarning("busy", f"other processes kept {noise.other_cpus:.2g} CPUs busy")
    if (noise.steal or 0) > _STEAL:
        yield RecordWarning("steal", f"the hypervisor gave {noise.steal:.2g} CPUs to others")
    others = noise.other_cpus is None or noise.other_cpus > _SOME_CPUS
    if others and (noise.cpu_pressure or 0) > _CPU_PRESSURE:
        yield RecordWarning("pressure", f"tasks waited for a CPU during {noise.cpu_pressure:.0%} of the time")
    if (noise.memory_pressure or 0) > _MEMORY_PRESSURE:
        yield RecordWarning("pressure", f"tasks waited for memory during {noise.memory_pressure:.0%} of the time")
    if (noise.throttled_s or 0) > 0:
        seconds = f"{noise.throttled_s:.2g} s"
        yield RecordWarning("throttled", f"the control group's CPU limit stopped its tasks for {seconds}")
    if noise.accelerator_processes:
        yield RecordWarning("shared-gpu", f"{noise.accelerator_processes} other processes were on the accelerator")
    yield from _low_clocks(noise)


def power_share(noise: Noise) -> float:
    """Return the share of the time in which the accelerator held its clocks down for power, 0 where it is unknown."""
    held = noise.accelerator_held or {}
    return max(held.get(name, 0.0) for name in _POWER)


def _low_clocks(noise: Noise) -> Iterator[RecordWarning]:
    held = noise.accelerator_held or {}
    older = noise.accelerator_throttling  # names without shares
    causes = [f"{name} {held[name]:.0%}" for name in _HEAT if held.get(name, 0.0) > _HEATED]
    causes += [name for name in _HEAT if name in older]
    if causes:
        yield RecordWarning("throttled", f"the accelerator held its clocks down: {', '.join(causes)}")
    capped = power_share(noise)
    if capped > _CAPPED or any(name in older for name in _POWER):
        share = f"{capped:.0%}" if capped else "an unknown share"
        yield RecordWarning("power-capped", f"its power limit held the clocks down for {share} of the time")


def _clocks(case: Case, step: float, wall: float, *, slow: bool) -> RecordWarning:
    """Return the warning that latency does not agree with throughput by the wall clock: a clock is wrong."""
    product, times = case.batch_size * step / wall, f"steps of {step:.3g} s"
    images = f"throughput by the wall clock x latency is {product:.3g} images, the batch is {case.batch_size}"
    if slow:
        return RecordWarning("clocks", f"{times} do not fit into {wall:.3g} s of wall time; {images}")
    return RecordWarning("clocks", f"{times} take {wall:.3g} s of wall time, so work goes unseen; {images}")


def _label(case: Case, ran: Ran) -> Iterator[RecordWarning]:
    """Yield the warnings where the observed run breaks the promise of a label."""
    promise = PROMISES[case.precision]
    unseen = ran.layout == UNSEEN  # no convolution was observed, so the dtype and layout are unknown
    computed, weights = (", ".join(dtypes) or "nothing" for dtypes in (ran.compute_dtypes, ran.parameter_dtypes))
    tf32 = (ran.tf32_matmul, ran.tf32_convolution)
    # Only fp32 and tf32 promise anything about TF32: the others compute in half precision.
    if promise.compute == "float32" and tf32 != (promise.tf32, promise.tf32):
        yield _broken(f"{case.precision} ran with TF32 matmul {tf32[0]}, convolution {tf32[1]}")
    if ran.parameter_dtypes != (promise.weights,):
        yield _broken(f"{case.precision} ran with parameters in {weights}")
    if ran.autocast != promise.autocast:
        yield _broken(f"{case.precision} ran with autocast {ran.autocast}")
    others = set(ran.compute_dtypes) - {promise.compute, *(("float32",) if promise.quantizes else ())}
    if (others or promise.compute not in ran.compute_dtypes) and not unseen:  # int8 leaves some layers in fp32
        yield _broken(f"{case.precision} computed in {computed}")
    if ran.grad_scaler != (promise.grad_scaler and TASKS[case.task].trains):
        yield _broken(f"{case.precision} {case.task} ran with GradScaler {'on' if ran.grad_scaler else 'off'}")
    if ran.layout != case.layout and not unseen:
        # A compiled graph takes its input in the label's layout; inside, the compiler chooses the layout.
        if RUNTIMES[case.runtime].compiles:
            yield RecordWarning("layout", f"the compiler ran {case.layout} as {ran.layout}")
        else:
            yield _broken(f"{case.layout} ran as {ran.layout}")
    if ran.threads != case.threads:
        yield _broken(f"{case.threads} threads ran as {ran.threads}")
    autotuner = f"{case.runtime} ran with the autotuner {'on' if ran.cudnn_benchmark else 'off'}"
    for seen, promised, text in (
        (ran.cudnn_benchmark, RUNTIMES[case.runtime].autotune, autotuner),
        (ran.batch_size, case.batch_size, f"batch {case.batch_size} ran as {ran.batch_size}"),
        (ran.image_size, network_size(case.image_size, case.head), f"{case.image_size} pixels ran as {ran.image_size}"),
        (ran.in_channels, case.in_channels, f"{axis_text('in_channels', case.in_channels)} ran as {ran.in_channels}"),
    ):
        if seen not in {None, promised}:
            yield _broken(text)


def _broken(promise: str) -> RecordWarning:
    return RecordWarning("label", promise)
