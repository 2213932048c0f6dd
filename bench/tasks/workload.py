"""A case turned into a step that the timing loop can run: model, inputs, precision, layout, runtime."""

import contextlib
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bench.measure import precision
from bench.measure.device import Unsupported
from bench.measure.timing import Step
from bench.suites import models
from results.schema.case import Case
from results.schema.labels import PROMISES
from results.schema.types import known

if TYPE_CHECKING:
    import torch

SEED: Final = 0
LEARNING_RATE: Final = 1e-3
MOMENTUM: Final = 0.9
TRAINING_PHASES: Final = ("forward", "backward", "optimizer")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A step, and what it works on."""

    step: Step
    """It returns what it computed: the logits (batch, classes), or in training the loss."""
    context: Callable[[], contextlib.AbstractContextManager[object]]
    """What the step runs inside; entered once a turn, so that it costs the step nothing."""
    phases: tuple[str, ...]
    """Names of the parts that the step's marks divide it into; empty for a step of one part."""
    module: "torch.nn.Module"
    """The network that the step runs, compiled or not: its weights may be loaded in place."""
    images: "torch.Tensor"
    """The step's own input (batch, 3, height, width): what is copied into it is what the next step sees."""
    labels: "torch.Tensor"
    """The classes (batch,) that training aims at."""
    scaler: "torch.amp.GradScaler"
    """The loss scaler of the step; a pass-through where the precision needs none."""


def build(case: Case, dtype: str | None = None) -> Workload:
    """Build the workload of a case in this process, whose torch settings and random numbers it sets.

    Inputs are random and fixed, labels too: nothing is loaded while a step runs. `dtype` puts weights and images in
    another type than the case's precision does, as ``float64``.

    Raises:
        Unsupported: the device cannot do what the case asks.
    """
    import torch  # noqa: PLC0415

    precision.check(case)
    check_runtime(case)
    torch.set_num_threads(known(case.threads))
    promise = PROMISES[case.precision]
    precision.set_tf32(on=promise.tf32)
    torch.manual_seed(SEED)

    kind = getattr(torch, dtype or promise.weights)
    layout = torch.channels_last if case.layout == "nhwc" else torch.contiguous_format
    model = models.create(case.model).to(case.device, kind).to(memory_format=layout)
    model.train(case.task == "training")
    images = torch.randn(case.batch_size, 3, case.image_size, case.image_size)
    images = images.to(case.device, kind, memory_format=layout)
    labels = torch.randint(models.default_num_classes(case.model), (case.batch_size,)).to(case.device)
    scaler = precision.grad_scaler(case)
    ready = _compiled(model, case.runtime)

    training = case.task == "training"
    return Workload(
        step=_training_step(case, ready, model, images, labels, scaler)
        if training
        else inference_step(case, ready, images),
        context=contextlib.nullcontext if training else torch.inference_mode,
        phases=TRAINING_PHASES if training else (),
        module=model,
        images=images,
        labels=labels,
        scaler=scaler,
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

    def step(mark: Callable[[], None]) -> "torch.Tensor":  # noqa: ARG001 - a forward pass has no parts
        with context:
            return model(images)

    def plain_step(mark: Callable[[], None]) -> "torch.Tensor":  # noqa: ARG001 - likewise
        return model(images)

    # Entering an empty context would cost each step half a microsecond.
    return plain_step if PROMISES[case.precision].autocast is None else step


def _training_step(
    case: Case,
    model: "Callable[[torch.Tensor], torch.Tensor]",
    module: "torch.nn.Module",
    images: "torch.Tensor",
    labels: "torch.Tensor",
    scaler: "torch.amp.GradScaler",
) -> Step:
    import torch  # noqa: PLC0415

    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    context = precision.autocast(case)

    def step(mark: Callable[[], None]) -> "torch.Tensor":
        with context:
            loss: torch.Tensor = loss_of(model(images), labels)
        mark()
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        mark()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        return loss

    return step
