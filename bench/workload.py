"""A case turned into a step that the timing loop can run: model, inputs, precision, layout, runtime."""

import contextlib
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bench import models, precision
from bench.device import Unsupported
from bench.timing import Step
from results.precisions import PROMISES
from results.schema import Case, Ran

if TYPE_CHECKING:
    import torch

SEED: Final = 0
LEARNING_RATE: Final = 1e-3
MOMENTUM: Final = 0.9
TRAINING_PHASES: Final = ("forward", "backward", "optimizer")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A step, and how to look at what it really does."""

    step: Step
    context: Callable[[], contextlib.AbstractContextManager[object]]
    """What the step runs inside; entered once a turn, so that it costs the step nothing."""
    phases: tuple[str, ...]
    """Names of the parts that the step's marks divide it into; empty for a step of one part."""
    observe: Callable[[], Ran]
    """Run one eager forward pass under the same settings and report what ran. Not to be timed."""


def build(case: Case) -> Workload:
    """Build the workload of a case in this process, whose torch settings it changes.

    Inputs are random and fixed, labels too: nothing is loaded while a step runs.

    Raises:
        Unsupported: the device cannot do what the case asks.
    """
    import torch  # noqa: PLC0415

    precision.check(case)
    check_runtime(case)
    torch.set_num_threads(case.threads)
    promise = PROMISES[case.precision]
    precision.set_tf32(on=promise.tf32)
    torch.manual_seed(SEED)

    dtype = getattr(torch, promise.weights)
    layout = torch.channels_last if case.layout == "nhwc" else torch.contiguous_format
    model = models.create(case.model).to(case.device, dtype).to(memory_format=layout)
    model.train(case.task == "training")
    images = torch.randn(case.batch_size, 3, case.image_size, case.image_size)
    images = images.to(case.device, dtype, memory_format=layout)
    ready = _compiled(model, case.runtime)

    training = case.task == "training"
    return Workload(
        step=_training_step(case, ready, model, images) if training else inference_step(case, ready, images),
        context=contextlib.nullcontext if training else torch.inference_mode,
        phases=TRAINING_PHASES if training else (),
        observe=lambda: _observe(case, model, images),
    )


def check_runtime(case: Case) -> None:
    """Raise `Unsupported` where the runtime would silently be another one on this device."""
    if case.runtime == "compile:reduce-overhead" and not case.device.startswith("cuda"):
        raise Unsupported(f"reduce-overhead is CUDA graphs, which {case.device} has not: it would run as plain compile")


def _compiled(model: "torch.nn.Module", runtime: str) -> "Callable[[torch.Tensor], torch.Tensor]":
    import torch  # noqa: PLC0415

    kind, _, mode = runtime.partition(":")
    if kind == "eager":
        return model
    return torch.compile(model, mode=mode or None, dynamic=False)


def inference_step(case: Case, model: "Callable[[torch.Tensor], torch.Tensor]", images: "torch.Tensor") -> Step:
    """Return the step of an inference case: one forward pass, to be run inside `torch.inference_mode`."""
    context = precision.autocast(case)

    def step(mark: Callable[[], None]) -> None:  # noqa: ARG001 - a forward pass has no parts
        with context:
            model(images)

    def plain_step(mark: Callable[[], None]) -> None:  # noqa: ARG001 - likewise
        model(images)

    # Entering an empty context would cost each step half a microsecond.
    return plain_step if PROMISES[case.precision].autocast is None else step


def _training_step(
    case: Case,
    model: "Callable[[torch.Tensor], torch.Tensor]",
    module: "torch.nn.Module",
    images: "torch.Tensor",
) -> Step:
    import torch  # noqa: PLC0415

    labels = torch.randint(models.default_num_classes(case.model), (case.batch_size,)).to(case.device)
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    scaler = precision.grad_scaler(case)
    context = precision.autocast(case)

    def step(mark: Callable[[], None]) -> None:
        with context:
            loss = loss_of(model(images), labels)
        mark()
        scaler.scale(loss).backward()
        mark()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)

    return step


def _observe(case: Case, model: "torch.nn.Module", images: "torch.Tensor") -> Ran:
    import torch  # noqa: PLC0415

    dtypes: set[str] = set()
    layouts: set[str] = set()
    autocast: list[str | None] = []

    def look(module: torch.nn.Module, _: object, output: torch.Tensor) -> None:
        dtypes.add(_name(output.dtype))
        autocast.append(_name(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else None)
        if isinstance(module, torch.nn.Conv2d):
            nchw = output.is_contiguous()
            nhwc = output.is_contiguous(memory_format=torch.channels_last)
            if nchw != nhwc:  # one channel or one pixel is both
                layouts.add("nhwc" if nhwc else "nchw")

    kind = case.device.partition(":")[0]
    hooks = [
        module.register_forward_hook(look)
        for module in model.modules()
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))
    ]
    model.eval()  # the last look must not move the running statistics
    with torch.inference_mode(), precision.autocast(case):
        model(images)
    for hook in hooks:
        hook.remove()
    return Ran(
        parameter_dtypes=tuple(sorted({_name(parameter.dtype) for parameter in model.parameters()})),
        compute_dtypes=tuple(sorted(dtypes)),
        layout=next(iter(layouts)) if len(layouts) == 1 else "mixed",
        tf32_matmul=torch.backends.cuda.matmul.allow_tf32,
        tf32_convolution=torch.backends.cudnn.allow_tf32,
        autocast=autocast[0] if autocast else None,
        grad_scaler=precision.grad_scaler(case).is_enabled(),
        threads=torch.get_num_threads(),
    )


def _name(dtype: "torch.dtype") -> str:
    return str(dtype).removeprefix("torch.")
