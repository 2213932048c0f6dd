"""Training: forward, loss, backward, optimizer."""

import functools
from collections.abc import Callable
from typing import Any, Final

import torch

from bench.measure import precision
from bench.measure.device import Unsupported, first_line
from bench.measure.timing import Step
from results.schema.case import Case
from results.schema.labels import OPTIMIZERS

LEARNING_RATE: Final = 1e-3
MOMENTUM: Final = 0.9


def make_optimizer(case: Case, module: torch.nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of a case for the parameters of `module`.

    Raises:
        Unsupported: torch has no such implementation for the device.
    """
    facts = OPTIMIZERS[case.optimizer]
    options: dict[str, Any] = {"lr": LEARNING_RATE} | ({facts.implementation: True} if facts.implementation else {})
    try:
        return _ALGORITHMS[facts.algorithm](module.parameters(), **options)
    except RuntimeError as error:
        raise Unsupported(f"torch has no {case.optimizer} for {case.device}: {first_line(error)}") from error


_ALGORITHMS: Final[dict[str, Callable[..., torch.optim.Optimizer]]] = {
    "sgd": functools.partial(torch.optim.SGD, momentum=MOMENTUM),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def training_step(
    case: Case,
    forward: Callable[[], Any],
    optimizer: torch.optim.Optimizer,
    loss_of: Callable[[Any], torch.Tensor],
    scaler: torch.amp.GradScaler,
) -> Step:
    """Return a step that updates the weights once and returns the loss, `loss_of` what `forward` returns.

    It marks two borders, between forward, backward and optimizer.
    """
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
