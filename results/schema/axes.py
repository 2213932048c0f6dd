"""The axes of a case, declared once: options, suites, keys, columns, views and formats iterate over `AXES`.

To add an axis, add its line here, its field to `results.schema.case.Case` (with the same default), and the code that
obeys it.
"""

import dataclasses
from typing import Any, Final, Literal

from results.errors import InputError, suggestion
from results.schema.labels import CHECKPOINTING, HEADS, LAYOUTS, OPTIMIZERS, PROMISES, RUNTIMES, TASKS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis: its values, their default and baseline, and its texts."""

    role: Literal["model", "workload", "machine", "setting"]
    """``model``: the network; ``workload``: what it computes; ``machine``: where it computes; ``setting``: how it
    computes. Two cases that differ only in settings share a baseline."""
    kind: Literal["name", "word", "count", "size"]
    """``name``: any text; ``word``: a member of `choices`; ``count``: a whole number from 1; ``size``: an image's, see
    `results.image_size`."""
    help: str
    """Help of the command-line option."""
    heading: str
    """Head of a table column."""
    choices: tuple[str, ...] = ()
    """Values of a ``word``."""
    default: str | int | None = None
    """Value where a suite states none. None: the model, the machine or torch chooses."""
    baseline: str | int | None = None
    """A setting's value in the baseline."""
    key: str = "{}"
    """Format of the value in `Case.key`."""
    label: str = "{}"
    """Format of the value for people; for a count, of 2 and more."""
    single: str | None = None
    """Format of a count of 1, where it differs from `label`."""
    unknown: str = "unknown"
    """Text for people where an imported source does not state the value."""
    silent_default: bool = False
    """Whether keys, commands and texts leave out the default, as nearly every case has it."""


AXES: Final[dict[str, Axis]] = {
    "model": Axis(role="model", kind="name", help="Variants or peers; 'all' is every variant.", heading="model"),
    "task": Axis(
        role="workload",
        kind="word",
        help="What a step computes.",
        heading="task",
        choices=tuple(TASKS),
        default="inference",
    ),
    "batch_size": Axis(
        role="workload",
        kind="count",
        help="Images a step.",
        heading="batch",
        default=1,
        key="b{}",
        label="batch {}",
    ),
    "image_size": Axis(
        role="workload",
        kind="size",
        help="Pixels: 224, or height x width: 224x160.",
        heading="px",
        label="{} px",
    ),
    "in_channels": Axis(
        role="workload",
        kind="count",
        help="Channels of an image.",
        heading="channels",
        default=3,
        key="c{}",
        label="{} channels",
        single="{} channel",
        silent_default=True,
    ),
    "head": Axis(
        role="workload",
        kind="word",
        help="What the network puts out.",
        heading="head",
        choices=tuple(HEADS),
        default="classifier",
        silent_default=True,
    ),
    "device": Axis(role="machine", kind="name", help="cpu, or an accelerator such as cuda:0.", heading="device"),
    "precision": Axis(
        role="setting",
        kind="word",
        help="Number format of the arithmetic.",
        heading="precision",
        choices=tuple(PROMISES),
        default="fp32",
        baseline="fp32",
    ),
    "runtime": Axis(
        role="setting",
        kind="word",
        help="Engine that runs the network.",
        heading="runtime",
        choices=tuple(RUNTIMES),
        default="eager",
        baseline="eager",
    ),
    "layout": Axis(
        role="setting",
        kind="word",
        help="Memory format; nhwc is channels_last.",
        heading="layout",
        choices=tuple(LAYOUTS),
        default="nchw",
        baseline="nchw",
    ),
    "grad_checkpointing": Axis(
        role="setting",
        kind="word",
        help="Activations that training computes again in place of keeping them.",
        heading="checkpointing",
        choices=tuple(CHECKPOINTING),
        default="none",
        baseline="none",
        label="checkpoints of {}",
        silent_default=True,
    ),
    "optimizer": Axis(
        role="setting",
        kind="word",
        help="Update of the weights in training.",
        heading="optimizer",
        choices=tuple(OPTIMIZERS),
        default="sgd",
        baseline="sgd",
        silent_default=True,
    ),
    "threads": Axis(
        role="machine",
        kind="count",
        help="Threads inside one operator on the CPU.",
        heading="threads",
        key="t{}",
        label="{} threads",
        single="{} thread",
        unknown="unknown threads",
    ),
}
"""Every axis by name, in the order of `Case`, of its key and of table columns."""

WORKLOAD: Final = tuple(name for name, axis in AXES.items() if axis.role == "workload")
"""Axes of what a model computes."""
CONDITIONS: Final = tuple(name for name, axis in AXES.items() if axis.role in {"workload", "machine"})
"""Axes on which two cases must be equal to be compared."""
SETTINGS: Final = tuple(name for name, axis in AXES.items() if axis.role == "setting")
"""Axes on which a case may differ from its baseline."""
BASELINE: Final = {name: AXES[name].baseline for name in SETTINGS}
"""Settings of the baseline."""
COUNTS: Final = tuple(name for name, axis in AXES.items() if axis.kind == "count")
"""Axes whose values are whole numbers."""
SIZES: Final = tuple(name for name, axis in AXES.items() if axis.kind == "size")
"""Axes whose values are sizes of images: whole numbers for squares, else text."""


def check_choice(name: str, value: str) -> None:
    """Raise `InputError`, naming the axis and its choices, unless `value` is a choice of the axis `name`."""
    choices = AXES[name].choices
    if value not in choices:
        raise InputError(f"unknown {name} {value!r}{suggestion(value, choices)} (choices: {', '.join(choices)})")


def is_silent(name: str, value: object) -> bool:
    """Return whether keys, commands and texts leave out the value of the axis `name`."""
    return AXES[name].silent_default and value == AXES[name].default


def axis_text(name: str, value: object) -> str:
    """Return the value of the axis `name` for people: ``batch 8``, ``224 px``, ``2 threads``, ``nhwc``."""
    axis = AXES[name]
    if value is None:
        return axis.unknown
    return (axis.single if value == 1 and axis.single else axis.label).format(value)


def setting_texts(of: Any) -> list[str]:
    """Return the settings of a case, or of a row with the axes as attributes, without silent defaults."""
    values = {name: getattr(of, name) for name in SETTINGS}
    return [axis_text(name, value) for name, value in values.items() if not is_silent(name, value)]


def baseline_text() -> str:
    """Return the settings of the baseline for people: ``fp32, eager, nchw``."""
    return ", ".join(str(value) for name, value in BASELINE.items() if not is_silent(name, value))
