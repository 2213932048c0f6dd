"""Every model that can be measured, by name: our variants, and peers from torchvision.

Facts only, which need no torch; `bench.tasks.networks` makes the networks.
"""

import dataclasses
from typing import Final

from resnet import VARIANTS, ResNetConfig
from resnet.variants import for_image_size
from results.errors import InputError, suggestion

TORCHVISION: Final = "torchvision:"
"""Prefix of the names of peers."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Facts of a torchvision model, stated without importing torchvision; a test checks them against it."""

    minimum_image_size: int
    """Least height and width in pixels."""
    image_size: int = 224
    num_classes: int = 1000
    arguments: dict[str, bool] = dataclasses.field(default_factory=dict)
    """Arguments with which its constructor makes a network with a single tensor as output, without warnings."""


_CIFAR: Final = "cifar_"
"""Prefix of the variants with the cifar stem."""

PEERS: Final[dict[str, Peer]] = {
    "torchvision:alexnet": Peer(minimum_image_size=63),
    "torchvision:convnext_tiny": Peer(minimum_image_size=32),
    "torchvision:densenet121": Peer(minimum_image_size=29),
    "torchvision:efficientnet_b0": Peer(minimum_image_size=1),
    "torchvision:googlenet": Peer(minimum_image_size=15, arguments={"aux_logits": False, "init_weights": False}),
    "torchvision:mobilenet_v2": Peer(minimum_image_size=1),
    "torchvision:mobilenet_v3_large": Peer(minimum_image_size=1),
    "torchvision:vgg16": Peer(minimum_image_size=32),
    # torchvision's own ResNets: the same networks as ours, so their facts come from our variants.
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
"""The peers to compare with, an allow-list: no hub, no address, no other model of torchvision."""


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


def for_images(name: str, image_size: int, stem: str | None = None) -> tuple[str, str | None]:
    """Return the variant that is trained on images of so many pixels a side, and a line where it has another name.

    Args:
        name: the variant that somebody named.
        image_size: pixels a side.
        stem: ``cifar`` or ``imagenet``; None for the cifar stem on small images, where the variant has a twin with it.

    Raises:
        InputError: the name is no variant, there is no twin with that stem, or the images are too small.
    """
    check(name)
    if name in PEERS:
        raise InputError(f"{name!r} is a peer, which is timed only; train a variant such as {_near_variant(name)!r}")
    base = name.removeprefix(_CIFAR)
    twin = {"cifar": _CIFAR + base, "imagenet": base}
    chosen = name
    if stem is not None and VARIANTS[name].stem != stem:
        chosen = twin[stem]
        if chosen not in VARIANTS:
            raise InputError(f"{name!r} has no twin with the stem {stem!r}; leave out --stem")
    elif stem is None and VARIANTS[name].stem != "cifar":
        chosen = str(for_image_size(name, image_size))
    smallest = VARIANTS[chosen].minimum_image_size
    if image_size < smallest:
        raise InputError(f"images of {image_size} pixels are too small for {chosen!r}, which needs at least {smallest}")
    if chosen == name:
        return name, None
    why = "" if stem else f" on images of {image_size} pixels; --stem imagenet trains {name} itself"
    return chosen, f"{name} is trained as {chosen}, with the stem {VARIANTS[chosen].stem!r}{why}"


def _near_variant(peer: str) -> str:
    name = peer.removeprefix(TORCHVISION)
    return name if name in VARIANTS else "resnet18"


def default_image_size(name: str) -> int:
    """Return the default height and width of the model's images in pixels."""
    check(name)
    return VARIANTS[name].image_size if name in VARIANTS else PEERS[name].image_size


def minimum_image_size(name: str) -> int:
    """Return the least height and width in pixels that the model takes."""
    check(name)
    return VARIANTS[name].minimum_image_size if name in VARIANTS else PEERS[name].minimum_image_size


def default_num_classes(name: str) -> int:
    """Return the outputs of the model's classifier by default."""
    check(name)
    return VARIANTS[name].num_classes if name in VARIANTS else PEERS[name].num_classes


def family(name: str) -> str:
    """Return the family, such as ``resnet`` or ``resnext``; ``peer`` for a network that is not a ResNet."""
    config = _config(name)
    return "peer" if config is None else config.family


def block(name: str) -> str | None:
    """Return the block type, None for a network that is not a ResNet."""
    config = _config(name)
    return None if config is None else config.block


def depth(name: str) -> int | None:
    """Return the depth, None for a network that is not a ResNet."""
    config = _config(name)
    return None if config is None else config.depth


def _config(name: str) -> ResNetConfig | None:
    """Return the configuration of our or torchvision's network `name`, None for a network that is not a ResNet."""
    check(name)
    return VARIANTS.get(name.removeprefix(TORCHVISION))
