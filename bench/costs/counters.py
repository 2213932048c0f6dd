"""Multiply-adds and activations of any module, counted twice: by fvcore and by torch's ``FlopCounterMode``.

fvcore traces real tensors and is the reference; ``FlopCounterMode`` watches the operators of a forward and a backward
pass on the meta device, independently. They must agree exactly on every layer.
"""

import dataclasses
import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from bench.costs.shapes import convolutions_by_shape, norms_by_shape
from bench.machine import memory
from results.errors import InputError
from results.schema.lines.static import Layer

MakeModule = Callable[[], nn.Module]

ROOT: Final = "(root)"
"""Name given to the model itself where it holds parameters or computes outside its children."""

_MACS: Final = "multiply-adds"
_ACTIVATIONS: Final = "activations"
_TRAFFIC: Final = "elements moved"
_ALIVE: Final = 6
"""Memory of tracing a model, in tensors of the size of its largest output (measured: 1.3 to 5.1)."""


class CounterError(RuntimeError):
    """The two counters disagree: the message names the layer and both counts."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of a model for one input."""

    layers: tuple[Layer, ...]
    """Layers in order of first execution; layers that were never called come last, with an empty output shape."""
    training_flops: int
    """FLOPs of forward and backward as they run: the first layer computes no gradient of its input."""
    fvcore_macs: int
    """fvcore's own total: multiply-adds with its estimates for batch norm and pooling."""
    moved_elements: int
    """Elements that convolutions and matrix products read (input, weight, bias) and write."""
    uncounted: tuple[str, ...]
    """Operators that fvcore does not know."""


def count(make: MakeModule, shape: tuple[int, ...]) -> Counts:
    """Count a model's cost for an input of `shape`, in eval mode and, from torch 2.10 on, without its arithmetic.

    It changes warnings, threads and kernels of the whole process for a while, so count in a single thread at a time.

    Args:
        make: Makes a new model. It is called under the meta device, so nothing is initialised.
        shape: Shape of the input, batch dimension first.

    A layer is a module without children, or a module that holds parameters or computes outside its children. A shared
    module is a single layer under its first name; a module called several times is a row with the sum of its calls.
    Branches of the training mode (auxiliary classifiers, dropout) are not counted.

    Raises:
        CounterError: fvcore's multiply-adds × 2 are not ``FlopCounterMode``'s FLOPs for some layer.
        InputError: The tensors that fvcore needs do not fit in memory.
    """
    _check_memory(shape, 0)
    with torch.device("meta"):
        model = make().eval()
    flops, shapes, training_flops = _run_on_meta(model, shape)
    _check_memory(shape, max(map(math.prod, shapes.values())))
    traced, uncounted = _trace(model, shape)
    for name, module in model.named_modules():
        if 2 * traced[name][_MACS] != flops[name]:
            raise CounterError(
                f"the counters disagree on layer {name or ROOT!r} ({type(module).__name__}): "
                f"fvcore has {traced[name][_MACS]} multiply-adds, FlopCounterMode {flops[name]} FLOPs, "
                "which should be twice as many"
            )
    total = sum(traced.values(), Counter[str]())
    return Counts(
        layers=_layers(model, traced, shapes),
        training_flops=training_flops,
        fvcore_macs=total.total() - total[_ACTIVATIONS] - total[_TRAFFIC],
        moved_elements=total[_TRAFFIC],
        uncounted=uncounted,
    )


def _layers(model: nn.Module, traced: dict[str, Counter[str]], shapes: dict[str, tuple[int, ...]]) -> tuple[Layer, ...]:
    """Return the layers in order of first execution, then the layers that were never called."""
    modules = dict(model.named_modules())
    parameters = _own_parameters(model)
    order = [*shapes, *(name for name in modules if name not in shapes)]
    return tuple(
        Layer(
            name=name or ROOT,
            type=type(modules[name]).__name__,
            stage=name.split(".")[0] or ROOT,
            output_shape=shapes.get(name, ()),
            parameters=parameters[name],
            macs=traced[name][_MACS],
            activations=traced[name][_ACTIVATIONS],
        )
        for name in order
        if parameters[name] or traced[name][_MACS] or not any(True for _ in modules[name].children())
    )


def _check_memory(shape: tuple[int, ...], largest: int) -> None:
    """Raise `InputError` unless an input of `shape` and the live tensors, of `largest` elements, fit into memory.

    The kernel overcommits memory: where a process uses more than there is, it kills some process.
    """
    needed, free = 4 * (math.prod(shape) + _ALIVE * largest), memory.available()
    if needed > free:
        size = "x".join(map(str, shape))
        raise InputError(
            f"counting for an input of {size} takes about {needed / 1e9:.0f} GB of memory, and {free / 1e9:.1f} GB "
            "are free; choose a smaller image"
        )


def _own_parameters(model: nn.Module) -> dict[str, int]:
    """Return the elements of each module's own parameters; a shared parameter counts at its first module."""
    own = dict.fromkeys((name for name, _ in model.named_modules()), 0)
    for name, parameter in model.named_parameters():
        own[name.rpartition(".")[0]] += parameter.numel()
    return own


def _run_on_meta(model: nn.Module, shape: tuple[int, ...]) -> tuple[Counter[str], dict[str, tuple[int, ...]], int]:
    """Return each module's own forward FLOPs, output shapes in order of completion, and FLOPs with backward.

    Our hooks attribute the FLOPs: ``FlopCounterMode``'s module names are ambiguous for shared modules.
    """
    backward = {torch.ops.aten.convolution_backward: _convolution_backward_flops}
    counter = FlopCounterMode(display=False, custom_mapping=backward)
    names = {module: name for name, module in model.named_modules()}
    flops: Counter[str] = Counter()
    shapes: dict[str, tuple[int, ...]] = {}
    running = [""]
    settled = 0

    def settle() -> None:
        """Attribute the FLOPs since the last border to the module that was running."""
        nonlocal settled
        total = counter.get_total_flops()
        flops[running[-1]] += total - settled
        settled = total

    def enter(module: nn.Module, _inputs: object) -> None:
        settle()
        running.append(names[module])

    def leave(module: nn.Module, _inputs: object, output: object) -> None:
        settle()
        running.pop()
        first = next(iter(_tensors(output)), None)
        shapes.setdefault(names[module], () if first is None else tuple(first.shape))

    hooks = [
        handle
        for module in names
        for handle in (module.register_forward_pre_hook(enter), module.register_forward_hook(leave))
    ]
    with counter, norms_by_shape():
        outputs = _tensors(model(torch.empty(shape, device="meta")))
        settle()
        losses = [output.sum() for output in outputs if output.requires_grad]
        if losses:
            torch.autograd.backward(losses)
    for handle in hooks:
        handle.remove()
    return flops, shapes, counter.get_total_flops()


def _convolution_backward_flops(
    output_gradient: Sequence[int],
    inputs: Sequence[int],
    weight: Sequence[int],
    *arguments: Any,
    out_shape: object,  # noqa: ARG001  # FlopCounterMode passes it by name
) -> int:
    """Return the FLOPs of a convolution's backward pass: each gradient costs as much as the forward pass.

    torch's own formula (2.14) omits the groups in the weight's gradient and so counts it `groups` times: 4.7 times
    the forward pass for a ResNeXt-50 where 3 is right. The arguments are those of ``aten::convolution_backward``.
    """
    _bias, _stride, _padding, _dilation, transposed, _output_padding, _groups, needed = arguments
    positions = inputs if transposed else output_gradient
    return 2 * math.prod(positions) * math.prod(weight[1:]) * (bool(needed[0]) + bool(needed[1]))


def _tensors(output: object) -> list[torch.Tensor]:
    """Return the tensors of a module's output: a tensor, a sequence or a mapping."""
    return [leaf for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor)]


def _trace(model: nn.Module, shape: tuple[int, ...]) -> tuple[dict[str, Counter[str]], tuple[str, ...]]:
    """Return fvcore's counts of each module's own operators, and the operators that it does not know.

    A single trace gives multiply-adds, activations and elements moved, through a handle that counts all three. fvcore
    needs real tensors, so the meta model is given memory, which no convolution touches from torch 2.10 on.
    """
    with warnings.catch_warnings():
        # fvcore touches torch's deprecated TorchScript interface when imported and when it traces. It is imported
        # here because another interpreter may lack it: its worker can be timed all the same.
        warnings.simplefilter("ignore")
        from fvcore.nn import jit_handles  # noqa: PLC0415
        from fvcore.nn.flop_count import FlopCountAnalysis  # noqa: PLC0415

        handles: dict[str, Any] = {
            "aten::_convolution": jit_handles.conv_flop_jit,
            "aten::addmm": jit_handles.addmm_flop_jit,
            "aten::bmm": jit_handles.bmm_flop_jit,
            "aten::einsum": jit_handles.einsum_flop_jit,
            "aten::linear": jit_handles.linear_flop_jit,
            "aten::matmul": jit_handles.matmul_flop_jit,
            "aten::mm": jit_handles.matmul_flop_jit,
        }
        analysis = (
            FlopCountAnalysis(model.to_empty(device="cpu"), torch.empty(shape))
            .set_op_handle(**{operator: _count_once(handle) for operator, handle in handles.items()})
            .unsupported_ops_warnings(enabled=False)
            .uncalled_modules_warnings(enabled=False)
            .tracer_warnings("none")
        )
        with torch.no_grad(), convolutions_by_shape():
            inclusive: dict[str, Counter[str]] = analysis.by_module_and_operator()
        uncounted = tuple(sorted(analysis.unsupported_ops()))
    # fvcore adds the counts of a module to each module whose name is a prefix of its name: subtract them.
    own = {name: Counter(counts) for name, counts in inclusive.items()}
    for name, counts in inclusive.items():
        if name:
            own[name.rpartition(".")[0]].subtract(counts)
    return own, uncounted


def _count_once(macs: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handle that counts multiply-adds, activations and elements moved of an operator at once."""
    from fvcore.nn.jit_handles import generic_activation_jit, get_shape  # noqa: PLC0415

    activations: Callable[..., Any] = generic_activation_jit()

    def handle(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
        count = macs(inputs, outputs)
        written = activations(inputs, outputs)
        read = sum(math.prod(shape) for shape in map(get_shape, inputs) if shape is not None)
        return Counter(
            {
                _MACS: int(count.total() if isinstance(count, Counter) else count),
                _ACTIVATIONS: written,
                _TRAFFIC: read + written,
            }
        )

    return handle
