"""The static cost of a model at an image size, counted without timing."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import torch
from torch import nn

from bench.costs import counters
from bench.suites import models
from bench.suites.values import size_value, valid_value
from bench.tasks import networks
from results.errors import InputError
from results.image_size import sides
from results.schema.labels import HEADS, PROMISES
from results.schema.lines.static import Layer, Stage, Static
from results.schema.types import Size

_WEIGHTS: Final[dict[str, torch.dtype]] = {
    label: getattr(torch, promise.weights)
    for label, promise in PROMISES.items()
    if promise.autocast is None and not promise.tf32 and not promise.quantizes
}
"""Type of the weights of each precision that changes it; other precisions have fp32 weights."""


def cost(
    name: str,
    *,
    image_size: int | str | None = None,
    num_classes: int | None = None,
    in_channels: int = 3,
    head: str = "classifier",
) -> Static:
    """Return the parameters, multiply-adds, FLOPs, activations and bytes of a model, for one image.

    Two counters agree on every layer (`bench.costs.counters`). Call it from one thread at a time.

    Args:
        name: A variant of `resnet.VARIANTS`, or a peer such as ``torchvision:vgg16``.
        image_size: Pixels of a square, or height x width such as ``224x160``; the model's own by default.
        num_classes: Outputs of the classifier; the model's own by default.
        in_channels: Channels of the image.
        head: What the network puts out; see `results.schema.labels.HEADS`.

    Returns:
        Totals, a row a layer and a row a stage, which add up to them. `Static.arithmetic_intensity` is FLOPs over bytes
        in fp32, each tensor of convolutions and matrix products moved once: the intensity of Williams et al. (2009).

    Raises:
        InputError: The name is unknown, the image is too small, or the cost of the head depends on the data.
        CounterError: The two counters disagree on a layer.
    """
    size, channels = _checked_size(name, image_size, head), valid_value(Size, in_channels, "in_channels")
    classes = networks.head_classes(name, head) if num_classes is None else num_classes
    made: list[nn.Module] = []

    def make() -> nn.Module:
        made.append(networks.create_network(name, num_classes=classes, in_channels=channels, head=head))
        return made[-1]

    counts = counters.count(make, (1, channels, *sides(size)))
    # Published accuracies hold at 224 pixels, 1000 classes and 3 channels: other networks and images have none.
    usual = (size, classes, channels, head) == (224, 1000, 3, "classifier")
    top1, weights = networks.imagenet_top1(name) if usual else (None, None)
    return Static(
        image_size=size,
        in_channels=channels,
        head=head,
        num_classes=classes,
        imagenet_top1=top1,
        imagenet_weights=weights,
        **_totals(counts),
        **_names(name),
        **_sizes(made[-1]),
    )


def costs(
    names: Iterable[str], *, image_size: int | str | None = None, in_channels: int = 3, head: str = "classifier"
) -> Iterator[Static]:
    """Yield the `cost` of each model as soon as it is counted; all names are checked before the first count."""
    chosen = tuple(names)
    for name in chosen:
        models.check(name)
    return (cost(name, image_size=image_size, in_channels=in_channels, head=head) for name in chosen)


def _checked_size(name: str, image_size: int | str | None, head: str) -> int | str:
    """Return the image size, the model's default if None.

    Raises:
        InputError: The size is too small, or the cost of the head depends on more than the size.
    """
    models.check(name)
    if (dynamic := HEADS[head].dynamic) is not None:
        raise InputError(f"the cost of {head} for an image is no constant: {dynamic}")
    size = models.default_image_size(name) if image_size is None else image_size
    if isinstance(size, str):
        size = size_value("image_size", size)
    smallest = models.minimum_image_size(name)
    if min(sides(size)) < smallest:
        raise InputError(f"image size {size} is too small for {name!r}; it takes {smallest} pixels or more")
    return size


def _totals(counts: counters.Counts) -> dict[str, Any]:
    macs = sum(layer.macs for layer in counts.layers)
    return {
        "macs": macs,
        "training_flops": counts.training_flops,
        "fvcore_macs": counts.fvcore_macs,
        "activations": sum(layer.activations for layer in counts.layers),
        "arithmetic_intensity": 2 * macs / (4 * counts.moved_elements),
        "uncounted": counts.uncounted,
        "layers": counts.layers,
        "stages": stages(counts.layers),
    }


def _names(name: str) -> dict[str, Any]:
    return {"model": name, "family": models.family(name), "block": models.block(name), "depth": models.depth(name)}


def _sizes(model: nn.Module) -> dict[str, Any]:
    """Return the elements of a model's parameters and buffers, and their bytes."""
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "buffers": sum(buffer.numel() for buffer in model.buffers()),
        "model_bytes": model_bytes(model),
    }


def model_bytes(model: nn.Module) -> dict[str, int]:
    """Return the bytes of parameters and buffers by the precision of the weights; integers keep their width."""
    tensors = [*model.parameters(), *model.buffers()]
    floating = sum(tensor.numel() for tensor in tensors if tensor.is_floating_point())
    other = sum(tensor.nbytes for tensor in tensors if not tensor.is_floating_point())
    return {label: floating * dtype.itemsize + other for label, dtype in _WEIGHTS.items()}


def stages(layers: Iterable[Layer]) -> tuple[Stage, ...]:
    """Return the sums of the layers of each top-level child, in order of first appearance."""
    groups: dict[str, list[Layer]] = {}
    for layer in layers:
        groups.setdefault(layer.stage, []).append(layer)
    return tuple(
        Stage(
            name=name,
            parameters=sum(layer.parameters for layer in group),
            macs=sum(layer.macs for layer in group),
            activations=sum(layer.activations for layer in group),
        )
        for name, group in groups.items()
    )
