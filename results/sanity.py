"""Physical sanity of a record: what cannot be, or does not fit its label, becomes a named warning."""

import statistics
from collections.abc import Iterator
from typing import Final

from results.precisions import PROMISES
from results.schema import Case, Ran, Record, Samples

_STEP_SLACK: Final = 1.05
"""A step may exceed the wall clock's share by so much: two clocks, and medians of few steps."""
_WALL_SLACK: Final = 1.1
"""Beyond the steps themselves a turn only reads clocks and marks events; more than this is work that went unseen."""
_LAUNCH_S: Final = 1e-3
"""Launching and synchronising take so long at most; it counts where steps themselves are that short."""
_PHASE_SLACK: Final = 0.05


def warnings(record: Record) -> tuple[str, ...]:
    """Return what is implausible in `record`, a line each, beginning with the name of the check."""
    found: list[str] = []
    if record.samples is not None and record.samples.step_s:
        found += _clocks(record.case, record.samples)
        found += _phases(record.samples)
        if not record.samples.steady:
            found.append("not-steady: the steps never became steady; the median is of those after the best guess")
    allocated, reserved = record.facts.peak_allocated_bytes, record.facts.peak_reserved_bytes
    if allocated is not None and reserved is not None and allocated > reserved:
        found.append(f"memory: {allocated} bytes allocated exceed {reserved} reserved")
    if record.ran is not None:
        found += _label(record.case, record.ran)
    return tuple(found)


def _clocks(case: Case, samples: Samples) -> Iterator[str]:
    """Throughput by the wall clock times latency is the batch, or one of the two clocks is wrong."""
    turns: dict[int, list[float]] = {}
    for turn, step in zip(samples.turn, samples.step_s, strict=True):
        turns.setdefault(turn, []).append(step)
    pairs = [(sum(steps) / len(steps), samples.wall_s[turn]) for turn, steps in turns.items()]
    step, wall = (statistics.median(column) for column in zip(*pairs, strict=True))
    product = case.batch_size * step / wall
    told = f"throughput by the wall clock x latency is {product:.3g} images, the batch is {case.batch_size}"
    if step > wall * _STEP_SLACK:
        yield f"clocks: steps of {step:.3g} s do not fit into {wall:.3g} s of wall time; {told}"
    elif wall > step * _WALL_SLACK and wall - step > _LAUNCH_S:
        yield f"clocks: steps of {step:.3g} s take {wall:.3g} s of wall time, so work goes unseen; {told}"


def _phases(samples: Samples) -> Iterator[str]:
    if not (samples.forward_s and samples.backward_s and samples.optimizer_s):
        return
    parts = zip(samples.forward_s, samples.backward_s, samples.optimizer_s, samples.step_s, strict=True)
    share = statistics.median((forward + backward + update) / step for forward, backward, update, step in parts)
    if abs(share - 1) > _PHASE_SLACK:
        yield f"phases: forward, backward and optimizer add up to {share:.0%} of the step"


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
    if ran.compute_dtypes != (promise.compute,):
        yield f"label: {case.precision} computed in {', '.join(ran.compute_dtypes) or 'nothing'}"
    if ran.grad_scaler != (promise.grad_scaler and case.task == "training"):
        yield f"label: {case.precision} {case.task} ran with GradScaler {'on' if ran.grad_scaler else 'off'}"
    if ran.layout != case.layout:
        yield f"label: {case.layout} ran as {ran.layout}"
    if ran.threads != case.threads:
        yield f"label: {case.threads} threads ran as {ran.threads}"
