"""Equality check: compare the step of a case with fp64 on the same weights and a fresh input.

The case's timed step runs again, compiled graph, autocast and loss scaling included: nothing is rebuilt for the check.
Its runtime loads other weights and a fresh input, which reveals a cached result. The check compares the logits, or in
training the loss and each gradient before the optimizer changes the weights.

An error is a root mean square, divided by the root mean square of the reference; `bench.validate.tolerance` has the
allowed errors.

Initial weights would hide faults in noise. Without biases each ReLU cuts half of its input at its steepest, and in
training mode a deep network's gradients in fp32 differ from fp64 by 3 %, in bf16 entirely. So `steady` gives the
normalisations a bias: fewer units lie near zero, and rounding errors stay small (resnet50's gradients: 4e-6 in place of
2e-2). Inference normalises by the statistics of another batch, as a trained network does, which keeps deep residual
streams within float16.

The flip of a ReLU is rare, but a large error where a layer has few units. Another input has other flips, whereas a
fault shows with every input. So a value with too large an error is tried with up to `INPUTS` inputs, and is wrong if
its error is too large with all of them.
"""

import dataclasses
import functools
import hashlib
import json
import math
import os
import pathlib
from collections.abc import Callable
from typing import Final

import torch
from msgspec import structs
from torch.utils.checkpoint import checkpoint

from bench.machine.device_names import is_cpu
from bench.measure import precision
from bench.tasks.heads import label_choices
from bench.tasks.workload import Workload, build, network, random_batch
from bench.validate.tolerance import OUTPUTS, RESULTS, allowances
from results.image_size import sides
from results.schema.case import Case
from results.schema.labels import HEADS, TASKS
from results.schema.lines.record import Equality, Sameness

Tensors = dict[str, torch.Tensor]

IMAGES: Final = 4
"""Images of an inference batch that are compared: in eval mode images are independent."""
INPUTS: Final = 3
RESCALES: Final = 20
"""The most steps in which loss scaling may search for a scale."""
CALIBRATION: Final = 8
"""Images that give the statistics of the normalisations."""


class Incomparable(Exception):  # noqa: N818 - a finding, not an error of ours
    """There is no valid reference; the message is the reason."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Input of a step: weights by name, images (batch, channels, height, width) and their classes (batch,)."""

    weights: Tensors
    images: torch.Tensor
    labels: torch.Tensor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Right result for an input: what the network puts out, or ``loss`` and the gradients by parameter.

    A network puts out ``output`` (images, classes), a segmenter also ``mask`` (images, 1, height, width).
    It is computed in fp64; gradients are stored in fp32, which halves the file for an error of 3e-8.
    """

    values: Tensors
    errors: dict[str, float]
    """The baseline's error, by the name of the value."""
    repeats: dict[str, float]
    """The difference of a second run of the baseline from the first."""


def check_equality(case: Case, work: Workload, folder: pathlib.Path, *, device: str | None = None) -> Equality:
    """Compare a step of a case with its reference, which the workers of a group share through `folder`.

    The reference is computed on `device`, by default that of the case or another that has fp64 (`fp64_device`).

    The check overwrites the weights and the input of the step, and restores the case's choice of kernels.

    Raises:
        Incomparable: the baseline's own result is not finite, or the shapes of a result depend on its rounding.
    """
    if (dynamic := HEADS[case.head].dynamic) is not None:
        raise Incomparable(f"{case.head} has no result to compare: {dynamic}")
    base = _small(case.baseline, device or fp64_device(case.device))
    with torch.random.fork_rng(devices=[]):
        weights = _weights(base, folder)
        best: dict[str, tuple[float, Equality]] = {}
        for index in range(INPUTS):
            fresh = _input(case, weights, index)
            reference = _reference(base, fresh, folder, index)
            precision.set_kernels(case)
            for name, (ratio, judged) in _judge(case, reference, run_once(work, fresh)).items():
                if name not in best or ratio < best[name][0]:
                    best[name] = ratio, judged
            worst, equality = max(best.values(), key=lambda pair: pair[0])
            if worst <= 1:
                break
            if (differs := _unrepeatable(case, reference)) is not None:
                return structs.replace(best[differs][1], verdict="eager-twice-differs")
    return equality


def run_once(work: Workload, fresh: Input) -> Tensors:
    """Run the timed step once on a fresh input and return its result in float64 on the CPU."""
    values: Tensors = {}
    marks: list[None] = []

    def take() -> None:
        marks.append(None)
        if len(marks) == len(work.phases) - 1:  # gradients are complete, and the optimizer has not changed the weights
            for name, weight in work.module.named_parameters():
                if weight.grad is not None:
                    values[name] = _doubles(weight.grad) / scale

    for _ in range(RESCALES):
        work.prepared.load(fresh.weights)
        work.prepared.feed(fresh.images[: len(work.labels)])
        with torch.no_grad():
            work.labels.copy_(fresh.labels[: len(work.labels)])
        marks.clear()
        scale = work.scaler.get_scale()
        with work.context():
            result = work.step(take)
        work.prepared.device.synchronize()
        if result is None:
            raise Incomparable("its step gives nothing back")
        for name, part in zip(OUTPUTS, result if isinstance(result, tuple) else (result,), strict=False):
            out = torch.as_tensor(part)  # a runtime that is not torch returns an array
            values[name if out.ndim else "loss"] = _doubles(out[:IMAGES] if out.ndim else out)
        if not work.scaler.is_enabled() or all(bool(value.isfinite().all()) for value in values.values()):
            break  # else the scaler has halved its scale and left the weights, as in training
    return values


def steady(module: torch.nn.Module, images: torch.Tensor) -> None:
    """Give the batch norms of a network weights and biases near 1, and the statistics of `images`."""
    module.eval()
    norms = [part for part in module.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
        if norm.affine:
            torch.nn.init.uniform_(norm.weight, 0.8, 1.2)
            torch.nn.init.uniform_(norm.bias, 0.8, 1.2)
    with torch.no_grad():
        module(images)


def recompute_activations(module: torch.nn.Module) -> None:
    """Let each block of a network keep its input only, and compute the rest again in the backward pass.

    A training step then takes a fraction of the memory and a third more time; its result is the same. Only the running
    statistics of normalisations differ, which training does not use.
    """
    for stage in module.children():
        if isinstance(stage, torch.nn.Sequential):
            for block in stage:
                if next(block.children(), None) is not None:  # a layer of its own has nothing between input and output
                    block.forward = functools.partial(checkpoint, block.forward, use_reentrant=False)


def _judge(case: Case, reference: Reference, values: Tensors) -> dict[str, tuple[float, Equality]]:
    """Return, by the name of the value, its error over the allowed error, and the verdict on it."""
    errors = _errors(values, reference.values)
    judged = {}
    for name, allowed in allowances(case, reference.errors).items():
        error = errors[name] if math.isfinite(errors[name]) else None
        ratio = math.inf if error is None else error / allowed
        verdict: Sameness = "equal" if ratio <= 1 else "wrong"
        base = reference.errors[name]
        judged[name] = ratio, Equality(verdict=verdict, error=error, baseline_error=base, allowed=allowed, what=name)
    return judged


def _unrepeatable(case: Case, reference: Reference) -> str | None:
    """Return the value with the largest difference between two baseline runs if it is not allowed, else None."""
    allowed = allowances(case.baseline, reference.errors)
    ratios = {name: reference.repeats[name] / limit for name, limit in allowed.items()}
    worst = max(ratios, key=ratios.__getitem__)
    return worst if ratios[worst] > 1 else None


def fp64_device(device: str) -> str:
    """Return the device if it computes in fp64, else the CPU: Intel's Arc GPUs do not."""
    try:
        float(torch.ones(2, dtype=torch.float64, device=device).sum())
    except (RuntimeError, TypeError):
        return "cpu"
    return device


def _small(base: Case, device: str) -> Case:
    """Return the baseline of the check on a device: few images if they are independent."""
    images = base.batch_size if TASKS[base.task].trains else min(IMAGES, base.batch_size)
    return structs.replace(base, batch_size=images, device=device)


def _weights(base: Case, folder: pathlib.Path) -> Tensors:
    def make() -> tuple[Tensors, dict[str, str]]:
        module = network(base)
        images, _ = random_batch(base, CALIBRATION)
        steady(module, images)
        return {name: tensor.cpu().contiguous() for name, tensor in module.state_dict().items()}, {}

    return _stored(_path(folder, base, "weights"), make)[0]


def _reference(base: Case, fresh: Input, folder: pathlib.Path, index: int) -> Reference:
    def make() -> tuple[Tensors, dict[str, str]]:
        exact = build(base, dtype="float64")
        if not is_cpu(base.device):  # whose memory other workers hold; on the host it would only take longer
            recompute_activations(exact.module)
        values = run_once(exact, fresh)
        del exact
        work = build(base)
        first, second = run_once(work, fresh), run_once(work, fresh)
        errors, repeats = _errors(first, values), _errors(second, first)
        if not all(map(math.isfinite, (*errors.values(), *repeats.values()))):
            raise Incomparable("the baseline's own result is not finite")
        smaller = {name: value if name in RESULTS else value.float() for name, value in values.items()}
        return smaller, {"errors": json.dumps(errors), "repeats": json.dumps(repeats)}

    values, metadata = _stored(_path(folder, base, f"reference-{index}"), make)
    return Reference(values=values, errors=json.loads(metadata["errors"]), repeats=json.loads(metadata["repeats"]))


def _input(case: Case, weights: Tensors, index: int) -> Input:
    """Return an input unlike the timed input: with more contrast, and another mean for every image and colour."""
    source = torch.Generator().manual_seed(1 + index)
    images, classes = (case.batch_size, case.in_channels), label_choices(case)
    tint = 2 * torch.randn(*images, 1, 1, generator=source)
    pixels = tint + 2 * torch.randn(*images, *sides(case.image_size), generator=source)
    labels = torch.randint(classes, (case.batch_size,), generator=source)
    return Input(weights=weights, images=pixels, labels=labels)


def _errors(values: Tensors, reference: Tensors) -> dict[str, float]:
    """Return the root mean square errors over the reference's root mean squares, infinite for a missing value.

    A gradient is compared with the largest gradient of its module, as the gradient of a bias before a normalisation
    cancels to zero.
    """
    sizes = {name: _rms(right) for name, right in reference.items()}
    modules: dict[str, float] = {}
    for name, size in sizes.items():
        modules[_module(name)] = max(size, modules.get(_module(name), 0.0))
    errors = {}
    for name, right in reference.items():
        value, size = values.get(name), modules[_module(name)]
        off = math.inf if value is None or value.shape != right.shape else _rms(value - right)
        errors[name] = off / size if size else (math.inf if off else 0.0)
    return errors


def _module(name: str) -> str:
    return name.rpartition(".")[0] or name


def _rms(tensor: torch.Tensor) -> float:
    return float(tensor.square().mean().sqrt())


def _doubles(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True).double().contiguous()


def _path(folder: pathlib.Path, base: Case, what: str) -> pathlib.Path:
    return folder / f"{what}-{hashlib.sha256(base.key.encode()).hexdigest()[:16]}.safetensors"


def _stored(path: pathlib.Path, make: Callable[[], tuple[Tensors, dict[str, str]]]) -> tuple[Tensors, dict[str, str]]:
    """Return the tensors and the metadata in `path`, a file that is written first if it does not exist."""
    # Another interpreter may lack it: its worker can be timed all the same.
    from safetensors import safe_open  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    if not path.exists():
        tensors, metadata = make()
        unfinished = path.with_suffix(f".{os.getpid()}")
        save_file(tensors, unfinished, metadata=metadata)
        unfinished.replace(path)
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
