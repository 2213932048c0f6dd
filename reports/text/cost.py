"""Text for `list` and `cost`: what there is to measure, and what is known of it without timing.

Each function gives one string. JSON and CSV hold exact values in base units; tables hold what a person reads.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import structs

from reports.text.grid import markdown_escaped, markdown_table, text_table
from results.schema.static import Layer, Stage, Static
from results.text import csv_text

Format = Literal["table", "json", "csv", "markdown"]
Part = Literal["layer", "stage"]

# Two tables, as one would be too wide for a terminal: what a model is, and what it does with one image.
_SIZE: Final[Mapping[str, Callable[[Static], str]]] = {
    "model": lambda static: static.model,
    "family": lambda static: static.family,
    "parameters": lambda static: f"{static.parameters:,}",
    "trainable": lambda static: f"{static.trainable_parameters:,}",
    "buffers": lambda static: f"{static.buffers:,}",
    "fp32 MB": lambda static: f"{static.model_bytes['fp32'] / 1e6:.1f}",
    "fp16 MB": lambda static: f"{static.model_bytes['fp16'] / 1e6:.1f}",
}
_WORK: Final[Mapping[str, Callable[[Static], str]]] = {
    "model": lambda static: static.model,
    "px": lambda static: str(static.image_size),
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


def cost_text(statics: Sequence[Static], form: Format, *, per: Part | None = None) -> str:
    """Return the static cost of models: one row a model, and before that one a layer or stage where `per` asks for it.

    CSV holds the rows of one kind only: those of `per`, or else the models'. JSON holds the stages at any rate.
    """
    if form == "json":
        return json.dumps([_document(static, layers=per == "layer") for static in statics], indent=2)
    if form == "csv":
        rows = [row for static in statics for row in _rows(static, per)]
        return csv_text(list(rows[0]), [list(row.values()) for row in rows]).rstrip()
    parts = [table for static in statics for table in _parts(static, form, per)]
    parts += [_grid(_SIZE, statics, form, 2), _grid(_WORK, statics, form, 1)]
    if unknown := sorted({operator for static in statics for operator in static.uncounted}):
        line = f"operators that fvcore does not know and so does not count: {', '.join(unknown)}"
        parts.append(markdown_escaped(line) if form == "markdown" else line)
    return "\n\n".join(parts)


def models_text() -> str:
    """Return the models that can be measured, variants first, then peers."""
    from bench.suites import models  # noqa: PLC0415 - only where it is asked for

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
    return text_table(header, rows, numbers_from=3).rstrip()


def suites_text() -> str:
    """Return the built-in suites with their descriptions."""
    from bench.suites.toml import builtin_suites  # noqa: PLC0415 - only where it is asked for

    return text_table(["name", "description"], [*map(list, builtin_suites().items())]).rstrip()


def metrics_text() -> str:
    """Return the metrics of a record with unit, better direction and meaning."""
    from results.schema.metrics import METRICS  # noqa: PLC0415 - only where it is asked for

    rows = [[name, each.unit, each.better or "", each.description] for name, each in METRICS.items()]
    return text_table(["name", "unit", "better", "description"], rows).rstrip()


def _document(static: Static, *, layers: bool) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(static) | {"flops": static.flops}
    if not layers:
        del document["layers"]
    return document


def _rows(static: Static, per: Part | None) -> list[dict[str, Any]]:
    """Return what stands in the CSV of one model, exact and in base units."""
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


def _parts(static: Static, form: Format, per: Part | None) -> list[str]:
    if per is None:
        return []
    title = markdown_escaped(static.model) if form == "markdown" else static.model
    if per == "stage":
        return [title, _grid(_STAGE, static.stages, form, 1)]
    return [title, _grid(_LAYER, static.layers, form, 3)]


def _grid(columns: Mapping[str, Callable[[Any], str]], items: Sequence[object], form: Format, numbers_from: int) -> str:
    draw = markdown_table if form == "markdown" else text_table
    rows = [[column(item) for column in columns.values()] for item in items]
    return draw(list(columns), rows, numbers_from=numbers_from).rstrip()


def _shape(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
