"""The fastest configuration of a search."""

from typing import Final

from reports.chapters.fastest import drawing, frames
from reports.figures.chart import Chapter, Chart, every_row
from reports.style.columns import Column, amount, words

_OWN: Final[dict[str, Column]] = {
    "candidate": words("candidate", "candidate"),
    "fate": words("fate", "fate"),
    "image_s": amount("an image", "image_s", "s"),
    "throughput_img_per_s": amount("img/s", "throughput_img_per_s", "img/s"),
    "speedup": amount("speed-up", "speedup", "1"),
    "rounds": amount("rounds", "rounds", "1"),
    "reason": words("reason", "reason"),
}


CHAPTER: Final = Chapter(
    title="The fastest configuration",
    lead="What the search tried, how fast it was, and why each candidate left.",
    charts={
        "candidates": Chart(
            title="Candidates",
            needs="search",
            frame=frames.candidate_frame,
            definition=(
                "All candidates step in turns; a candidate leaves when it is slower than the leader beyond doubt, over "
                "all looks together. Those that left early have few steps, so their figures are rough: only the last "
                "were measured again in fresh processes. The table also names those that were not started, and why."
            ),
            absent="these files hold no search",
            rows=every_row,
            by=("run",),
            draw=drawing.candidate_bars,
            takeaway=drawing.of_candidates,
            columns=("candidate", "fate", "image_s", "throughput_img_per_s", "speedup", "rounds", "reason"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
    },
)
