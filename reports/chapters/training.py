"""Training steps."""

from typing import Final

import pandas as pd

from reports.figures.bars import memory, memory_range, throughput, throughput_range, training_phases
from reports.figures.chart import MOST_BARS, PEAKS, Chapter, Chart, sound
from reports.style.views import CONTEXT
from reports.style.words import percent_text


def _of_phases(frame: pd.DataFrame) -> str:
    """Say what share of a training step the backward pass takes."""
    whole = frame["forward_s"] + frame["backward_s"] + frame["optimizer_s"]
    share = sorted(frame["backward_s"] / whole)
    low, high = (percent_text(end, 0) for end in (share[0], share[-1]))
    ratio = (frame["backward_s"] / frame["forward_s"]).median()
    return (
        f"The backward pass takes {low if low == high else f'{low} to {high}'} of a training step, "
        f"typically {ratio:.2g} times the forward pass."
    )


CHAPTER: Final = Chapter(
    title="Training",
    lead="The parts of a training step, its throughput and its peak memory.",
    charts={
        "training": Chart(
            title="Parts of a training step",
            definition=(
                "One step of SGD with momentum: forward pass with cross-entropy, backward pass, "
                "optimizer; medians of the steady steps."
            ),
            absent="no training case has a result",
            rows=sound("forward_s", "backward_s", "optimizer_s"),
            by=CONTEXT,
            most=MOST_BARS,
            draw=training_phases,
            takeaway=_of_phases,
            columns=("model", *CONTEXT, "forward_s", "backward_s", "optimizer_s", "latency_s"),
            least=1,
        ),
        "training_throughput": Chart(
            title="Training throughput",
            definition="Images a second of whole training steps; whiskers are 95 % intervals.",
            absent="no training case has a throughput",
            rows=sound("throughput_img_per_s", trains=True),
            by=CONTEXT,
            most=MOST_BARS,
            draw=throughput,
            takeaway=throughput_range,
            columns=("model", *CONTEXT, "throughput_img_per_s", "flops_per_s"),
            least=1,
        ),
        "training_memory": Chart(
            title="Peak memory of training",
            definition="As for inference, with gradients, momentum and the activations that the backward pass needs.",
            absent="no training case has a measured peak of memory",
            rows=sound("peak_bytes", trains=True),
            by=CONTEXT,
            most=MOST_BARS,
            draw=memory,
            takeaway=memory_range,
            columns=PEAKS,
            least=1,
        ),
    },
)
