"""Inference: one forward pass in eval mode."""

from collections.abc import Callable
from typing import Any

from bench.measure import precision
from bench.measure.timing import Step
from results.schema.case import Case
from results.schema.labels import PROMISES


def inference_step(case: Case, forward: Callable[[], Any]) -> Step:
    """Return a step of one forward pass, to run inside `torch.inference_mode`."""
    context = precision.autocast(case)

    def step(mark: Callable[[], None]) -> Any:  # noqa: ARG001 - a forward pass has no parts
        with context:
            return forward()

    def plain_step(mark: Callable[[], None]) -> Any:  # noqa: ARG001 - likewise
        return forward()

    # Entering an empty context would cost each step half a microsecond.
    return plain_step if PROMISES[case.precision].autocast is None else step
