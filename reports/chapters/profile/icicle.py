"""The icicle of a step: phase, stage, block, layer, each as wide as its time. A click opens a part."""

from typing import Any, Final

import pandas as pd
from plotly.graph_objs._figure import Figure

from reports.style.drawing import blank
from reports.style.rows import each
from reports.style.theme import GREY, OTHER_STYLE, PHASES, STAGES, label
from reports.style.units import quantity

ICICLE_HEIGHT: Final = 520
_ROOT: Final = "step"


def icicle(frame: pd.DataFrame) -> Figure:
    """Draw the modules of a case (`reports.chapters.profile.frames.module_frame`)."""
    nodes = _nodes(frame)
    step_s = float(frame["step_s"].iloc[0])
    figure = blank(ICICLE_HEIGHT, meta={"min_width": 620}, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure.add_icicle(
        ids=list(nodes),
        labels=[label(node["label"]) for node in nodes.values()],
        parents=[node["parent"] for node in nodes.values()],
        values=[1e3 * node["value"] for node in nodes.values()],
        branchvalues="total",
        tiling={"orientation": "v"},
        customdata=[
            f"<b>{label(node['title'])}</b><br>{quantity(node['value'], 's')}, {node['value'] / step_s:.1%} of a step"
            for node in nodes.values()
        ],
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "colors": [_darker(node["color"]) for node in nodes.values()],
            "line": {"width": 1, "color": "#ffffff"},
        },
        textfont={"color": "#ffffff", "size": 12},
        pathbar={"visible": True, "thickness": 24},
    )
    return figure


def _nodes(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the boxes by id, parents before children; the boxes of a phase add up to it."""
    phases = {row.phase: row.total_s for row in each(frame) if row.module == "(root)"}
    nodes = {_ROOT: _node("", "modules of a step", "all modules", sum(phases.values()), GREY)}
    for phase, seconds in phases.items():
        nodes[phase] = _node(_ROOT, phase, phase, seconds, PHASES[phase].color if phase in PHASES else GREY)
    for row in each(frame):
        if row.module == "(root)":
            continue
        parent, _, name = row.module.rpartition(".")
        parent_id = f"{row.phase}/{parent}" if f"{row.phase}/{parent}" in nodes else row.phase
        color = STAGES.get(row.stage, OTHER_STYLE).color
        title = f"{row.module} ({row.type}), {row.phase}"
        nodes[f"{row.phase}/{row.module}"] = _node(parent_id, name, title, row.total_s, color)
    return nodes


def _node(parent: str, text: str, title: str, value: float, color: str) -> dict[str, Any]:
    return {"parent": parent, "label": text, "title": title, "value": value, "color": color}


def _darker(color: str) -> str:
    """Return a darker colour, on which white text has enough contrast."""
    channels = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(0.75 * channel):02x}" for channel in channels)


def of_modules(frame: pd.DataFrame) -> str:
    """Return the sentence on the slowest layers, by their own seconds."""
    slowest = frame.sort_values("self_s", ascending=False).head(3)
    said = ", ".join(f"{row.module} {row.phase} ({quantity(row.self_s, 's')})" for row in each(slowest))
    return f"The slowest parts of {frame['case'].iloc[0]} are {said}."
