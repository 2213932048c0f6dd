"""Accuracy against throughput, latency and memory."""

from typing import Any, Final

import pandas as pd

from reports.chapters.tradeoffs import fronts, picks, svg
from reports.chapters.tradeoffs.accuracies import by_source
from reports.figures.chart import Chapter, Chart, Insert, Source
from reports.style.measures import LATENCY, MEMORY, THROUGHPUT
from reports.style.views import CONTEXT

_PUBLISHED: Final = (
    "Accuracy is not measured here: torchvision publishes it for its best weights of a variant (fp32, 224 pixels), "
    "and the table that came with imported cases has the best at their image size. A chart has the accuracies "
    "of one source, whichever machine ran; another source is a choice above it. Other weights of the same variant "
    "run equally fast. Points on no front are faint. Of more than 2,000 cases, those on a front and the best of each "
    "variant and machine are drawn; of more than 40, those on a front are named where there is room. Of more than six "
    "machines, those of similar speed are drawn together; the filter brings any six together."
)
_NO_ACCURACY: Final = "no inference case at 224 pixels has a variant with a published ImageNet accuracy"

_ROWS: Final = fronts.with_accuracy(THROUGHPUT)


def accurate(source: Source) -> pd.DataFrame:
    """Return the cases that the figure of accuracy against throughput draws, with accuracies of the first source."""
    rows = _ROWS(source.frame(by_source))
    return rows[rows["accuracy"].eq(rows["accuracy"].iloc[0])] if len(rows) else rows


def _still(source: Source) -> dict[str, Any]:
    """Return the fastest comparable cases with an accuracy as a plain drawing."""
    return {"pareto": svg.drawing(picks.most_telling(accurate(source)))}


CHAPTER: Final = Chapter(
    title="Trade-offs",
    lead="Accuracy against throughput, latency and memory, and which variant to choose.",
    intro=Insert(template="tradeoffs/chapter.html", values=lambda _: {}),
    charts={
        "accuracy": Chart(
            title="Accuracy against throughput",
            definition=(
                "Up and to the right is better. On the Pareto front, nothing on the same machine is both faster and "
                f"more accurate. {_PUBLISHED}"
            ),
            absent=_NO_ACCURACY,
            frame=by_source,
            rows=_ROWS,
            by=("task", "accuracy"),
            by_group=True,
            draw=fronts.accuracy_against(THROUGHPUT),
            takeaway=picks.fastest,
            columns=("model", *CONTEXT, "throughput_img_per_s", "imagenet_top1"),
            still=Insert(template="tradeoffs/still.html", values=_still),
            least=1,
        ),
        "accuracy_latency": Chart(
            title="Accuracy against latency",
            definition=(
                "Up and to the left is better: the time of one step of the whole batch. On the Pareto front, "
                f"nothing on the same machine is both faster and more accurate. {_PUBLISHED}"
            ),
            absent=_NO_ACCURACY,
            frame=by_source,
            rows=fronts.with_accuracy(LATENCY),
            by=("task", "accuracy"),
            by_group=True,
            draw=fronts.accuracy_against(LATENCY),
            takeaway=picks.cheapest(LATENCY, "answers soonest"),
            columns=("model", *CONTEXT, "latency_s", "imagenet_top1"),
            least=1,
        ),
        "accuracy_memory": Chart(
            title="Accuracy against memory",
            definition=(
                "Up and to the left is better. Peak memory is resident on a CPU and allocated by tensors on an "
                "accelerator, so machines of both kinds do not compare. On the Pareto front, nothing on the same "
                f"machine is both smaller and more accurate. {_PUBLISHED}"
            ),
            absent="no inference case has both a published ImageNet accuracy and a peak of memory",
            frame=by_source,
            rows=fronts.with_accuracy(MEMORY),
            by=("task", "accuracy"),
            by_group=True,
            draw=fronts.accuracy_against(MEMORY),
            takeaway=picks.cheapest(MEMORY, "needs the least memory"),
            columns=("model", *CONTEXT, "peak_bytes", "imagenet_top1"),
            least=1,
        ),
    },
)
