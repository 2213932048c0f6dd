"""Static cost of a model."""

from results.schema.case import Case
from results.schema.types import Count, ImageSize, Name, Size, Stored


class Layer(Stored, frozen=True, kw_only=True):
    """A leaf module of a model."""

    name: Name
    type: Name
    stage: Name
    """The top-level child that holds it: ``conv1``, ``layer1``, ``fc``…"""
    output_shape: tuple[Count, ...]
    """Shape for one image, batch dimension first."""
    parameters: Count
    macs: Count
    """Multiply-adds (convolution and linear layers; 0 elsewhere)."""
    activations: Count
    """Elements in the outputs of convolution and linear layers (0 elsewhere)."""


class Stage(Stored, frozen=True, kw_only=True):
    """The sum of the layers of a top-level child."""

    name: Name
    parameters: Count
    macs: Count
    activations: Count


class Static(Stored, frozen=True, kw_only=True):
    """The cost of a model for an image, counted without timing; per image unless stated otherwise."""

    model: Name
    family: Name
    """Family of the variant, such as ``resnet`` or ``resnext``; ``peer`` for other models of torchvision."""
    block: Name | None
    """Block type, None for peers that have none."""
    depth: Size | None
    image_size: ImageSize
    in_channels: Size = 3
    head: Name = "classifier"
    num_classes: Count
    parameters: Count
    trainable_parameters: Count
    buffers: Count
    """Elements in buffers."""
    model_bytes: dict[str, Count]
    """Bytes of parameters and buffers by precision of the weights: ``fp32``, ``fp16``, ``bf16``."""
    macs: Count
    """Multiply-adds of convolution and linear layers, agreed by two counters."""
    training_flops: Count
    """Forward and backward, 2 × MACs of the products that the backward pass computes."""
    fvcore_macs: Count
    """fvcore's own total in multiply-adds, batch norm and pooling included."""
    activations: Count
    arithmetic_intensity: float
    """FLOPs a byte in fp32 at batch 1: weights read once, each layer's activations read and written once."""
    uncounted: tuple[Name, ...]
    """Operators that the reference counter does not know."""
    imagenet_top1: float | None
    """ImageNet-1k top-1 accuracy as a fraction, from torchvision's weight metadata; None without such weights."""
    imagenet_weights: Name | None
    """The weights of that accuracy, such as ``IMAGENET1K_V2``."""
    layers: tuple[Layer, ...]
    stages: tuple[Stage, ...]

    @property
    def flops(self) -> int:
        """Floating-point operations of one forward pass: 2 × MACs."""
        return 2 * self.macs


StaticKey = tuple[str, int | str, int, str]
"""A model, its image size, its channels and its head: what a static cost depends on."""


def static_key(of: Case | Static) -> StaticKey:
    """Return what the static cost of a case, or this static cost, depends on."""
    return of.model, of.image_size, of.in_channels, of.head
