"""timm's names of our networks: an explicit table, of which a test compares every row with both networks."""

import dataclasses
import re
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Our name of a network: a variant of `resnet.VARIANTS`, or a network that we do not have."""

    model: str
    family: str | None
    block: str | None = None
    depth: int | None = None


def _known(model: str, family: str, block: str, depth: int) -> Network:
    return Network(model=model, family=family, block=block, depth=depth)


TIMM: Final[dict[str, Network]] = {
    "resnet18": _known("resnet18", "resnet", "basic", 18),
    "resnet26": _known("resnet26", "resnet", "bottleneck", 26),
    "resnet34": _known("resnet34", "resnet", "basic", 34),
    "resnet50": _known("resnet50", "resnet", "bottleneck", 50),
    "resnet101": _known("resnet101", "resnet", "bottleneck", 101),
    "resnet152": _known("resnet152", "resnet", "bottleneck", 152),
    "resnetv2_18": _known("preact_resnet18", "preact", "preact_basic", 18),
    "resnetv2_34": _known("preact_resnet34", "preact", "preact_basic", 34),
    "resnetv2_50": _known("preact_resnet50", "preact", "preact_bottleneck", 50),
    "resnetv2_101": _known("preact_resnet101", "preact", "preact_bottleneck", 101),
    "resnetv2_152": _known("preact_resnet152", "preact", "preact_bottleneck", 152),
    "resnext50_32x4d": _known("resnext50_32x4d", "resnext", "bottleneck", 50),
    "resnext101_32x8d": _known("resnext101_32x8d", "resnext", "bottleneck", 101),
    "resnext101_64x4d": _known("resnext101_64x4d", "resnext", "bottleneck", 101),
    "wide_resnet50_2": _known("wide_resnet50_2", "wide", "bottleneck", 50),
    "wide_resnet101_2": _known("wide_resnet101_2", "wide", "bottleneck", 101),
    "resnet18d": _known("resnet18d", "resnetd", "basic", 18),
    "resnet34d": _known("resnet34d", "resnetd", "basic", 34),
    "resnet50d": _known("resnet50d", "resnetd", "bottleneck", 50),
    "resnet101d": _known("resnet101d", "resnetd", "bottleneck", 101),
    "resnet152d": _known("resnet152d", "resnetd", "bottleneck", 152),
}
"""Our variants by timm's names. Others of timm's, such as ``resnet50c`` or ``gluon_resnet50_v1b`` of its older files,
are networks that we do not have, or rows of the same network under another name."""

_FAMILY: Final = re.compile(
    r"(?:(?:dm|gluon|ig|legacy|ssl|swsl|test|tf|tv)_)?"  # where the weights come from
    r"([a-z]+?(?:\d[a-z]+)*(?:v\d+)?)"  # res2net, efficientnetv2
    r"(?:[\d._]|\Z)"
)


def architecture(name: str) -> str:
    """Return timm's name of the network without the name of its weights: ``resnet50`` for ``resnet50.a1_in1k``."""
    return name.partition(".")[0]


def network(name: str) -> Network:
    """Return our name of timm's `name`, which may include the name of its weights.

    A network that we do not have keeps its name, behind ``timm:``, and has the family with which its name begins, such
    as ``convnext``; None where the name begins with no word.
    """
    known = TIMM.get(architecture(name))
    if known is not None:
        return known
    word = _FAMILY.match(name)
    return Network(model=f"timm:{name}", family=word.group(1) if word else None)
