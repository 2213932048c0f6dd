"""Training: forward, loss, backward, SGD with momentum."""

from collections.abc import Callable
from typing import Any, Final

import torch

from bench.measure import precision
from bench.measure.timing import Step
from results.schema.case import Case

LEARNING_RATE: Final = 1e-3
MOMENTUM: Final = 0.9


def training_step(
    case: Case,
    forward: Callable[[], Any],
    module: torch.nn.Module,
    loss_of: Callable[[Any], torch.Tensor],
    scaler: torch.amp.GradScaler,
) -> Step:
    """Return a step that updates the weights of `module` once and returns the loss, `loss_of` what `forward` returns.

    It marks two borders, between forward, backward and optimizer.
    """
    optimizer = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    context = precision.autocast(case)

    def step(mark: Callable[[], None]) -> torch.Tensor:
        with context:
            loss: torch.Tensor = loss_of(forward())
        mark()
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        mark()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        return loss

    return step
