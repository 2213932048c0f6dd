"""Gradient checkpointing (Chen 2016): keep fewer activations for the backward pass, and compute the others again."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Literal

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpoint_activations(network: nn.Module, parts: Literal["stages", "blocks"] = "blocks") -> None:
    """Let each stage, or each block, of `network` keep its input only; of a network that does so already, nothing.

    Weights, statistics and gradients are the same as without, to the bit.

    Raises:
        ValueError: The network has no stages of blocks.
    """
    names = getattr(network, "stages", ())
    if not names:
        raise ValueError(f"grad_checkpointing needs a network with stages of blocks, not a {type(network).__name__}")
    stages = [network.get_submodule(name) for name in names]
    for part in stages if parts == "stages" else [block for stage in stages for block in stage.children()]:
        if "forward" not in vars(part):
            contexts = functools.partial(_contexts, part)
            part.forward = functools.partial(
                checkpoint, part.forward, use_reentrant=False, preserve_rng_state=False, context_fn=contexts
            )


def _contexts(part: nn.Module) -> tuple[contextlib.AbstractContextManager[None], ...]:
    """Return the contexts of the first and of the second pass through a part."""
    return contextlib.nullcontext(), _without_statistics(part)


@contextlib.contextmanager
def _without_statistics(part: nn.Module) -> Iterator[None]:
    """Keep batch norms from counting a batch twice; they save the same tensors for the backward pass as ever."""
    norms = [module for module in part.modules() if isinstance(module, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, counter) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, counter
