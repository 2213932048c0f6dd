"""Compute the shapes of expensive operators without their arithmetic, as counters need only shapes."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


@contextlib.contextmanager
def convolutions_by_shape() -> Iterator[None]:
    """Let this thread's CPU convolutions return uninitialised memory of the right shape; not to be nested.

    Only shapes reach the counters, and the arithmetic is nearly all of a trace's time (a WRN-28-10 at 224² does
    257 GMACs). The kernel is replaced below the tracer, so the trace is the same to the node; a dispatch mode would
    hide the ``_convolution`` nodes that fvcore counts. Other threads and transposed convolutions compute as usual.

    The remaining arithmetic is small, so it runs on a single thread: on a busy machine a trace of ResNet-50 then takes
    half the time, on an idle machine the same time. Before torch 2.10 a kernel cannot be replaced: everything is
    computed, on the usual threads.
    """
    if not hasattr(torch.library, "get_kernel"):
        yield
        return
    compute = torch.library.get_kernel("aten::_convolution", "CPU")
    counting = threading.get_ident()

    def convolution(keys: Any, *args: Any) -> Any:
        transposed = args[6]
        if transposed or threading.get_ident() != counting:
            return compute.call_boxed(keys, *args)
        return args[0].new_empty(_convolved_shape(*args[:2], *args[3:6]))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.library._scoped_library("aten", "IMPL") as library:  # noqa: SLF001  # Library cannot be closed otherwise
            library.impl("_convolution", convolution, "CPU", with_keyset=True)
            yield
    finally:
        torch.set_num_threads(threads)


def _convolved_shape(
    inputs: torch.Tensor,
    weight: torch.Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Shape of a convolution's output, from the formula in `torch.nn.Conv2d`'s documentation."""
    spatial = [
        (size + 2 * pad - spread * (kernel - 1) - 1) // step + 1
        for size, kernel, step, pad, spread in zip(
            inputs.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True
        )
    ]
    return [inputs.shape[0], weight.shape[0], *spatial]


class _NormsByShape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.native_batch_norm.default:
            statistics = args[0].new_empty(args[0].shape[1])
            return torch.empty_like(args[0]), statistics, statistics.clone()
        if func is torch.ops.aten.native_batch_norm_backward.default:
            gradients = zip((args[1], args[2], args[2]), args[-1], strict=True)
            return tuple(torch.empty_like(of) if needed else None for of, needed in gradients)
        return func(*args, **(kwargs or {}))


def norms_by_shape() -> contextlib.AbstractContextManager[object]:
    """Let batch norm on the meta device return its shapes at once.

    ``FlopCounterMode`` counts no FLOPs of it, but torch computes its shapes by a decomposition in Python, which takes
    half of the time of a forward and a backward pass.
    """
    mode: contextlib.AbstractContextManager[object] = _NormsByShape()  # type: ignore[no-untyped-call]
    return mode
