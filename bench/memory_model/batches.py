"""Predict the memory of many batches of a case: two are traced, the others lie on the line through both.

Each storage of a step has a size that does not depend on the batch, or that grows evenly with it, and the order of
allocations and releases is the same for every batch. What an operator holds for a moment is the largest of such sizes.
"""

import dataclasses
from typing import Final

from msgspec import structs

from bench.memory_model.lifetimes import Lifetime
from bench.memory_model.predict import StepTrace, memory_of, trace_step
from bench.process.profiling.messages import MemoryPredicted
from results.schema.case import Case

TRACED: Final = 2
"""Batches of a case that are traced."""


class BatchPredictor:
    """Predicts the memory of cases, and keeps the traces of what it has predicted."""

    def __init__(self) -> None:
        self._traces: dict[Case, dict[int, StepTrace]] = {}

    def predicted(self, case: Case) -> MemoryPredicted:
        """Return the memory of a steady step of a case; raises as `bench.memory_model.predict.predicted_memory`."""
        known = self._traces.setdefault(structs.replace(case, batch_size=1), {})
        trace = known.get(case.batch_size) or on_the_line(known, case.batch_size)
        if trace is None:
            trace = trace_step(case)
            if len(known) < TRACED:
                known[case.batch_size] = trace
        return memory_of(trace)


def on_the_line(traces: dict[int, StepTrace], batch: int) -> StepTrace | None:
    """Return the trace of a batch by those of two other batches, None where there are not two alike."""
    if len(traces) < TRACED:
        return None
    (first_batch, first), (last_batch, last) = sorted(traces.items())
    if first.moments != last.moments or not all(map(_alike, first.lifetimes, last.lifetimes)):
        return None
    share = (batch - first_batch) / (last_batch - first_batch)

    def size(low: int, high: int) -> int:
        return round(low + share * (high - low))

    lifetimes = []
    for low, high in zip(first.lifetimes, last.lifetimes, strict=True):
        held = tuple(map(size, low.held, high.held))
        lifetimes.append(dataclasses.replace(low, bytes=max(held) if held else size(low.bytes, high.bytes), held=held))
    fixed = {name: size(count, last.fixed[name]) for name, count in first.fixed.items()}
    return dataclasses.replace(first, lifetimes=tuple(lifetimes), fixed=fixed)


def _alike(low: Lifetime, high: Lifetime) -> bool:
    return (low.begin, low.end, len(low.held)) == (high.begin, high.end, len(high.held))
