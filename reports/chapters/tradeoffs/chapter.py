"""What accuracy costs."""

from typing import Final

from reports.chapters.chart import Chapter, Chart
from reports.chapters.tradeoffs import fronts
from reports.style.measures import LATENCY, MEMORY, THROUGHPUT
from reports.style.views import AXES

_PUBLISHED: Final = (
    "Accuracy is not measured here: it is what torchvision publishes for its best weights of the same architecture "
    "(fp32, 224 pixels), and for imported cases the best in the table that came with them, at their image size. Other "
    "weights of the same variant run equally fast. Of more than 2,000 cases, those on a front and the best of each "
    "variant and machine are drawn; of more than 40, those on a front are named."
)
_NO_ACCURACY: Final = "no inference case at 224 pixels has a variant with a published ImageNet accuracy"

CHAPTER: Final = Chapter(
    title="Trade-offs",
    lead="What accuracy costs in speed, in waiting and in memory, and what to pick.",
    charts={
        "accuracy": Chart(
            title="Accuracy against throughput",
            definition=(
                "Up and to the right is better. On the Pareto front, nothing on the same machine is both faster and "
                f"more accurate. {_PUBLISHED}"
            ),
            absent=_NO_ACCURACY,
            rows=fronts.with_accuracy(THROUGHPUT),
            by=("task",),
            draw=fronts.accuracy_against_throughput,
            takeaway=fronts.of_throughput,
            columns=("model", *AXES, "throughput_img_per_s", "imagenet_top1"),
            least=1,
        ),
        "accuracy_latency": Chart(
            title="Accuracy against latency",
            definition=(
                "Up and to the left is better: the time of one step of the whole batch. On the Pareto front, "
                f"nothing on the same machine is both sooner and more accurate. {_PUBLISHED}"
            ),
            absent=_NO_ACCURACY,
            rows=fronts.with_accuracy(LATENCY),
            by=("task",),
            draw=fronts.accuracy_against_latency,
            takeaway=fronts.of_latency,
            columns=("model", *AXES, "latency_s", "imagenet_top1"),
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
            rows=fronts.with_accuracy(MEMORY),
            by=("task",),
            draw=fronts.accuracy_against_memory,
            takeaway=fronts.of_memory,
            columns=("model", *AXES, "peak_bytes", "imagenet_top1"),
            least=1,
        ),
    },
)
