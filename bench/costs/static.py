"""Static cost: what is known of a model at an image size without timing it."""

from collections.abc import Iterable, Iterator

from torch import nn

from bench.costs import counters
from bench.suites import models
from bench.tasks import networks
from results.errors import InputError
from results.schema.static import Layer, Stage, Static


def cost(name: str, *, image_size: int | None = None, num_classes: int | None = None) -> Static:
    """Count the parameters, multiply-adds, FLOPs, activations and bytes of a model, for one image.

    Two counters agree on every layer (see `bench.costs.counters`), nothing is initialised and, from torch 2.10 on, no
    convolution is computed: it takes tenths of a second. To be called from one thread at a time.

    Args:
        name: A variant of `resnet.VARIANTS`, or a peer such as ``torchvision:vgg16``.
        image_size: Height and width in pixels; the model's own by default.
        num_classes: Outputs of the classifier; the model's own by default.

    Returns:
        Totals, one row a layer, one a stage; the rows add up to the totals. `Static.arithmetic_intensity` is the
        FLOPs of convolutions and matrix products over the bytes that these move in fp32: each reads its input,
        weight and bias once and writes its output once. What stands between them (norms, activations, additions,
        pooling) is taken as fused into them, as a compiler would. Williams et al. (2009) call it operational
        intensity.

    Raises:
        InputError: The name is unknown, or the image too small for the network.
        CounterError: The two counters disagree on a layer.
    """
    models.check(name)
    size = models.default_image_size(name) if image_size is None else image_size
    smallest = models.minimum_image_size(name)
    if size < smallest:
        raise InputError(f"image size {size} is too small for {name!r}; it takes {smallest} pixels or more")
    classes = models.default_num_classes(name) if num_classes is None else num_classes
    model: nn.Module | None = None

    def build() -> nn.Module:
        nonlocal model
        model = networks.create_network(name, num_classes=classes)
        return model

    counts = counters.count(build, (1, 3, size, size))
    assert model is not None  # noqa: S101  # `count` has called `build`
    # What is published was judged at 224 pixels on the 1000 classes: no other network or image size has it.
    published = (size, classes) == (224, 1000)
    top1, weights = networks.imagenet_top1(name) if published else (None, None)
    macs = sum(layer.macs for layer in counts.layers)
    return Static(
        model=name,
        family=models.family(name),
        block=models.block(name),
        depth=models.depth(name),
        image_size=size,
        num_classes=classes,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        buffers=sum(buffer.numel() for buffer in model.buffers()),
        model_bytes=model_bytes(model),
        macs=macs,
        training_flops=counts.training_flops,
        fvcore_macs=counts.fvcore_macs,
        activations=sum(layer.activations for layer in counts.layers),
        arithmetic_intensity=2 * macs / (4 * counts.moved_elements),
        uncounted=counts.uncounted,
        imagenet_top1=top1,
        imagenet_weights=weights,
        layers=counts.layers,
        stages=stages(counts.layers),
    )


def costs(names: Iterable[str], *, image_size: int | None = None) -> Iterator[Static]:
    """Yield the `cost` of each model as soon as it is counted; every name is checked before the first."""
    chosen = tuple(names)
    for name in chosen:
        models.check(name)
    return (cost(name, image_size=image_size) for name in chosen)


def model_bytes(model: nn.Module) -> dict[str, int]:
    """Bytes of a model's parameters and buffers by the precision of its weights; counters (integers) keep theirs."""
    tensors = [*model.parameters(), *model.buffers()]
    floating = sum(tensor.numel() for tensor in tensors if tensor.is_floating_point())
    other = sum(tensor.nbytes for tensor in tensors if not tensor.is_floating_point())
    return {precision: floating * width + other for precision, width in {"fp32": 4, "fp16": 2, "bf16": 2}.items()}


def stages(layers: Iterable[Layer]) -> tuple[Stage, ...]:
    """Add up the layers of each top-level child, in order of first appearance."""
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
