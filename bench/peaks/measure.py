"""Measure what a device can do, everything in turns, so that the spread of each figure is known."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import torch

from bench.machine.device_names import device_type, is_cpu
from bench.measure import precision as precisions
from bench.measure.device import Device, Unsupported, first_line
from bench.measure.timing import Step, time_turn
from bench.peaks.compute import Product, peak_products
from bench.peaks.streams import copy_step, smallest_step, triad_step, working_sets
from bench.process.profiling.messages import DevicePeaksMeasured
from results.schema.labels import PROMISES
from results.schema.lines.peaks import Bandwidth, ComputePeak

PEAK_REPETITIONS: Final = 5
LEAST_REPETITIONS: Final = 3
PEAK_TURN_S: Final = 0.05
"""Least seconds of a turn where the time allows it: a clock rises, and timers are exact enough."""
MOST_PEAK_STEPS: Final = 2000
SLOW_S: Final = 0.1
"""Seconds of a step behind which no larger shape of the operator is tried."""
SHORT_PEAKS_S: Final = 30.0
"""Below so many seconds for everything, every second working set and the middle sizes of products only."""
_DISPATCHES: Final = 1000


@dataclasses.dataclass(slots=True)
class Figure:
    """A figure in the making."""

    step: Step
    amount: float
    """FLOPs or bytes of a step; 1 of a latency."""
    steps: int
    step_s: float
    """Seconds of a step, once."""
    rates: list[float] = dataclasses.field(default_factory=list)


def measure_device_peaks(
    device: Device, precision_names: tuple[str, ...], threads: int, seconds: float, clock: Callable[[], float]
) -> DevicePeaksMeasured:
    """Return what a device can do, within about so many seconds.

    A shape is left out of a precision where a step of a smaller shape takes too long, as in emulated arithmetic.
    """
    torch.set_num_threads(threads)
    began = clock()
    nulls: dict[str, str] = {}
    figures = _Figures(device, clock, turn_s=min(PEAK_TURN_S, seconds / 400), short=seconds < SHORT_PEAKS_S)
    compute = _compute(figures, precision_names, nulls)
    streams = _streams(figures)
    dispatch = figures.add(smallest_step(device), 1.0, steps=_DISPATCHES)
    for repetition in range(PEAK_REPETITIONS):
        if repetition >= LEAST_REPETITIONS and clock() - began > seconds:
            break
        figures.repeat()
    return DevicePeaksMeasured(
        device_name=torch.cuda.get_device_name(device.name) if device_type(device.name) == "cuda" else None,
        compute=_best(compute),
        bandwidths=tuple(
            Bandwidth(operation=operation, working_set_bytes=size, bytes_per_s=tuple(figure.rates))  # type: ignore[arg-type]
            for (operation, size), figure in streams.items()
        ),
        dispatch_s=tuple(1 / rate for rate in dispatch.rates),
        launch_s=_launches(device, clock),
        notes=(),
        nulls=nulls,
    )


class _Figures:
    """All figures, which are repeated in turns."""

    def __init__(self, device: Device, clock: Callable[[], float], *, turn_s: float, short: bool) -> None:
        self.device, self.clock, self.short = device, clock, short
        self._turn_s = turn_s
        self._all: list[Figure] = []

    def add(self, step: Step, amount: float, steps: int | None = None) -> Figure:
        """Add a figure; without `steps`, as many as fill a turn. Raises what the step raises."""
        once = min(time_turn(step, self.device, steps=2, drop=1, clock=self.clock).step_s)
        figure = Figure(step, amount, steps or max(1, min(MOST_PEAK_STEPS, round(self._turn_s / once))), once)
        self._all.append(figure)
        return figure

    def repeat(self) -> None:
        """Measure every figure once."""
        for figure in self._all:
            turn = time_turn(figure.step, self.device, steps=figure.steps, drop=1, clock=self.clock)
            figure.rates.append(figure.amount * figure.steps / sum(turn.step_s))


def _compute(
    figures: _Figures, precision_names: tuple[str, ...], nulls: dict[str, str]
) -> dict[tuple[str, str], list[tuple[Product, Figure]]]:
    """Add the products of each precision; the reason of a precision that the device lacks goes to `nulls`."""
    made: dict[tuple[str, str], list[tuple[Product, Figure]]] = defaultdict(list)
    for precision in precision_names:
        precisions.set_tf32(on=PROMISES[precision].tf32)
        try:
            slow: set[str] = set()
            for operator, make in peak_products(figures.device, precision):
                if operator not in slow:
                    product = make()
                    figure = figures.add(product.step, product.flops)
                    made[operator, precision].append((product, figure))
                    slow |= {operator} if figure.step_s > SLOW_S else set()
        except (RuntimeError, Unsupported) as error:
            nulls[precision] = f"not measured: {first_line(error)}"[:4096]
    return made


def _streams(figures: _Figures) -> dict[tuple[str, int], Figure]:
    sizes = working_sets(figures.device)
    sizes = sizes[::2] if figures.short else sizes
    steps = {"copy": copy_step, "triad": triad_step}
    return {
        (operation, size): figures.add(make(figures.device, size), float(size))
        for size in sizes
        for operation, make in steps.items()
    }


def _best(made: dict[tuple[str, str], list[tuple[Product, Figure]]]) -> tuple[ComputePeak, ...]:
    """Return of each operator and precision the shape whose slowest repetition is the fastest."""
    peaks = []
    for (operator, precision), several in made.items():
        product, figure = max(several, key=lambda pair: sorted(pair[1].rates)[len(pair[1].rates) // 2])
        rates = tuple(figure.rates)
        peaks.append(ComputePeak(operator=operator, precision=precision, size=product.size, flops_per_s=rates))  # type: ignore[arg-type]
    return tuple(peaks)


def _launches(device: Device, clock: Callable[[], float]) -> tuple[float, ...]:
    """Return the seconds from queueing a kernel on an idle device to its end; none on the CPU."""
    if is_cpu(device.name):
        return ()
    step = smallest_step(device)
    taken = []
    for _ in range(PEAK_REPETITIONS + 1):
        device.synchronize()
        began = clock()
        step(lambda: None)
        device.synchronize()
        taken.append(clock() - began)
    return tuple(taken[1:])
