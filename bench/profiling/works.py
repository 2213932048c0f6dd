"""What each layer has to do, whatever runs it: FLOPs, and bytes that must move.

The operators of a forward pass on the meta device are counted; nothing is computed. The backward pass follows from
each: a product has a gradient of its input, if that is asked for, and of its weight, as large as the product itself.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, Final

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.profiling.attribution import ROOT_NAME
from bench.tasks import networks
from results.image_size import sides
from results.schema.case import Case
from results.schema.labels import HEADS, PROMISES, TASKS
from results.schema.lines.profile import LayerWork, Phase
from results.schema.operators import operator_kind

PRODUCTS: Final = frozenset({"convolution", "linear"})
FUSIBLE: Final = frozenset({"normalisation", "activation", "addition"})
"""Classes of operators that a compiler can join to the operator before them."""


@dataclasses.dataclass(slots=True)
class Work:
    """The work of a module in a phase."""

    flops: int = 0
    bytes: int = 0
    fused_bytes: int = 0

    def add(self, flops: int, moved: int, fused: int) -> None:
        """Add an operator's."""
        self.flops += flops
        self.bytes += moved
        self.fused_bytes += fused


def layer_works(case: Case) -> tuple[tuple[LayerWork, ...], str | None]:
    """Return the work of each layer in each phase of a step of the case, or none and the reason."""
    if HEADS[case.head].dynamic is not None:
        return (), f"the layers of {case.head} have no fixed work: {HEADS[case.head].dynamic}"
    trains = TASKS[case.task].trains
    with torch.device("meta"):
        network = networks.create_network(
            case.model, in_channels=case.in_channels, head=case.head, image_size=case.image_size
        ).train(trains)
        images = torch.empty(case.batch_size, case.in_channels, *sides(case.image_size))
    counter = _Counter(network, case, trains=trains)
    with torch.set_grad_enabled(trains), counter.hooks(), counter:
        network(images)
    return tuple(counter.works()), None


class _Counter(TorchDispatchMode):
    """Adds up the work of operators by the module that calls them."""

    def __init__(self, network: torch.nn.Module, case: Case, *, trains: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        promise = PROMISES[case.precision]
        self._item = getattr(torch, promise.compute).itemsize
        self._parameter_item = getattr(torch, promise.weights).itemsize
        self._trains = trains
        self._names = {module: name or ROOT_NAME for name, module in network.named_modules()}
        self._types = {name: type(module).__name__ for module, name in self._names.items()}
        self._running: list[str] = [ROOT_NAME]
        self._works: dict[tuple[str, Phase], Work] = {}

    def hooks(self) -> "_Hooks":
        """Return a context in which it knows the module that is running."""
        return _Hooks(self._names, self._running)

    def works(self) -> Iterator[LayerWork]:
        """Yield the work of each module that has some, the forward pass first."""
        for phase in ("forward", "backward"):
            for (name, own), work in self._works.items():
                if own == phase and (work.flops or work.bytes):
                    stage = name.split(".")[0]
                    facts = {"flops": work.flops, "bytes": work.bytes, "fused_bytes": work.fused_bytes}
                    yield LayerWork(name=name, type=self._types[name], stage=stage, phase=own, **facts)

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        needs_gradient = any(isinstance(arg, torch.Tensor) and arg.requires_grad for arg in args[:1])
        output = func(*args, **(kwargs or {}))
        if not any(value.alias_info and not value.alias_info.is_write for value in func._schema.returns):  # noqa: SLF001
            self._count(str(func), args, output, needs_gradient=needs_gradient)
        return output

    def _count(self, name: str, args: Any, output: Any, *, needs_gradient: bool) -> None:
        kind = operator_kind(name.replace("aten.", "aten::"))
        result = output[0] if isinstance(output, (tuple, list)) else output
        if kind not in PRODUCTS | FUSIBLE | {"pooling", "other"} or not isinstance(result, torch.Tensor):
            return
        tensors = [arg for arg in args if isinstance(arg, torch.Tensor) and arg.is_meta]
        if not tensors:
            return
        first, rest, out = self._size(_main(kind, tensors)), sum(map(self._size, tensors)), self._size(result)
        rest -= first
        flops = _flops(kind, tensors, result)
        fusible = kind in FUSIBLE
        statistics = kind == "normalisation" and self._trains  # which need all of the input before any of the output
        fused = (out if statistics else 0) + rest if fusible else first + rest + out
        module = self._running[-1]
        self._works.setdefault((module, "forward"), Work()).add(flops, first + rest + out, fused)
        if self._trains:
            self._count_backward(kind, module, flops, (first, rest, out), needs_gradient=needs_gradient)

    def _count_backward(
        self, kind: str, module: str, flops: int, sizes: tuple[int, int, int], *, needs_gradient: bool
    ) -> None:
        first, rest, out = sizes
        work = self._works.setdefault((module, "backward"), Work())
        if kind in PRODUCTS:  # reads both operands and the gradient of the output, writes the gradients of both
            moved = out + first + 2 * rest + (first if needs_gradient else 0)
            work.add(flops * (1 + needs_gradient), moved, moved)
        elif kind in {"normalisation", "activation"}:
            work.add(0, out + 2 * first + 2 * rest, first + 2 * rest)
        elif kind != "addition":  # whose gradient is that of its output
            work.add(0, out + first, out + first)

    def _size(self, tensor: torch.Tensor) -> int:
        """Return the bytes of a tensor in the case's number formats."""
        return tensor.numel() * int(self._item if tensor.ndim > 1 else self._parameter_item)


def _main(kind: str, tensors: list[torch.Tensor]) -> torch.Tensor:
    """Return the operand that is no parameter; a matrix product with a bias has it second."""
    return tensors[1] if kind == "linear" and len(tensors) == 3 else tensors[0]


def _flops(kind: str, tensors: list[torch.Tensor], result: torch.Tensor) -> int:
    if kind == "convolution":
        return 2 * result.numel() * math.prod(tensors[1].shape[1:])
    return 2 * result.numel() * int(_main(kind, tensors).shape[-1]) if kind == "linear" else 0


class _Hooks:
    """Keeps the names of the running modules, innermost last."""

    def __init__(self, names: dict[torch.nn.Module, str], running: list[str]) -> None:
        self._names, self._running, self._handles = names, running, list[Any]()

    def __enter__(self) -> None:
        for module, name in self._names.items():
            self._handles.append(module.register_forward_pre_hook(lambda *_, name=name: self._running.append(name)))
            self._handles.append(module.register_forward_hook(lambda *_: self._leave()))

    def _leave(self) -> None:
        self._running.pop()

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
