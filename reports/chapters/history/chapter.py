"""Runs over time."""

from typing import Final

from reports.chapters.history import overtime
from reports.figures.chart import Chapter, Chart
from reports.style.views import CONTEXT
from reports.style.words import MARGIN_TEXT

CHAPTER: Final = Chapter(
    title="Over time",
    lead="Runs of a machine by date. This is advice: verdicts are those of `compare` and `ab`.",
    charts={
        "over_time": Chart(
            title="Latency from run to run",
            frame=overtime.runs,
            definition=(
                "Latency of each run over its date, on a logarithmic axis; whiskers are 95 % intervals. Bars are "
                "the levels between change points, which divide the runs where Welch's t test finds that they "
                f"differ by more than {MARGIN_TEXT}; the box of a change lists what changed in the environment at that "
                "run. Hollow points carry signs of noise. Runs of different days cannot separate a change of the code "
                "from a change of the machine: this is advice, no verdict."
            ),
            absent="these files hold no case with runs of three dates on the same machine",
            rows=overtime.several,
            by=("model", *CONTEXT),
            draw=overtime.over_time,
            takeaway=overtime.of_history,
            columns=("run", "started", "status", "latency_s", "level_s", "noisy", "environment", "commit"),
            own=overtime.HISTORY_COLUMNS,
            least=1,
            ordered=True,
        ),
    },
)
