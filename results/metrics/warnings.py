"""Sanity of a record: what cannot be, does not fit its label or was disturbed becomes a named warning.

Nothing is dropped for it: a warning says how far to believe a number.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from results.metrics.reasons import error_text
from results.metrics.timings import Medians, medians
from results.metrics.values import latencies
from results.schema.case import Case
from results.schema.labels import PROMISES
from results.schema.record import UNSEEN, Equality, Noise, Ran, Record
from results.schema.run import PeakRate
from results.schema.static import Static

NOISES: Final = frozenset({"busy", "steal", "pressure", "throttled"})
"""Warnings that others used the machine, or that it held itself back: the number is true, of a disturbed machine."""
TOLERATED: Final = NOISES | {"not-steady", "slowing", "eager-twice-differs", "layout"}
"""Warnings that widen the spread between replicates, or tell of a choice; any other means that a number is not what it
says."""

_STEP_SLACK: Final = 1.05
"""A step may exceed the wall clock's share by so much: two clocks, and medians of few steps."""
_WALL_SLACK: Final = 1.1
"""Beyond the steps themselves a turn only reads clocks and marks events; more than this is work that went unseen."""
_LAUNCH_S: Final = 1e-3
"""Launching and synchronising take so long at most; it counts where steps themselves are that short."""
_PHASE_SLACK: Final = 0.05
_SLOWING: Final = "slowing: steps grew ever slower, as where a machine grows hot; the median is of the later half"
_NOT_STEADY: Final = "not-steady: the steps never became steady; the median is of those after the best guess"
_WINOGRAD: Final = 2.25
"""Winograd's F(2x2, 3x3) multiplies 16 times where 36 are counted (Lavin and Gray 2016, "Fast algorithms for
convolutional neural networks"), so a true rate may exceed that of matrix products by as much."""
_OTHER_CPUS: Final = 0.25
"""An idle system's own services take some hundredths of a CPU; from a quarter on, steps share caches, memory and clocks
with something."""
_STEAL: Final = 0.05
"""A twentieth of a CPU that is taken away moves medians by more than the 1 % to which they are known."""
_CPU_PRESSURE: Final = 0.2
"""PSI counts our own tasks too: threads of the last turn spin for 5 of the 25 ms that the next takes at least, and a
compiler fills the machine. So it is a sign only where others are known to have run, or it is not known whether."""
_SOME_CPUS: Final = 0.1
_MEMORY_PRESSURE: Final = 0.01
"""A task that waits for memory stands still: a hundredth of the time is as much as the intervals promise."""


def warnings(record: Record, static: Static | None = None, peaks: Sequence[PeakRate] = ()) -> tuple[str, ...]:
    """Return what is implausible in `record`, a line each, beginning with the name of the check.

    Args:
        record: one case in one process.
        static: the cost of its model; without it no rate is known that could exceed a peak.
        peaks: the peaks that were measured on the record's machine (`RunHeader.peaks`).
    """
    (found,) = warnings_of([record], [static], peaks, medians([record]))
    return found


def warnings_of(
    records: Sequence[Record], costs: Sequence[Static | None], peaks: Sequence[PeakRate], typical: Medians
) -> list[tuple[str, ...]]:
    """Return `warnings` of each record of a run.

    Args:
        records: one case in one process each.
        costs: the costs of their models.
        peaks: the peaks of their machine.
        typical: what their samples tell.
    """
    found: list[list[str]] = [[] for _ in records]
    step, wall = typical.clock_step_s, typical.clock_wall_s
    slow, unseen = step > wall * _STEP_SLACK, (wall > step * _WALL_SLACK) & (wall - step > _LAUNCH_S)
    for place in np.flatnonzero(slow | unseen).tolist():
        found[place].append(_clocks(records[place].case, step[place], wall[place], slow=slow[place]))
    for place in np.flatnonzero(np.abs(typical.phases - 1) > _PHASE_SLACK).tolist():
        found[place].append(
            f"phases: forward, backward and optimizer add up to {typical.phases[place]:.0%} of the step"
        )
    for record, lines, timed in zip(records, found, (~np.isnan(step)).tolist(), strict=True):
        samples = record.samples
        if timed and samples is not None and (samples.slowing or not samples.steady):
            lines.append(_SLOWING if samples.slowing else _NOT_STEADY)
    if peaks:
        for record, lines, cost, latency_s in zip(
            records, found, costs, latencies(records, typical).tolist(), strict=True
        ):
            lines.extend(() if cost is None or record.summary is not None else _rate(record, cost, peaks, latency_s))
    for record, lines in zip(records, found, strict=True):
        facts, equality = record.facts, record.equality
        if equality is not None and equality.verdict != "equal":
            lines.append(_unequal(equality))
        if facts.recompiles:
            lines.append(f"recompiled: {facts.recompiles} compilations took place inside the timed steps")
        allocated, reserved = facts.peak_allocated_bytes, facts.peak_reserved_bytes
        if allocated is not None and reserved is not None and allocated > reserved:
            lines.append(f"memory: {allocated} bytes allocated exceed {reserved} reserved")
        if record.ran is not None:
            lines.extend(_label(record.case, record.ran))
        if record.noise is not None:
            lines.extend(_noise(record.noise))
    return [
        tuple(lines) if record.summary is None else record.summary.warnings  # all that its source gave
        for record, lines in zip(records, found, strict=True)
    ]


def kind(warning: str) -> str:
    """Return the name of the check that a line of `warnings` begins with."""
    return warning.partition(":")[0]


def _rate(record: Record, cost: Static, peaks: Sequence[PeakRate], latency_s: float) -> Iterator[str]:
    """Nothing computes faster than the fastest matrix product, but for multiplications that are saved."""
    case = record.case
    rate = case.batch_size / latency_s * (cost.training_flops if case.task == "training" else cost.flops)
    for peak in peaks:
        like = (peak.device, peak.precision, peak.threads) == (case.device, case.precision, case.threads)
        if like and rate > _WINOGRAD * peak.flops_per_s:
            yield (
                f"peak: {rate:.3g} FLOP/s are more than {_WINOGRAD} times (what Winograd's convolution may save) "
                f"the measured peak of {peak.flops_per_s:.3g}"
            )


def _unequal(equality: Equality) -> str:
    if equality.verdict == "wrong":
        return f"wrong: {error_text(equality)}; it is no speed-up"
    return f"eager-twice-differs: the baseline does not repeat its own result: {error_text(equality)}"


def _noise(noise: Noise) -> Iterator[str]:
    if (noise.other_cpus or 0) > _OTHER_CPUS:
        yield f"busy: other processes kept {noise.other_cpus:.2g} CPUs busy"
    if (noise.steal or 0) > _STEAL:
        yield f"steal: the hypervisor gave {noise.steal:.2g} CPUs to others"
    others = noise.other_cpus is None or noise.other_cpus > _SOME_CPUS
    if others and (noise.cpu_pressure or 0) > _CPU_PRESSURE:
        yield f"pressure: tasks waited for a CPU during {noise.cpu_pressure:.0%} of the time"
    if (noise.memory_pressure or 0) > _MEMORY_PRESSURE:
        yield f"pressure: tasks waited for memory during {noise.memory_pressure:.0%} of the time"
    if (noise.throttled_s or 0) > 0:
        yield f"throttled: the control group's CPU limit stopped its tasks for {noise.throttled_s:.2g} s"
    if noise.accelerator_throttling:
        yield f"throttled: the accelerator held its clocks back: {', '.join(noise.accelerator_throttling)}"


def _clocks(case: Case, step: float, wall: float, *, slow: bool) -> str:
    """Throughput by the wall clock times latency is the batch, or one of the two clocks is wrong."""
    product = case.batch_size * step / wall
    told = f"throughput by the wall clock x latency is {product:.3g} images, the batch is {case.batch_size}"
    if slow:
        return f"clocks: steps of {step:.3g} s do not fit into {wall:.3g} s of wall time; {told}"
    return f"clocks: steps of {step:.3g} s take {wall:.3g} s of wall time, so work goes unseen; {told}"


def _label(case: Case, ran: Ran) -> Iterator[str]:
    """A label is a promise."""
    promise = PROMISES[case.precision]
    # Only fp32 and tf32 promise anything about TF32: the others compute in half precision.
    if promise.compute == "float32" and (ran.tf32_matmul, ran.tf32_convolution) != (promise.tf32, promise.tf32):
        yield f"label: {case.precision} ran with TF32 matmul {ran.tf32_matmul}, convolution {ran.tf32_convolution}"
    if ran.parameter_dtypes != (promise.weights,):
        yield f"label: {case.precision} ran with parameters in {', '.join(ran.parameter_dtypes) or 'nothing'}"
    if ran.autocast != promise.autocast:
        yield f"label: {case.precision} ran with autocast {ran.autocast}"
    unseen = ran.layout == UNSEEN  # no convolution was: nothing tells what they computed in
    if ran.compute_dtypes != (promise.compute,) and not unseen:
        yield f"label: {case.precision} computed in {', '.join(ran.compute_dtypes) or 'nothing'}"
    if ran.grad_scaler != (promise.grad_scaler and case.task == "training"):
        yield f"label: {case.precision} {case.task} ran with GradScaler {'on' if ran.grad_scaler else 'off'}"
    if ran.layout != case.layout and not unseen:
        # A compiled graph takes its input in the label's layout, and what it does inside is the compiler's to choose.
        yield (
            f"label: {case.layout} ran as {ran.layout}"
            if case.runtime == "eager"
            else f"layout: the compiler ran {case.layout} as {ran.layout}"
        )
    if ran.threads != case.threads:
        yield f"label: {case.threads} threads ran as {ran.threads}"
    if ran.batch_size not in {None, case.batch_size}:
        yield f"label: batch {case.batch_size} ran as {ran.batch_size}"
    if ran.image_size not in {None, case.image_size}:
        yield f"label: {case.image_size} pixels ran as {ran.image_size}"
