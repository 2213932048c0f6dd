"""Static costs as frames: a row a model, and a row a stage and quantity."""

from typing import Any, Final

import pandas as pd

from reports.style.theme import FAMILIES
from results.schema.static import Static

MOST: Final = 60
"""Models of the figures: more is a wall of names."""
QUANTITIES: Final = {"parameters": "parameters", "macs": "MACs", "activations": "activations"}
# Those top-level modules of a ResNet that cost anything. The names are torchvision's, and our networks share them.
_STAGES: Final = {
    **dict.fromkeys(("conv1", "bn1"), "stem"),
    **{f"layer{index}": f"layer{index}" for index in range(1, 5)},
    **dict.fromkeys(("norm", "fc"), "head"),
}


def models(statics: tuple[Static, ...]) -> pd.DataFrame:
    """Return a row for each model and image size, by family and depth: its totals."""
    rows = [
        {
            "model": static.model,
            "family": static.family,
            "block": static.block,
            "depth": static.depth,
            "image_size": static.image_size,
            "parameters": static.parameters,
            "model_bytes": static.model_bytes.get("fp32"),
            "macs": static.macs,
            "flops": static.flops,
            "training_flops": static.training_flops,
            "fvcore_macs": static.fvcore_macs,
            "activations": static.activations,
            "arithmetic_intensity": static.arithmetic_intensity,
            "uncounted": ", ".join(static.uncounted) or "none",
            "imagenet_top1": static.imagenet_top1,
        }
        for static in unique(statics)
    ]
    return pd.DataFrame(rows)


def stages(statics: tuple[Static, ...]) -> pd.DataFrame:
    """Return a row for each model, image size, stage (``stem``, ``layer1``… ``head``) and quantity.

    Models that are built of other stages, such as VGG, are left out, and so are stages that cost nothing.
    """
    totals: dict[tuple[str, int, str, str], int] = {}
    known = [(static, _costs(static)) for static in unique(statics)]
    fitting = [(static, costs) for static, costs in known if all(name in _STAGES for name, _, _ in costs)]
    for static, costs in fitting[:MOST]:
        for name, quantity, cost in costs:
            key = (static.model, static.image_size, _STAGES[name], quantity)
            totals[key] = totals.get(key, 0) + cost
    rows: list[dict[str, Any]] = [
        {"model": model, "image_size": size, "stage": stage, "quantity": quantity, "value": value}
        for (model, size, stage, quantity), value in totals.items()
    ]
    return pd.DataFrame(rows, columns=["model", "image_size", "stage", "quantity", "value"])


def _costs(static: Static) -> list[tuple[str, str, int]]:
    """Return the stages that cost anything, with the quantity and how much."""
    return [
        (stage.name, quantity, cost)
        for stage in static.stages
        for field, quantity in QUANTITIES.items()
        if (cost := getattr(stage, field))
    ]


def unique(statics: tuple[Static, ...]) -> list[Static]:
    """Return one static a model and image size, by family and depth: several runs may hold the same."""
    found = {(static.model, static.image_size): static for static in statics}
    families = list(FAMILIES)

    def place(one: Static) -> tuple[int, int, str, int]:
        known = one.family in families
        return families.index(one.family) if known else len(families), one.depth or 0, one.model, one.image_size

    return sorted(found.values(), key=place)


def stage_name(child: str) -> str:
    """Return the stage that a top-level child of a model belongs to, the child itself where it is no ResNet's."""
    return _STAGES.get(child, child)
