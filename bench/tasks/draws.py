"""Quick random weights: numbers that are drawn once and used again and again.

Drawing the weights of a ResNet-50 takes longer than several of its steps. Where only speed matters, weights need the
scale of the usual weights, so that activations stay finite and no denormal numbers slow the arithmetic, but not
their independence.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import torch
from torch.nn import init
from torch.overrides import TorchFunctionMode

DRAWN: Final = 1_000_003
"""Numbers that are drawn: a prime, so that filters which share numbers have them at other places."""


class QuickDraws(TorchFunctionMode):
    """A context in which random initialisations of float32 tensors take their numbers from a common supply."""

    def __init__(self) -> None:
        super().__init__()
        self._supply = torch.randn(DRAWN).numpy()
        self._next = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Fill the tensor of a random initialisation; pass any other call on."""
        given = dict(kwargs or {})
        draw = _DRAWS.get(getattr(func, "__name__", ""))
        if draw is None:
            return func(*args, **given)
        tensor, *rest = args or (given.pop("tensor"),)
        if tensor.dtype != torch.float32 or not tensor.is_cpu or not tensor.is_contiguous():
            return func(*args, **(kwargs or {}))
        mean, std = draw(tensor, *rest, **given)
        self._fill(tensor.detach().numpy().reshape(-1), mean, std)
        return tensor

    def _fill(self, values: "np.ndarray[Any, np.dtype[np.float32]]", mean: float, std: float) -> None:
        filled = 0
        while filled < len(values):
            count = min(len(values) - filled, DRAWN - self._next)
            part = values[filled : filled + count]  # numpy, as torch's threads would meet those of other workers
            np.multiply(self._supply[self._next : self._next + count], np.float32(std), out=part)
            if mean:
                part += np.float32(mean)
            filled += count
            self._next = (self._next + count) % DRAWN


def _normal(_tensor: torch.Tensor, mean: float = 0.0, std: float = 1.0, **_: Any) -> tuple[float, float]:
    return mean, std


def _uniform(_tensor: torch.Tensor, a: float = 0.0, b: float = 1.0, **_: Any) -> tuple[float, float]:
    return (a + b) / 2, (b - a) / math.sqrt(12)


def _kaiming_uniform(
    tensor: torch.Tensor, a: float = 0, mode: Any = "fan_in", nonlinearity: Any = "leaky_relu", **_: Any
) -> tuple[float, float]:
    fan_in, fan_out = init._calculate_fan_in_and_fan_out(tensor)  # noqa: SLF001 - torch has no public name for it
    return 0.0, init.calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


_DRAWS: Final[dict[str, Callable[..., tuple[float, float]]]] = {
    "normal_": _normal,
    "uniform_": _uniform,
    "kaiming_uniform_": _kaiming_uniform,
}
"""Mean and standard deviation of the ways to draw weights, by their arguments. Other functions of `torch.nn.init` call
these methods of the tensor."""
