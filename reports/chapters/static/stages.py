"""Static costs as frames: a row a model, and a row a stage and quantity."""

from typing import Any, Final

import pandas as pd

from reports.figures.chart import Source
from reports.style.columns import Column, amount, metrics_of, table, words
from reports.style.table import Table
from reports.style.theme import FAMILIES
from reports.style.words import percent_text
from results.image_size import pixels
from results.schema.lines.static import Static, static_key

MOST_STAGED: Final = 60
"""The most models of a figure: more names are not readable."""
QUANTITIES: Final = {"parameters": "parameters", "macs": "MACs", "activations": "activations"}
# Top-level modules of a ResNet that have a cost. The names are torchvision's, and our networks share them.
_STAGES: Final = {
    **dict.fromkeys(("conv1", "bn1"), "stem"),
    **{f"layer{index}": f"layer{index}" for index in range(1, 5)},
    **dict.fromkeys(("norm", "fc"), "head"),
}


MODEL_COLUMNS: Final = (
    "model",
    "family",
    "block",
    "depth",
    "image_size",
    "in_channels",
    "head",
    *(
        column
        for name in metrics_of("models")
        for column in ((name, "uncounted") if name == "fvcore_macs" else (name,))
    ),
)
"""Columns of the table of models."""
STAGE_COLUMNS: Final = ("model", "image_size", "in_channels", "head", "stage", "quantity", "value")
"""Columns of the frame of stages."""
STATIC_COLUMNS: Final[dict[str, Column]] = {
    "uncounted": words("unknown to fvcore", "uncounted"),
    "stage": words("stage", "stage"),
    "quantity": words("quantity", "quantity"),
    "value": amount("value", "value", "1"),
}
"""Columns of static costs."""


def model_table(source: Source) -> Table | None:
    """Return the totals of each model and its images, by family and depth; None without a model."""
    models = unique(source.statics)
    if not models:
        return None
    rows = [{name: _total(static, name) for name in MODEL_COLUMNS} for static in models]
    return table(pd.DataFrame(rows), MODEL_COLUMNS, STATIC_COLUMNS)


def _total(static: Static, name: str) -> Any:
    if name == "model_bytes":
        return static.model_bytes.get("fp32")
    return ", ".join(static.uncounted) or "none" if name == "uncounted" else getattr(static, name)


def stages(statics: tuple[Static, ...]) -> pd.DataFrame:
    """Return a row for each model and its images, stage (``stem``, ``layer1``… ``head``) and quantity.

    Models that are built of other stages, such as VGG, and stages without a cost are left out.
    """
    totals: dict[tuple[str, int | str, int, str, str, str], int] = {}
    known = [(static, _costs(static)) for static in unique(statics)]
    fitting = [(static, costs) for static, costs in known if all(name in _STAGES for name, _, _ in costs)]
    for static, costs in fitting[:MOST_STAGED]:
        for name, quantity, cost in costs:
            key = (*static_key(static), _STAGES[name], quantity)
            totals[key] = totals.get(key, 0) + cost
    rows: list[dict[str, Any]] = [dict(zip(STAGE_COLUMNS, (*key, value), strict=True)) for key, value in totals.items()]
    return pd.DataFrame(rows, columns=list(STAGE_COLUMNS))


def stage_frame(source: Source) -> pd.DataFrame:
    """Return `stages` of all run files."""
    return stages(source.statics)


def _costs(static: Static) -> list[tuple[str, str, int]]:
    """Return the stages with a cost, with the quantity and its value."""
    return [
        (stage.name, quantity, cost)
        for stage in static.stages
        for field, quantity in QUANTITIES.items()
        if (cost := getattr(stage, field))
    ]


def unique(statics: tuple[Static, ...]) -> list[Static]:
    """Return a single static cost a model and its images, by family and depth: several runs may hold the same."""
    models = {static_key(static): static for static in statics}
    families = list(FAMILIES)

    def order(static: Static) -> tuple[int, int, str, int, int, str]:
        family = families.index(static.family) if static.family in families else len(families)
        return family, static.depth or 0, static.model, pixels(static.image_size), static.in_channels, static.head

    return sorted(models.values(), key=order)


def stage_name(child: str) -> str:
    """Return the stage of a top-level child of a model, the child itself for a network that is not a ResNet."""
    return _STAGES.get(child, child)


def of_stages(frame: pd.DataFrame) -> str:
    """Return the sentence on the stage that typically has the largest share."""
    share = frame["value"] / frame.groupby("model")["value"].transform("sum")
    typical = share.groupby(frame["stage"]).median().sort_values()
    what = frame["quantity"].iloc[0]
    return f"{typical.index[-1]} typically holds most of a ResNet's {what}: {percent_text(typical.iloc[-1], 0)}."
