"""Styles: a style a family, a Plotly template for light and for dark, and safe labels."""

import dataclasses
from typing import Any, Final

from results.text import printable


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The style of a series: its colour, and for readers without colour its marker, dash and pattern."""

    color: str
    symbol: str
    dash: str
    pattern: str


# Okabe and Ito's colours (2008), their light ones darkened until each has a contrast of at least 3:1 both on
# white and on the dark background, so that one set of colours serves both themes.
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#BE6A9A"
OCHRE: Final = "#AD7A00"
SKY: Final = "#3594D2"
GREY: Final = "#808080"
BROWN: Final = "#96603F"
INDIGO: Final = "#6F5FD0"

FAMILIES: Final[dict[str, Style]] = {
    "resnet": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "preact": Style(color=VERMILLION, symbol="square", dash="dash", pattern="/"),
    "resnext": Style(color=GREEN, symbol="diamond", dash="dot", pattern="x"),
    "wide": Style(color=PURPLE, symbol="triangle-up", dash="dashdot", pattern="-"),
    "resnetd": Style(color=OCHRE, symbol="triangle-down", dash="longdash", pattern="|"),
    "cifar": Style(color=SKY, symbol="pentagon", dash="longdashdot", pattern="+"),
    # Plotly has eight patterns; the bars that they distinguish also have the model's name.
    "cifar_he": Style(color=INDIGO, symbol="hexagon", dash="dashdot", pattern="+"),
    "plain": Style(color=GREY, symbol="x", dash="dot", pattern="."),
    "peer": Style(color=BROWN, symbol="star", dash="solid", pattern="\\"),
}
OTHER_STYLE: Final = Style(color=GREY, symbol="hexagram", dash="dash", pattern="+")
"""Style of a family that is not in `FAMILIES`."""

PHASES: Final[dict[str, Style]] = {
    "forward": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "backward": Style(color=VERMILLION, symbol="square", dash="dash", pattern="/"),
    "optimizer": Style(color=GREEN, symbol="diamond", dash="dot", pattern="x"),
}
STAGES: Final[dict[str, Style]] = {
    "stem": Style(color=GREY, symbol="circle", dash="solid", pattern="."),
    "layer1": Style(color=BLUE, symbol="circle", dash="solid", pattern=""),
    "layer2": Style(color=OCHRE, symbol="circle", dash="solid", pattern="/"),
    "layer3": Style(color=GREEN, symbol="circle", dash="solid", pattern="x"),
    "layer4": Style(color=VERMILLION, symbol="circle", dash="solid", pattern="-"),
    "head": Style(color=PURPLE, symbol="circle", dash="solid", pattern="|"),
}

MACHINES: Final = (
    Style(color=INDIGO, symbol="circle", dash="solid", pattern=""),
    Style(color=VERMILLION, symbol="square", dash="dash", pattern="/"),
    Style(color=GREEN, symbol="diamond", dash="dot", pattern="x"),
    Style(color=SKY, symbol="triangle-up", dash="dashdot", pattern="-"),
    Style(color=BROWN, symbol="triangle-down", dash="longdash", pattern="|"),
    Style(color=PURPLE, symbol="pentagon", dash="longdashdot", pattern="+"),
)
"""Styles that distinguish the machines of a chart: more hues could not be told apart."""

PATTERN: Final = {"fillmode": "overlay", "fgcolor": "#ffffff", "fgopacity": 0.5, "size": 7, "solidity": 0.2}
"""Options of a bar's `Style.pattern`, drawn in white over its colour."""
FONT: Final = "Inter, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK: Final = {"light": "#1c2128", "dark": "#e3e6ea"}
FAINT: Final = {"light": "#e4e7eb", "dark": "#2d333b"}
PAPER: Final = {"light": "#ffffff", "dark": "#14171b"}


def family_style(family: object) -> Style:
    """Return the style of a family, `OTHER_STYLE` for an unknown family."""
    return FAMILIES.get(str(family), OTHER_STYLE)


def label(text: object) -> str:
    """Return `text` for a Plotly label: Plotly reads ``<b>``, ``<a href>`` and ``&lt;`` there, so all are escaped.

    Ampersand first, or the escapes would be escaped.
    """
    return printable(str(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def template(mode: str) -> dict[str, Any]:
    """Return the Plotly template of ``light`` or ``dark``."""
    axis: dict[str, Any] = {
        "gridcolor": FAINT[mode],
        "linecolor": FAINT[mode],
        "zerolinecolor": FAINT[mode],
        "tickcolor": FAINT[mode],
        "ticks": "outside",
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 13}},
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 13, "color": INK[mode]},
            "paper_bgcolor": PAPER[mode],
            "plot_bgcolor": PAPER[mode],
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "hoverlabel": {"bgcolor": PAPER[mode], "bordercolor": INK[mode], "font": {"color": INK[mode]}},
            "hovermode": "closest",
            "bargap": 0.3,
        }
    }
