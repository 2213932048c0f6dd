"""Averages of weights: what is validated and kept in place of weights that still move."""

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class MovingAverage:
    """An exponential moving average of a network's weights and of the statistics of its batch norms.

    Args:
        network: Its weights begin the average.
        decay: Share of the average that a step leaves. The first steps leave less, (1 + t) / (10 + t), so that the
            initial weights are forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.state = cloned(network.state_dict())
        """The average, with the keys of the network's state dict."""

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Add the weights after a step, which counts from 1. Counters, which are integers, are the network's own."""
        averages, values = [], []
        for key, value in network.state_dict().items():
            if value.is_floating_point():
                averages.append(self.state[key])
                values.append(value)
            else:
                self.state[key].copy_(value)
        decay = min(self._decay, (1 + step) / (10 + step))
        get_ema_multi_avg_fn(decay)(averages, values, step)  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """Give a network the average, and its own weights again in the end."""
        own = cloned(network.state_dict())
        network.load_state_dict(self.state)
        try:
            yield
        finally:
            network.load_state_dict(own)


def cloned(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of a state dict, in the memory format of each tensor."""
    return {key: value.detach().clone() for key, value in state.items()}
