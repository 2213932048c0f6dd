"""What the memory of a step holds."""

from typing import Final

from reports.chapters.memory import drawing, frames
from reports.figures.chart import Chapter, Chart, every_row
from reports.style.columns import Column, amount, words

_OWN: Final[dict[str, Column]] = {
    "case": words("case", "case"),
    "part": words("part", "part"),
    "bytes": amount("bytes", "bytes", "B"),
    "predicted_bytes": amount("predicted peak", "predicted_bytes", "B"),
    "measured_bytes": amount("measured peak", "measured_bytes", "B"),
    "error": amount("error", "error", "1"),
    "where": words("peak in", "where"),
    "source": words("source", "source"),
    "phase": words("phase", "phase"),
    "module": words("module", "module"),
}


CHAPTER: Final = Chapter(
    title="Memory of a step",
    lead="What memory holds at the peak of a step, and when, predicted without running it and measured.",
    charts={
        "memory_parts": Chart(
            title="What the peak holds",
            needs="memory",
            frame=frames.part_frame,
            definition=(
                "Predicted on fake tensors, whose storages are followed through a step. Saved are activations that the "
                "backward pass needs, temporary are tensors that live for a moment, workspace is what libraries take "
                "inside "
                "an operator. A diamond is the measured peak: of the device's allocator, or on a CPU of the "
                "allocations that "
                "torch's profiler saw."
            ),
            absent="these files hold no predicted memory",
            rows=every_row,
            by=("run",),
            draw=drawing.part_bars,
            takeaway=drawing.of_parts,
            columns=("case", "part", "bytes", "predicted_bytes", "measured_bytes", "error", "where"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
        "memory_step": Chart(
            title="Memory over a step",
            needs="memory",
            frame=frames.point_frame,
            definition=(
                "The bytes that all tensors occupy, after each allocation and release of a step; of long steps the "
                "highest "
                "moment of each stretch. Both lines count their own allocations, so that their moments differ a little."
            ),
            absent="these files hold no memory over a step",
            rows=every_row,
            by=("case", "run"),
            draw=drawing.step_lines,
            takeaway=drawing.of_step,
            columns=("source", "phase", "module", "bytes"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
    },
)
