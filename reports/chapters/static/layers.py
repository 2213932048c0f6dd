"""The static cost of each layer: its frame, and tables of stages and layers for one model."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from reports.chapters.static.stages import QUANTITIES, stage_name, unique
from reports.figures.chart import Source
from reports.style.columns import COLUMNS
from reports.style.rows import each
from reports.style.table import Table
from reports.style.units import SPACE, TIMES, quantity
from reports.style.views import axes_texts
from results.schema.axes import AXES, is_silent
from results.schema.lines.static import Static
from results.text import printable

MOST_MODELS: Final = 40
"""The most models whose layers the page holds."""
_COLUMNS: Final = (
    *("model", "family", "image_size", "in_channels", "head", "stage", "block", "layer", "type", "output_shape"),
    *QUANTITIES,
)
_KEYS: Final = ["model", "image_size", "in_channels", "head"]
"""Columns of what a static cost depends on."""


def layers(statics: tuple[Static, ...]) -> pd.DataFrame:
    """Return a row for each layer of the first `MOST_MODELS` models by family and depth.

    ``stage`` is ``stem``, ``layer1``… ``head``, or the top-level child where the model has no such stages; ``block``
    is the layer's parent in it (``layer1.0``), and the layer's own name for a layer without a parent there. Layers
    without a cost are included.
    """
    rows: list[dict[str, Any]] = []
    for static in unique(statics)[:MOST_MODELS]:
        for layer in static.layers:
            parts = layer.name.split(".")
            rows.append(
                {
                    "model": printable(static.model),
                    "family": printable(static.family),
                    "image_size": static.image_size,
                    "in_channels": static.in_channels,
                    "head": printable(static.head),
                    "stage": printable(stage_name(layer.stage)),
                    "block": printable(".".join(parts[:2])),
                    "layer": printable(layer.name),
                    "type": printable(layer.type),
                    "output_shape": f" {TIMES} ".join(map(str, layer.output_shape[1:])) or "1",
                    **{field: getattr(layer, field) for field in QUANTITIES},
                }
            )
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def layer_frame(source: Source) -> pd.DataFrame:
    """Return `layers` of all run files."""
    return layers(source.statics)


def by_quantity(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each layer and each ``quantity`` with a ``value`` above 0."""
    if frame.empty:
        return frame.assign(quantity="", value=0)
    parts = [
        rows.assign(quantity=name, value=rows[field])
        for _, rows in frame.groupby(_KEYS, sort=False)
        for field, name in QUANTITIES.items()
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[whole["value"] > 0]


def stage_table(source: Source) -> Table | None:
    """Return a row for each model and stage with a cost, with its share of each quantity, and their sums.

    None without a model.
    """
    frame = source.frame(layer_frame)
    # The usual number of channels and the usual head are left out, as they are in other tables.
    keys = [name for name in _KEYS if name not in AXES or not all(is_silent(name, value) for value in frame[name])]
    rows = [
        (*map(str, key), *row)
        for key, layers_of_model in frame.groupby(keys, sort=False)
        for row in stage_rows(layers_of_model)
    ]
    shares = (head for name in QUANTITIES.values() for head in (name, "share"))
    heads = (*(COLUMNS[name].heading for name in keys), "stage", *shares)
    return Table.of_texts(heads, rows, words=("variant", "stage")) if rows else None


def stage_rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return a row for each stage of a model with a cost, and the row of the whole model."""
    sums = frame.groupby("stage", sort=False)[list(QUANTITIES)].sum()
    sums = sums[sums.gt(0).any(axis=1)]
    totals = sums.sum()
    rows = [(str(stage), *_shares(row, totals)) for stage, row in zip(sums.index, each(sums), strict=True)]
    return [*rows, ("whole model", *_shares(next(each(totals.to_frame().T)), totals))]


def layer_table(frame: pd.DataFrame) -> Table:
    """Return a row for each layer of a model with a cost."""
    rows = [
        (row.layer, row.type, row.output_shape, *(quantity(getattr(row, field), "1") for field in QUANTITIES))
        for row in each(frame)
        if any(getattr(row, field) for field in QUANTITIES)
    ]
    words = ("layer", "type", "output of one image")
    return Table.of_texts((*words, *QUANTITIES.values()), rows, words=words)


def _shares(row: Any, totals: Any) -> Sequence[str]:
    cells = []
    for field in QUANTITIES:
        value, total = getattr(row, field), totals[field]
        cells += [quantity(value, "1"), f"{100 * value / total:.1f}{SPACE}%" if total else ""]
    return cells


def of_layers(frame: pd.DataFrame) -> str:
    """Return the sentence on the largest layer and the largest stage of the model."""
    model = next(each(frame))
    total = frame["value"].sum()
    stages = frame.groupby("stage", sort=False)["value"].sum()
    largest = frame.sort_values("value", ascending=False, kind="stable").iloc[0]
    stage, share = stages.idxmax(), stages.max() / total
    return (
        f"{model.model} has {quantity(total, '1')} {model.quantity} at {', '.join(axes_texts(model, _KEYS[1:]))}: "
        f"{100 * share:.0f}{SPACE}% in {stage}, and {100 * largest['value'] / total:.0f}{SPACE}% in its largest layer, "
        f"{largest['layer']}."
    )
