"""The static cost of each layer: its frame, and tables of stages and layers for one model."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from reports.chapters.static.stages import QUANTITIES, stage_name, unique
from reports.style.units import SPACE, TIMES, quantity
from reports.style.views import each
from results.schema.static import Static
from results.text import printable

MOST_MODELS: Final = 40
"""Models whose layers the page holds."""
_COLUMNS: Final = ("model", "family", "image_size", "stage", "block", "layer", "type", "output_shape", *QUANTITIES)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CostTable:
    """Text cells, in order."""

    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    """Of each column, whether its cells are numbers."""
    rows: tuple[tuple[str, ...], ...]


def layers(statics: tuple[Static, ...]) -> pd.DataFrame:
    """Return a row for each layer of the first `MOST_MODELS` models by family and depth.

    ``stage`` is ``stem``, ``layer1``… ``head``, or the top-level child where the model has no such stages; ``block``
    is the layer's parent in it (``layer1.0``), and the layer's own name where it has none. Layers that cost nothing
    are there as well.
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
                    "stage": printable(stage_name(layer.stage)),
                    "block": printable(".".join(parts[:2])),
                    "layer": printable(layer.name),
                    "type": printable(layer.type),
                    "output_shape": f" {TIMES} ".join(map(str, layer.output_shape[1:])) or "1",
                    **{field: getattr(layer, field) for field in QUANTITIES},
                }
            )
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def by_quantity(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each layer and each ``quantity`` of which it costs any ``value``."""
    if frame.empty:
        return frame.assign(quantity="", value=0)
    parts = [
        rows.assign(quantity=name, value=rows[field])
        for _, rows in frame.groupby(["model", "image_size"], sort=False)
        for field, name in QUANTITIES.items()
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[whole["value"] > 0]


def stage_table(frame: pd.DataFrame) -> CostTable:
    """Return a row for each stage of one model that costs anything, with its share of each quantity, and their sum."""
    sums = frame.groupby("stage", sort=False)[list(QUANTITIES)].sum()
    sums = sums[sums.gt(0).any(axis=1)]
    totals = sums.sum()
    rows = [(str(stage), *_shares(row, totals)) for stage, row in zip(sums.index, each(sums), strict=True)]
    whole = ("whole model", *_shares(next(each(totals.to_frame().T)), totals))
    heads = ("stage", *(head for name in QUANTITIES.values() for head in (name, "share")))
    return CostTable(heads=heads, numeric=(False, *[True] * (len(heads) - 1)), rows=(*rows, whole))


def stage_tables(frame: pd.DataFrame) -> CostTable | None:
    """Return `stage_table` of each model below one another, the model and its pixels in front; None of no model."""
    tables = {
        (str(model), str(size)): stage_table(rows)
        for (model, size), rows in frame.groupby(["model", "image_size"], sort=False)
    }
    if not tables:
        return None
    first = next(iter(tables.values()))
    return CostTable(
        heads=("variant", "pixels", *first.heads),
        numeric=(False, True, *first.numeric),
        rows=tuple((*key, *row) for key, table in tables.items() for row in table.rows),
    )


def layer_table(frame: pd.DataFrame) -> CostTable:
    """Return a row for each layer of one model that costs anything."""
    rows = [
        (row.layer, row.type, row.output_shape, *(quantity(getattr(row, field), "") for field in QUANTITIES))
        for row in each(frame)
        if any(getattr(row, field) for field in QUANTITIES)
    ]
    heads = ("layer", "type", "output of one image", *QUANTITIES.values())
    return CostTable(heads=heads, numeric=(False, False, False, *[True] * len(QUANTITIES)), rows=tuple(rows))


def _shares(row: Any, totals: Any) -> Sequence[str]:
    cells = []
    for field in QUANTITIES:
        value, total = getattr(row, field), totals[field]
        cells += [quantity(value, ""), f"{100 * value / total:.1f}{SPACE}%" if total else ""]
    return cells
