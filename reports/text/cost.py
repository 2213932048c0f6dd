"""Text for `list` and `cost`: models, suites and metrics, and the static cost of models.

JSON and CSV hold exact values in base units; tables hold rounded values for people.
"""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import structs

from reports.text.grid import markdown_escaped, markdown_table, text_table
from results.schema.axes import is_silent
from results.schema.lines.static import Layer, Stage, Static
from results.schema.metrics import METRICS
from results.text import csv_text

Breakdown = Literal["layer", "stage"]

# Two tables, as a single table would be too wide for a terminal: the size of a model, and its work on an image.
_SIZE: Final[dict[str, Callable[[Static], str]]] = {
    "model": lambda static: static.model,
    "family": lambda static: static.family,
    "parameters": lambda static: f"{static.parameters:,}",
    "trainable": lambda static: f"{static.trainable_parameters:,}",
    "buffers": lambda static: f"{static.buffers:,}",
}
_WORK: Final[Mapping[str, Callable[[Static], str]]] = {
    "model": lambda static: static.model,
    "px": lambda static: str(static.image_size),
    "channels": lambda static: str(static.in_channels),
    "head": lambda static: static.head,
    "GMACs": lambda static: f"{static.macs / 1e9:.3f}",
    "fvcore GMACs": lambda static: f"{static.fvcore_macs / 1e9:.3f}",
    "GFLOPs": lambda static: f"{static.flops / 1e9:.3f}",
    "training GFLOPs": lambda static: f"{static.training_flops / 1e9:.3f}",
    "M activations": lambda static: f"{static.activations / 1e6:.2f}",
    "FLOPs/byte": lambda static: f"{static.arithmetic_intensity:.1f}",
}
_SUMS: Final[Mapping[str, Callable[[Any], str]]] = {
    "parameters": lambda part: f"{part.parameters:,}",
    "MACs": lambda part: f"{part.macs:,}",
    "activations": lambda part: f"{part.activations:,}",
}
_LAYER: Final[Mapping[str, Callable[[Layer], str]]] = {
    "layer": lambda layer: layer.name,
    "type": lambda layer: layer.type,
    "output": lambda layer: _shape(layer.output_shape),
    **_SUMS,
}
_STAGE: Final[Mapping[str, Callable[[Stage], str]]] = {"stage": lambda stage: stage.name, **_SUMS}


def cost_text(statics: Sequence[Static], form: str, *, per: Breakdown | None = None) -> str:
    """Return the static cost of models: a row a model, and before them the layers or stages if `per` asks for them.

    CSV holds only the rows of `per`, or else of the models. JSON always holds the stages.
    """
    if form == "json":
        return json.dumps([_document(static, layers=per == "layer") for static in statics], indent=2)
    if form == "csv":
        rows = [row for static in statics for row in _rows(static, per)]
        return csv_text(list(rows[0]), [list(row.values()) for row in rows]).rstrip()
    parts = [table for static in statics for table in _parts(static, form, per)]
    parts += [_grid(_SIZE | _megabytes(statics), statics, form, 2), _grid(_work(statics), statics, form, 1)]
    if unknown := sorted({operator for static in statics for operator in static.uncounted}):
        line = f"operators that fvcore does not know and so does not count: {', '.join(unknown)}"
        parts.append(markdown_escaped(line) if form == "markdown" else line)
    return "\n\n".join(parts)


def _work(statics: Sequence[Static]) -> Mapping[str, Callable[[Static], str]]:
    """Return the columns of the work on an image, without channels and heads where all have the usual."""
    axes = {"channels": "in_channels", "head": "head"}
    silent = {
        column for column, axis in axes.items() if all(is_silent(axis, getattr(static, axis)) for static in statics)
    }
    return {head: text for head, text in _WORK.items() if head not in silent}


def models_text(models: Sequence[Sequence[object]]) -> str:
    """Return models that can be measured: rows of name, family, block type, depth and image size."""
    rows = [["" if cell is None else str(cell) for cell in row] for row in models]
    return text_table(["model", "family", "block", "depth", "image"], rows, numbers_from=3).rstrip()


def suites_text(descriptions: Mapping[str, str]) -> str:
    """Return suites with their descriptions."""
    return text_table(["name", "description"], [*map(list, descriptions.items())]).rstrip()


def recipes_text(recipes: Sequence[Sequence[str]]) -> str:
    """Return recipes of trainings: rows of name, epochs, published accuracy and description."""
    return text_table(["name", "epochs", "published", "description"], recipes).rstrip()


def metrics_text() -> str:
    """Return the metrics of a record with unit, better direction and meaning."""
    rows = [[name, metric.unit, metric.better or "", metric.description] for name, metric in METRICS.items()]
    return text_table(["name", "unit", "better", "description"], rows).rstrip()


def _document(static: Static, *, layers: bool) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(static) | {"flops": static.flops}
    if not layers:
        del document["layers"]
    return document


def _megabytes(statics: Sequence[Static]) -> dict[str, Callable[[Static], str]]:
    """Return a column of the model's size for each precision, a single column for precisions with the same size."""
    sizes = {size: precision for precision, size in reversed(statics[0].model_bytes.items())}
    return {f"{precision} MB": functools.partial(_size, precision) for precision in reversed(sizes.values())}


def _size(precision: str, static: Static) -> str:
    return f"{static.model_bytes[precision] / 1e6:.1f}"


def _rows(static: Static, per: Breakdown | None) -> list[dict[str, Any]]:
    """Return the CSV rows of a model."""
    if per == "stage":
        return [{"model": static.model, **structs.asdict(stage)} for stage in static.stages]
    if per == "layer":
        return [
            {"model": static.model, **structs.asdict(layer), "output_shape": _shape(layer.output_shape)}
            for layer in static.layers
        ]
    document = _document(static, layers=False)
    del document["stages"]
    sizes = {f"model_bytes_{precision}": size for precision, size in document.pop("model_bytes").items()}
    return [{**document, **sizes, "uncounted": " ".join(static.uncounted)}]


def _parts(static: Static, form: str, per: Breakdown | None) -> list[str]:
    if per is None:
        return []
    title = markdown_escaped(static.model) if form == "markdown" else static.model
    if per == "stage":
        return [title, _grid(_STAGE, static.stages, form, 1)]
    return [title, _grid(_LAYER, static.layers, form, 3)]


def _grid(columns: Mapping[str, Callable[[Any], str]], items: Sequence[object], form: str, numbers_from: int) -> str:
    draw = markdown_table if form == "markdown" else text_table
    rows = [[column(item) for column in columns.values()] for item in items]
    return draw(list(columns), rows, numbers_from=numbers_from).rstrip()


def _shape(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
