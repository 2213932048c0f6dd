"""Training steps."""

from typing import Final

from reports.chapters.chart import MOST_BARS, PEAKS, Chapter, Chart, sound
from reports.figures.bars import memory, throughput, training_phases
from reports.page import sentences
from reports.style.views import AXES

CHAPTER: Final = Chapter(
    title="Training",
    lead="Where a training step goes, how many images it does a second, and what memory it takes.",
    charts={
        "training": Chart(
            title="Where a training step goes",
            definition=(
                "One step of SGD with momentum: forward pass with cross-entropy, backward pass, "
                "optimizer; medians of the steady steps."
            ),
            absent="no training case has a result",
            rows=sound("forward_s", "backward_s", "optimizer_s"),
            by=AXES,
            most=MOST_BARS,
            draw=training_phases,
            takeaway=sentences.of_phases,
            columns=("model", *AXES, "forward_s", "backward_s", "optimizer_s", "latency_s"),
            least=1,
        ),
        "training_throughput": Chart(
            title="Training throughput",
            definition="Images a second of whole training steps; whiskers are 95 % intervals.",
            absent="no training case has a throughput",
            rows=sound("throughput_img_per_s", task="training"),
            by=AXES,
            most=MOST_BARS,
            draw=throughput,
            takeaway=sentences.of_depth,
            columns=("model", *AXES, "throughput_img_per_s", "flops_per_s"),
            least=1,
        ),
        "training_memory": Chart(
            title="Peak memory of training",
            definition="As for inference, with gradients, momentum and the activations that the backward pass needs.",
            absent="no training case has a measured peak of memory",
            rows=sound("peak_bytes", task="training"),
            by=AXES,
            most=MOST_BARS,
            draw=memory,
            takeaway=sentences.of_memory,
            columns=PEAKS,
            least=1,
        ),
    },
)
