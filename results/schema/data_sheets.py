"""Figures of manufacturers, each with its source: dense arithmetic, never with sparsity.

Tables in well-known libraries are wrong by factors of up to 1,000, so a figure stands here only if its data sheet does.
"""

from typing import Final

from results.schema.lines.peaks import SheetFigure

_TERA: Final = 1e12
_GIGA: Final = 1e9
_A100: Final = "NVIDIA A100 Tensor Core GPU data sheet, June 2021"
_H100: Final = "NVIDIA H100 Tensor Core GPU data sheet, SXM; half of the figures with sparsity"
_L4: Final = "NVIDIA L4 Tensor Core GPU data sheet; half of the figures with sparsity"
SHEETS: Final[dict[str, tuple[SheetFigure, ...]]] = {
    "A100-SXM4-80GB": (
        SheetFigure(what="fp32", value=19.5 * _TERA, source=_A100),
        SheetFigure(what="tf32", value=156 * _TERA, source=_A100),
        SheetFigure(what="amp-bf16", value=312 * _TERA, source=_A100),
        SheetFigure(what="amp-fp16", value=312 * _TERA, source=_A100),
        SheetFigure(what="bandwidth", value=2039 * _GIGA, source=_A100),
    ),
    "H100 80GB HBM3": (
        SheetFigure(what="fp32", value=67 * _TERA, source=_H100),
        SheetFigure(what="tf32", value=494.5 * _TERA, source=_H100),
        SheetFigure(what="amp-bf16", value=989.5 * _TERA, source=_H100),
        SheetFigure(what="amp-fp16", value=989.5 * _TERA, source=_H100),
        SheetFigure(what="bandwidth", value=3350 * _GIGA, source=_H100),
    ),
    "NVIDIA L4": (
        SheetFigure(what="fp32", value=30.3 * _TERA, source=_L4),
        SheetFigure(what="tf32", value=60 * _TERA, source=_L4),
        SheetFigure(what="amp-bf16", value=121 * _TERA, source=_L4),
        SheetFigure(what="amp-fp16", value=121 * _TERA, source=_L4),
        SheetFigure(what="bandwidth", value=300 * _GIGA, source=_L4),
    ),
}
"""Figures by a part of the device's name as torch reports it."""


def sheet_of(device_name: str | None) -> tuple[SheetFigure, ...]:
    """Return the manufacturer's figures of a device, none where no data sheet is known."""
    if device_name is None:
        return ()
    return next((figures for part, figures in SHEETS.items() if device_name.endswith(part)), ())
