"""Where the time goes."""

from typing import Final

from reports.chapters.profile import drawing, frames, icicle
from reports.figures.chart import Chapter, Chart, every_row
from reports.style.columns import Column, amount, whole, words

_OWN: Final[dict[str, Column]] = {
    "case": words("case", "case"),
    "kind": words("class", "kind"),
    "stage": words("stage", "stage"),
    "phase": words("phase", "phase"),
    "module": words("module", "module"),
    "type": words("type", "type"),
    "self_s": amount("own time", "self_s", "s"),
    "total_s": amount("with all inside", "total_s", "s"),
    "calls": whole("calls", "calls"),
}
_HOW: Final = (
    "One step ran under torch's profiler, in a process of its own and never inside timed steps. Times are scaled to "
    "steps "
    "without the profiler; what it costs falls between operators and is taken from there first. "
)


CHAPTER: Final = Chapter(
    title="Where the time goes",
    lead="Which operators, stages and layers take the time of a step, forward and backward.",
    charts={
        "profile_kinds": Chart(
            title="Time by class of operator",
            needs="profile",
            frame=frames.kind_frame,
            definition=(
                f"{_HOW}Overhead is the host between operators: Python, dispatch, autograd. On a device with a "
                "queue, idle "
                "is an empty queue."
            ),
            absent="these files hold no profile that succeeded",
            rows=every_row,
            by=("run",),
            draw=drawing.kind_bars,
            takeaway=drawing.of_kinds,
            columns=("case", "phase", "kind", "self_s", "calls"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
        "profile_stages": Chart(
            title="Time by stage",
            needs="profile",
            frame=frames.stage_times,
            definition=f"{_HOW}What belongs to no module, such as loss and optimizer, is outside.",
            absent="these files hold no profile with modules",
            rows=frames.inside,
            by=("run",),
            draw=drawing.stage_bars,
            takeaway=drawing.of_stage_times,
            columns=("case", "phase", "stage", "self_s", "calls"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
        "profile_modules": Chart(
            title="Time by module",
            needs="profile",
            frame=frames.module_frame,
            definition=(
                f"{_HOW}A box is as wide as its time with all inside it: phase, stage, block, layer. The backward "
                "pass of "
                "a layer has the layer's name. A click opens a box."
            ),
            absent="these files hold no profile with modules",
            rows=every_row,
            by=("case", "run"),
            draw=icicle.icicle,
            takeaway=icicle.of_modules,
            columns=("module", "type", "phase", "self_s", "total_s"),
            own=_OWN,
            least=1,
            ordered=True,
        ),
    },
)
