"""Turn a case into a step for the timing loop: network, input, precision, layout, runtime and task.

To add a task, add its facts to `results.schema.labels.TASKS`, its line to `BUILDERS`, and a field of
`results.schema.lines.record.Samples` for each phase that is new.
"""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, Final

import torch

from bench.measure import precision
from bench.measure.device import Device, Unsupported, open_device
from bench.measure.timing import Step
from bench.runtimes import Prepared, absent, beyond, engine_of
from bench.tasks import heads, networks
from bench.tasks.draws import QuickDraws
from bench.tasks.inference import inference_step
from bench.tasks.training import make_optimizer, training_step
from resnet.checkpointing import checkpoint_activations
from results.image_size import sides
from results.schema.axes import AXES
from results.schema.case import Case
from results.schema.labels import LAYOUTS, PROMISES, RUNTIMES, TASKS
from results.schema.types import known

SEED: Final = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A step with its network and data."""

    step: Step
    """The step, which returns what the network puts out, or in training the loss."""
    context: Callable[[], contextlib.AbstractContextManager[object]]
    """Context manager around the steps, entered once a turn so that it adds no time to a step."""
    phases: tuple[str, ...]
    """Names of the parts that the step's marks divide it into; empty for a step of one part."""
    prepared: Prepared
    """The network in its runtime, with its own input."""
    module: torch.nn.Module
    """The network that the runtime was given; training leaves its gradients here."""
    images: torch.Tensor
    """The images (batch, channels, height, width) that the runtime was given."""
    labels: torch.Tensor
    """The classes (batch,) that training aims at."""
    scaler: torch.amp.GradScaler
    """The loss scaler of the step; a pass-through where the precision needs none."""
    optimizer: torch.optim.Optimizer | None
    """None in a task that does not train."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts from which a task makes its step."""

    case: Case
    prepared: Prepared
    optimizer: torch.optim.Optimizer | None
    loss: Callable[[Any], torch.Tensor]
    """The loss of what the network puts out."""
    scaler: torch.amp.GradScaler


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """The builder of a task's step."""

    step: Callable[[Parts], Step]
    context: Callable[[], contextlib.AbstractContextManager[object]]


BUILDERS: Final[dict[str, Builder]] = {
    "inference": Builder(
        step=lambda parts: inference_step(parts.case, parts.prepared.forward), context=torch.inference_mode
    ),
    "training": Builder(
        step=lambda parts: training_step(
            parts.case, parts.prepared.forward, known(parts.optimizer), parts.loss, parts.scaler
        ),
        context=contextlib.nullcontext,
    ),
}
"""Every value of the axis ``task``."""


def build(
    case: Case, *, device: Device | None = None, cache: pathlib.Path | None = None, dtype: str | None = None
) -> Workload:
    """Return the workload of a case; sets the torch settings and random numbers of this process.

    Args:
        case: the case to measure.
        device: the device of the case, which is opened if None.
        cache: private folder of the runtime's artefacts, None for the runtime's usual one.
        dtype: type of weights and images in place of the precision's own, such as ``float64``.

    Raises:
        Unsupported: the device or the runtime does not support the case.
    """
    precision.check_precision(case)
    if case.task not in RUNTIMES[case.runtime].tasks:
        raise Unsupported(f"{case.runtime} runs no {case.task}")
    checks: tuple[Callable[[], str | None], ...] = (
        lambda: networks.without_head(case.model, case.head),
        lambda: unsuited(case),
        lambda: absent(case),
        lambda: engine_of(case.runtime).unsupported(case),
        lambda: beyond(case),
    )
    for check in checks:
        if (reason := check()) is not None:
            raise Unsupported(reason)
    engine, module = engine_of(case.runtime), network(case, dtype, quick=True)
    images, labels = random_batch(case, case.batch_size, dtype)
    scaler = precision.grad_scaler(case)
    prepared = engine.prepare(case, module, images, device=device or open_device(case.device), cache=cache)
    loss = heads.loss_of(case, module, labels)
    optimizer = make_optimizer(case, module) if TASKS[case.task].trains else None
    parts = Parts(case=case, prepared=prepared, optimizer=optimizer, loss=loss, scaler=scaler)
    builder = BUILDERS[case.task]
    return Workload(
        step=builder.step(parts),
        context=builder.context,
        phases=TASKS[case.task].phases,
        prepared=prepared,
        module=module,
        images=images,
        labels=labels,
        scaler=scaler,
        optimizer=optimizer,
    )


def network(case: Case, dtype: str | None = None, *, quick: bool = False) -> torch.nn.Module:
    """Return the network of a case on its device, with the same weights in every process.

    Sets threads, the choice of kernels and the seed of the random numbers, as every case needs them. With `quick` its
    weights have the usual scale only (see `bench.tasks.draws`).
    """
    torch.set_num_threads(known(case.threads))
    precision.set_kernels(case)
    torch.manual_seed(SEED)
    with QuickDraws() if quick else contextlib.nullcontext():
        module = networks.create_network(
            case.model, in_channels=case.in_channels, head=case.head, image_size=case.image_size
        )
    module = heads.of_batches(checkpointed(module, case))
    module = module.to(case.device, _dtype(case, dtype)).to(memory_format=_memory_format(case))
    return module.train(TASKS[case.task].trains)


def unsuited(case: Case) -> str | None:
    """Return why the settings of training do not suit the case, None if they do."""
    changed = [name for name in ("grad_checkpointing", "optimizer") if getattr(case, name) != AXES[name].baseline]
    if changed and not TASKS[case.task].trains:
        return f"{case.task} has no {' and no '.join(name.replace('_', ' ') for name in changed)}"
    if "grad_checkpointing" in changed and RUNTIMES[case.runtime].compiles:
        return "a compiler chooses itself which activations it keeps: grad_checkpointing is for eager"
    return None


def checkpointed(module: torch.nn.Module, case: Case) -> torch.nn.Module:
    """Return `module`, which from now on keeps as few activations as the case says. Raises `Unsupported`."""
    if case.grad_checkpointing != AXES["grad_checkpointing"].baseline:
        checkpoint_activations(_backbone(module, case), case.grad_checkpointing)  # type: ignore[arg-type] # its choices
    return module


def _backbone(module: torch.nn.Module, case: Case) -> torch.nn.Module:
    """Return the network with stages of blocks inside of a module. Raises `Unsupported`."""
    for part in module.modules():
        if getattr(part, "stages", ()):
            return part
    raise Unsupported(f"grad_checkpointing needs stages of blocks, which {case.model} has not")


def random_batch(case: Case, count: int, dtype: str | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random images and labels, drawn on the device of a case: nothing is loaded while a step runs."""
    images = torch.randn(count, case.in_channels, *sides(case.image_size), device=case.device)
    labels = torch.randint(heads.label_choices(case), (count,), device=case.device)
    return images.to(_dtype(case, dtype), memory_format=_memory_format(case)), labels


def _dtype(case: Case, dtype: str | None) -> torch.dtype:
    kind: torch.dtype = getattr(torch, dtype or PROMISES[case.precision].weights)
    return kind


def _memory_format(case: Case) -> torch.memory_format:
    memory_format: torch.memory_format = getattr(torch, LAYOUTS[case.layout])
    return memory_format
