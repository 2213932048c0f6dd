"""Loading data."""

from typing import Final

from reports.chapters.loading import drawing, frames
from reports.figures.chart import Chapter, Chart, every_row
from reports.style.columns import Column, amount, words

_OWN: Final[dict[str, Column]] = {
    "stage": words("stage", "stage"),
    "image_s": amount("an image", "image_s", "s"),
    "share": amount("share", "share", "1"),
    "reason": words("reason", "reason"),
    "path": words("path", "path"),
    "images_per_s": amount("img/s", "images_per_s", "img/s"),
    "first_batch_s": amount("first batch", "first_batch_s", "s"),
    "advised": words("advice", "advised"),
    "network": words("network", "network"),
    "network_per_s": amount("network takes", "network_per_s", "img/s"),
}


CHAPTER: Final = Chapter(
    title="Loading data",
    lead="Whether the network waits for its images, and for which stage.",
    charts={
        "loading_rates": Chart(
            title="Images a second by workers",
            needs="loading",
            frame=frames.loading_rate_frame,
            definition=(
                "All stages together, by the processes of the DataLoader, or as slices of a tensor in memory; the "
                "dashed line is what the network takes in training on images that lie on the device."
            ),
            absent="these files hold no loading of data: `resnet-bench loader` measures it",
            rows=every_row,
            by=("data", "run"),
            draw=drawing.loading_rate_bars,
            takeaway=drawing.of_loading_rates,
            columns=("path", "images_per_s", "first_batch_s", "advised", "network", "network_per_s"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
        "loading_stages": Chart(
            title="Where loading takes its time",
            needs="loading",
            frame=frames.loading_stage_frame,
            definition="Milliseconds of an image in a process that does only this stage, with a single thread.",
            absent="these files hold no stages of loading",
            rows=every_row,
            by=("data", "run"),
            draw=drawing.loading_stage_bars,
            takeaway=drawing.of_loading_stages,
            columns=("stage", "image_s", "share", "reason"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
    },
)
