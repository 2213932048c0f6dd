"""Every model that can be measured, by name: our variants, and peers from torchvision."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

from resnet import VARIANTS, ResNetConfig
from resnet import create as create_resnet
from results.errors import InputError, suggestion

if TYPE_CHECKING:
    from torch import nn

TORCHVISION: Final = "torchvision:"
"""How the names of peers begin."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What is known of a torchvision model without importing it. Its facts are checked against torchvision."""

    minimum_image_size: int
    """Least height and width in pixels."""
    image_size: int = 224
    num_classes: int = 1000
    arguments: dict[str, bool] = dataclasses.field(default_factory=dict)
    """What its constructor needs so that it gives one plain tensor, without warnings."""


PEERS: Final[dict[str, Peer]] = {
    "torchvision:alexnet": Peer(minimum_image_size=63),
    "torchvision:convnext_tiny": Peer(minimum_image_size=32),
    "torchvision:densenet121": Peer(minimum_image_size=29),
    "torchvision:efficientnet_b0": Peer(minimum_image_size=1),
    "torchvision:googlenet": Peer(minimum_image_size=15, arguments={"aux_logits": False, "init_weights": False}),
    "torchvision:mobilenet_v2": Peer(minimum_image_size=1),
    "torchvision:mobilenet_v3_large": Peer(minimum_image_size=1),
    "torchvision:vgg16": Peer(minimum_image_size=32),
    # torchvision's own ResNets: the same networks as ours, so ours say what they take.
    **{
        TORCHVISION + name: Peer(minimum_image_size=VARIANTS[name].minimum_image_size)
        for name in (
            "resnet18",
            "resnet34",
            "resnet50",
            "resnet101",
            "resnet152",
            "resnext50_32x4d",
            "resnext101_32x8d",
            "resnext101_64x4d",
            "wide_resnet50_2",
            "wide_resnet101_2",
        )
    },
}
"""The peers to compare with. A list of what is allowed: no hub, no address, nothing else of torchvision."""


def names() -> tuple[str, ...]:
    """Return every model's name, our variants first."""
    return (*VARIANTS, *PEERS)


def check(name: str) -> None:
    """Raise `InputError`, with the nearest name, unless `name` is a model."""
    if name in VARIANTS or name in PEERS:
        return
    peer = TORCHVISION + name
    near = f"; did you mean {peer!r}?" if peer in PEERS else suggestion(name, names())
    raise InputError(f"unknown model {name!r}{near or '; resnet-bench list models shows them all'}")


def create(name: str, num_classes: int | None = None) -> "nn.Module":
    """Make a freshly initialised model, on torch's default device, in training mode.

    Args:
        name: One of `names`.
        num_classes: Outputs of the classifier; the model's own number if None.

    Returns:
        A module from images (batch, 3, height, width) to one tensor of logits (batch, num_classes).

    Raises:
        InputError: Unknown name or nonsensical value.
    """
    check(name)
    if name in VARIANTS:
        try:
            return create_resnet(name, num_classes=num_classes)
        except ValueError as error:
            raise InputError(str(error)) from error
    if num_classes is not None and num_classes < 1:
        raise InputError(f"num_classes of {name!r} must be at least 1, not {num_classes}")
    from torchvision.models import get_model  # type: ignore[attr-defined]  # noqa: PLC0415 - it loads torch

    peer = PEERS[name]
    model: nn.Module = get_model(
        name.removeprefix(TORCHVISION),
        num_classes=peer.num_classes if num_classes is None else num_classes,
        **peer.arguments,
    )
    return model


def default_image_size(name: str) -> int:
    """Return height and width, in pixels, of the images that the model is meant for."""
    check(name)
    return VARIANTS[name].image_size if name in VARIANTS else PEERS[name].image_size


def minimum_image_size(name: str) -> int:
    """Return the least height and width in pixels that the model takes."""
    check(name)
    return VARIANTS[name].minimum_image_size if name in VARIANTS else PEERS[name].minimum_image_size


def default_num_classes(name: str) -> int:
    """Return the outputs of the model's classifier where nobody says otherwise."""
    check(name)
    return VARIANTS[name].num_classes if name in VARIANTS else PEERS[name].num_classes


def family(name: str) -> str:
    """Return the family, such as ``resnet`` or ``resnext``; ``peer`` for what is no ResNet."""
    config = _config(name)
    return "peer" if config is None else config.family


def block(name: str) -> str | None:
    """Return the block type, None for what is no ResNet."""
    config = _config(name)
    return None if config is None else config.block


def depth(name: str) -> int | None:
    """Return the depth, None for what is no ResNet."""
    config = _config(name)
    return None if config is None else config.depth


def imagenet_top1(name: str) -> tuple[float | None, str | None]:
    """Return the best published ImageNet-1k top-1 accuracy at 224 pixels, and the weights that reach it.

    The accuracy is a fraction, from torchvision's weight metadata for the same architecture; weights that were
    judged at another resolution are left aside. Both are None where there are none.
    """
    check(name)
    best: tuple[float | None, str | None] = (None, None)
    for label, entry in _published(name).items():
        accuracy = entry.meta["_metrics"].get("ImageNet-1K", {}).get("acc@1", math.nan) / 100
        # Weights that are features only have nan here, which is never greater.
        if entry.transforms.keywords["crop_size"] == 224 and accuracy > (best[0] or 0):
            best = (accuracy, label)
    return best


def _config(name: str) -> ResNetConfig | None:
    """Return the configuration of the network `name`, ours or torchvision's, None where it is no ResNet."""
    check(name)
    return VARIANTS.get(name.removeprefix(TORCHVISION))


def _published(name: str) -> dict[str, Any]:
    """Return torchvision's weights for the architecture `name`, by their label, without downloading any."""
    architecture = name.removeprefix(TORCHVISION)
    if TORCHVISION + architecture not in PEERS:
        return {}
    # torchvision names it without exporting it, and loads torch.
    from torchvision.models import get_model_weights  # type: ignore[attr-defined]  # noqa: PLC0415

    return {entry.name: entry for entry in get_model_weights(architecture)}
