"""Text for `list` and `cost`: what there is to measure, and what is known of it without timing.

Each function gives one string. JSON and CSV hold exact values in base units; tables hold what a person reads.
"""

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from results.schema import Layer, Static

Format = Literal["table", "json", "csv", "markdown"]

_COST: Final[Mapping[str, Callable[[Static], str]]] = {
    "model": lambda static: static.model,
    "family": lambda static: static.family,
    "image": lambda static: str(static.image_size),
    "parameters (M)": lambda static: f"{static.parameters / 1e6:.2f}",
    "fp32 (MB)": lambda static: f"{static.model_bytes['fp32'] / 1e6:.1f}",
    "GMACs": lambda static: f"{static.macs / 1e9:.3f}",
    "GFLOPs": lambda static: f"{static.flops / 1e9:.3f}",
    "training GFLOPs": lambda static: f"{static.training_flops / 1e9:.3f}",
    "activations (M)": lambda static: f"{static.activations / 1e6:.2f}",
    "FLOPs/byte": lambda static: f"{static.arithmetic_intensity:.1f}",
}
_LAYER: Final[Mapping[str, Callable[[Layer], str]]] = {
    "layer": lambda layer: layer.name,
    "type": lambda layer: layer.type,
    "output": lambda layer: "x".join(map(str, layer.output_shape)),
    "parameters": lambda layer: f"{layer.parameters:,}",
    "MACs": lambda layer: f"{layer.macs:,}",
    "activations": lambda layer: f"{layer.activations:,}",
}
_TEXT_COLUMNS: Final = {"model", "family", "layer", "type", "name", "block", "unit", "better", "description", "label"}
"""Columns that are set flush left; the others hold numbers."""


def cost_text(statics: Sequence[Static], form: Format, *, per_layer: bool) -> str:
    """Return the static cost of models, one row a model, or a layer where `per_layer` asks for it."""
    if form == "json":
        return json.dumps([_document(static, per_layer=per_layer) for static in statics], indent=2)
    if form == "csv":
        return _csv([row for static in statics for row in _rows(static, per_layer=per_layer)])
    total = _grid(_COST, statics)
    if not per_layer:
        return _layout(total, form)
    parts = [f"{static.model}\n\n{_layout(_grid(_LAYER, static.layers), form)}" for static in statics]
    return "\n\n".join([*parts, _layout(total, form)])


def models_text() -> str:
    """Return the models that can be measured, variants first, then peers."""
    from bench import models  # noqa: PLC0415 - only where it is asked for

    header = ["model", "family", "block", "depth", "image"]
    rows = [
        [
            name,
            models.family(name),
            models.block(name) or "",
            str(models.depth(name) or ""),
            str(models.default_image_size(name)),
        ]
        for name in models.names()
    ]
    return _layout([header, *rows], "table")


def suites_text() -> str:
    """Return the built-in suites with their descriptions."""
    from bench.suite import builtin_suites  # noqa: PLC0415 - only where it is asked for

    return _layout([["name", "description"], *map(list, builtin_suites().items())], "table")


def metrics_text() -> str:
    """Return the metrics of a record with unit, better direction and meaning."""
    from results.metrics import METRICS  # noqa: PLC0415 - only where it is asked for

    rows = [[name, each.unit, each.better or "", each.description] for name, each in METRICS.items()]
    return _layout([["name", "unit", "better", "description"], *rows], "table")


def _document(static: Static, *, per_layer: bool) -> dict[str, Any]:
    document = dataclasses.asdict(static) | {"flops": static.flops}
    if not per_layer:
        del document["layers"]
    return document


def _rows(static: Static, *, per_layer: bool) -> Iterable[dict[str, Any]]:
    document = _document(static, per_layer=True)
    layers, sizes = document.pop("layers"), document.pop("model_bytes")
    del document["stages"]
    if not per_layer:
        document["uncounted"] = " ".join(document["uncounted"])
        return [document | {f"model_bytes_{precision}": size for precision, size in sizes.items()}]
    return [
        {"model": static.model, **layer, "output_shape": "x".join(map(str, layer["output_shape"]))} for layer in layers
    ]


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def _grid(columns: Mapping[str, Callable[[Any], str]], items: Iterable[object]) -> list[list[str]]:
    return [list(columns), *([column(item) for column in columns.values()] for item in items)]


def _layout(grid: Sequence[Sequence[str]], form: Format) -> str:
    """Set a header and its rows in columns as wide as their widest cell, for a terminal or as Markdown."""
    header = grid[0]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    left = [name in _TEXT_COLUMNS for name in header]
    lines = [
        [
            cell.ljust(width) if flush else cell.rjust(width)
            for cell, width, flush in zip(row, widths, left, strict=True)
        ]
        for row in grid
    ]
    if form != "markdown":
        return "\n".join("  ".join(line).rstrip() for line in lines)
    rule = ["-" * width if flush else "-" * (width - 1) + ":" for width, flush in zip(widths, left, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])
