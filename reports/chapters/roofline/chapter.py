"""How far from the roof."""

from typing import Final

from reports.chapters.roofline import drawing, frames
from reports.figures.chart import Chapter, Chart, every_row
from reports.style.columns import Column, amount, estimate, words

_OWN: Final[dict[str, Column]] = {
    "case": words("case", "case"),
    "name": words("layer", "name"),
    "type": words("type", "type"),
    "phase": words("phase", "phase"),
    "measured_s": amount("measured", "measured_s", "s"),
    "roof_s": amount("roof", "roof_s", "s"),
    "intensity": amount("FLOPs a byte", "intensity", "FLOP/B"),
    "achieved": amount("achieved", "achieved", "FLOP/s"),
    "bound": words("bound by", "bound"),
    "remedy": words("what would help", "remedy"),
    "saves_s": estimate("saves", "saves_s", "s", "saves"),
    "layers": words("most of all in", "layers"),
}


CHAPTER: Final = Chapter(
    title="How far from the roof",
    lead="What each layer takes against what this device can do, and what would help.",
    charts={
        "roofline": Chart(
            title="Roofline",
            needs="profile",
            frame=frames.roof_layers,
            definition=(
                "A point is a convolution or linear layer in a phase. Its roof is the longest of three times: its "
                "FLOPs at "
                "the best measured rate, the bytes that must move at the bandwidth of its working set, and what "
                "calling an "
                "operator costs (Williams 2009). Layers without FLOPs, such as normalisations, stand in the "
                "terminal's table."
            ),
            absent="these files hold no profile beside what its device can do",
            rows=frames.products_only,
            by=("case", "run"),
            draw=drawing.roof_points,
            takeaway=drawing.of_roof,
            columns=("name", "type", "phase", "measured_s", "roof_s", "intensity", "achieved", "bound"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
        "gains": Chart(
            title="Seconds to gain",
            needs="profile",
            frame=frames.advice_frame,
            definition=(
                "Layout, precision and batch: each layer was timed alone in both settings, in turns; the interval "
                "has 10 % "
                "of the step on both sides for what layers alone do not know of their neighbours. A compiler: what the "
                "element-wise layers and the host between operators take bounds what it can save."
            ),
            absent="these files hold no profile that succeeded",
            rows=every_row,
            by=("case", "run"),
            draw=drawing.gains,
            takeaway=drawing.of_gains,
            columns=("remedy", "saves_s", "layers"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
    },
)
