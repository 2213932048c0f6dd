"""What precision, runtime and layout give."""

from typing import Final

import pandas as pd

from reports.chapters.chart import MOST_BARS, Chapter, Chart
from reports.chapters.speedups import break_even, chains
from reports.figures import waterfall
from reports.figures.heatmap import speedups
from reports.page import sentences
from reports.style.views import AXES, CONDITIONS, is_baseline


def _groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep what was tried beside the baseline, whether it worked or not."""
    return frame[~is_baseline(frame) & (frame["speedup"].notna() | frame["status"].ne("ok"))]


CHAPTER: Final = Chapter(
    title="Speed-ups",
    lead="What precision, runtime and layout give, what gave it, and when it pays.",
    charts={
        "speedups": Chart(
            title="Speed-up by precision, runtime and layout",
            definition=(
                "Baseline latency over the case's latency, both timed in turn in the same minutes: 2 is "
                "twice as fast as fp32 · eager · nchw on the same model, batch, device and threads. Blue "
                "is faster, orange slower, grey not told apart from 1 by a 95 % interval; a cross is a "
                "case that failed."
            ),
            absent="no case was measured beside its baseline, fp32 · eager · nchw",
            rows=_groups,
            by=CONDITIONS,
            most=MOST_BARS,
            draw=speedups,
            takeaway=sentences.of_speedups,
            columns=("model", *AXES, "latency_s", "speedup"),
            least=1,
        ),
        "waterfall": Chart(
            title="Which change gave what",
            frame="chains",
            definition=(
                "One case's way from fp32 · eager · nchw: each bar is what one change gives on top of those before "
                "it, so the order matters, and it is always layout, runtime, precision. The factors multiply to the "
                "total, hence the logarithmic axis; whiskers are 95 % intervals of each step alone. At most 60 "
                "cases are offered: the best of each variant, task and machine first."
            ),
            absent=(
                "no case differs from fp32 · eager · nchw in two or three ways, each of which was also measured alone"
            ),
            rows=chains.largest,
            by=("model", *AXES),
            draw=waterfall.waterfall,
            takeaway=waterfall.of_chain,
            columns=("model", *AXES, "step", "change", "before", "after", "factor", "total", "reason"),
            least=1,
            ordered=True,
        ),
        "break_even": Chart(
            title="When compiling pays",
            frame="break_evens",
            definition=(
                "Seconds of compilation over the seconds that a compiled step saves: after so many steps the "
                "compiled case has overtaken the eager one. Cold is from an empty cache, warm is another process "
                "that found the artefacts of an earlier one. Lines are 95 % intervals from that of the ratio to "
                "eager; an arrow reaches to never."
            ),
            absent="no run holds a case both compiled and eager, with the time of its compilation",
            rows=break_even.known,
            by=("machine", "task"),
            draw=break_even.break_even,
            takeaway=break_even.of_break_even,
            columns=("model", *AXES, "compile_s", "gain", "cold_steps", "warm_steps"),
            least=1,
        ),
    },
)
