"""Gradient checkpointing: a block keeps its input only, and computes its activations again in the backward pass."""

import contextlib
import functools
from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpoint_blocks(network: nn.Module) -> None:
    """Let every block of `network` compute its activations again in the backward pass.

    Weights, statistics and gradients are the same as without, to the bit.

    Raises:
        ValueError: The network has no stages of blocks.
    """
    names = getattr(network, "stages", ())
    if not names:
        raise ValueError(f"grad_checkpointing needs a network with stages of blocks, not a {type(network).__name__}")
    for name in names:
        for block in network.get_submodule(name).children():
            contexts = functools.partial(_contexts, block)
            block.forward = functools.partial(
                checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False, context_fn=contexts
            )


def _contexts(block: nn.Module) -> tuple[contextlib.AbstractContextManager[None], ...]:
    """Return the contexts of the first and of the second pass through a block."""
    return contextlib.nullcontext(), _without_statistics(block)


@contextlib.contextmanager
def _without_statistics(block: nn.Module) -> Iterator[None]:
    """Keep batch norms from counting a batch twice."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
