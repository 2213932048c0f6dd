"""Runs over time."""

from typing import Final

from reports.chapters.history import overtime
from reports.figures.chart import Chapter, Chart
from reports.style.views import CONTEXT

CHAPTER: Final = Chapter(
    title="Over time",
    lead="Runs of one machine in the order of their dates. Advisory: `compare` and `ab` are what judges.",
    charts={
        "over_time": Chart(
            title="Latency from run to run",
            frame=overtime.runs,
            definition=(
                "Latency of each run over its date, on a logarithmic axis; whiskers are 95 % intervals. Bars are "
                "the levels between change points, which divide the runs where Welch's t test finds that they "
                "differ by more than 2 %; beside each stands what changed in the environment at that run. Hollow "
                "points carry signs of noise. Runs of different days cannot tell a change of the code from one of "
                "the machine: this is advice, no verdict."
            ),
            absent="these files hold no case that was measured at three dates on one machine",
            rows=overtime.several,
            by=("model", *CONTEXT),
            draw=overtime.over_time,
            takeaway=overtime.of_history,
            columns=("run", "started", "status", "latency_s", "level_s", "noisy", "environment"),
            own=overtime.COLUMNS,
            least=1,
            ordered=True,
        ),
    },
)
