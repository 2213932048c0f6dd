"""The treemap of a model's parameters, multiply-adds or activations, down to the layer."""

from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import blank
from reports.style.rows import each
from reports.style.theme import GREY, OTHER_STYLE, PATTERN, STAGES, label
from reports.style.units import SPACE, quantity
from reports.style.views import axes_texts

TREEMAP_HEIGHT: Final = 560
_ROOT: Final = ""


def treemap(frame: pd.DataFrame) -> Figure:
    """Draw a model and a quantity (`reports.chapters.static.layers.by_quantity`) as boxes: stage, block, layer.

    The area of a box is its share; colour and pattern show the stage. A click opens a box.
    """
    nodes = _nodes(frame)
    total = nodes[_ROOT]["value"]
    what = label(frame["quantity"].iloc[0])
    values = [node["value"] for node in nodes.values()]
    amounts = [f"{quantity(value, '1')}, {100 * value / total:.1f}{SPACE}%" for value in values]
    words = [
        (label(node["label"]), amount, node["parent"] in {None, _ROOT})
        for node, amount in zip(nodes.values(), amounts, strict=True)
    ]
    figure = blank(
        TREEMAP_HEIGHT,
        meta={"min_width": 620},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        uniformtext={"minsize": 10, "mode": "hide"},
    )
    figure.add_treemap(
        ids=[f"/{name}" for name in nodes],
        parents=["" if node["parent"] is None else f"/{node['parent']}" for node in nodes.values()],
        # The head of a box is a single line, which has room for more than a name only in boxes of stages.
        labels=[f"{name} · {amount}" if wide else name for name, amount, wide in words],
        values=values,
        text=["" if wide else amount for _, amount, wide in words],
        textinfo="label+text",
        customdata=[
            f"<b>{label(node['title'])}</b><br>{amount.replace(',', f' {what},')}{node['more']}"
            for node, amount in zip(nodes.values(), amounts, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        branchvalues="total",
        tiling={"pad": 2},
        pathbar={"visible": True, "thickness": 24},
        marker=_marker(nodes),
        textfont={"color": "#ffffff", "size": 12},
    )
    return figure


def _marker(nodes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the style of the boxes: colour and pattern of their stage, in white frames."""
    colors = [node["color"] for node in nodes.values()]
    return {
        "colors": colors,
        "pattern": {
            **PATTERN,
            # With fillmode overlay Plotly asks for the contrast of the whole list, and warns that it is no colour.
            "fillmode": "replace",
            "bgcolor": colors,
            "fgopacity": 0.15,
            "shape": [node["pattern"] for node in nodes.values()],
        },
        "line": {"width": 1, "color": "#ffffff"},
        "pad": {"t": 20, "l": 3, "r": 3, "b": 3},
        "cornerradius": 2,
    }


def _darker(color: str) -> str:
    """Return a darker colour, on which white text has a contrast of at least 4.5:1; the styles' colours have 3:1."""
    channels = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(0.75 * channel):02x}" for channel in channels)


def _nodes(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the boxes by name, parents before children; a block of a single layer is that layer."""
    model = next(each(frame))
    nodes: dict[str, dict[str, Any]] = {
        _ROOT: _node(
            None,
            f"{model.model}",
            f"{model.model} at {', '.join(axes_texts(model, ('image_size', 'in_channels', 'head')))}",
            _darker(GREY),
            "",
        )
    }
    for row in each(frame):
        style = STAGES.get(row.stage, OTHER_STYLE)
        look = (_darker(style.color), style.pattern)
        stage, block, layer = f"{row.stage}/", f"{row.stage}/{row.block}/", f"{row.stage}/{row.block}/{row.layer}"
        nodes.setdefault(stage, _node(_ROOT, row.stage, row.stage, *look))
        nodes[_ROOT]["value"] += row.value
        nodes[stage]["value"] += row.value
        parent = stage
        if row.block != row.layer:
            nodes.setdefault(block, _node(stage, row.block, row.block, *look))
            nodes[block]["value"] += row.value
            parent = block
        name = row.layer.removeprefix(f"{row.block}.")
        node = nodes.setdefault(layer, _node(parent, name, row.layer, *look))
        node["value"] += row.value
        node["more"] = f"<br>{label(row.type)}, output {label(row.output_shape)}"
    return nodes


def _node(parent: str | None, text: str, title: str, color: str, pattern: str) -> dict[str, Any]:
    return {"parent": parent, "label": text, "title": title, "color": color, "pattern": pattern, "value": 0, "more": ""}
