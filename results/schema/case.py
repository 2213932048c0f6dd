"""A case: a point on every axis."""

import dataclasses
from typing import Final, Literal

from results.errors import InputError, suggestion
from results.schema.types import Name, Size

Task = Literal["inference", "training"]
Precision = Literal["fp32", "tf32", "amp-fp16", "amp-bf16", "fp16", "bf16"]
Runtime = Literal[
    "eager",
    "compile",
    "compile:reduce-overhead",
    "compile:max-autotune",
    "compile:max-autotune-no-cudagraphs",
]
Layout = Literal["nchw", "nhwc"]

BASELINE: Final = {"precision": "fp32", "runtime": "eager", "layout": "nchw"}
"""What may be chosen to make a model faster, and the choice that others are compared with."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that may change a number, and nothing else: one point on every axis."""

    model: Name
    """A variant of `resnet.VARIANTS`, or a peer such as ``torchvision:vgg16``."""
    task: Task
    """``inference``: forward in eval mode; ``training``: forward, cross-entropy, backward, SGD with momentum."""
    batch_size: Size
    image_size: Size
    """Height and width of the square input in pixels."""
    device: Name
    """``cpu``, or an accelerator with its index, such as ``cuda:0``."""
    precision: Precision
    runtime: Runtime
    layout: Layout
    threads: Size | None
    """Threads with which torch computes inside one operator on the CPU; None where an imported source does not tell."""

    @property
    def key(self) -> str:
        """The case in one line, unique to it: ``resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2``."""
        return "/".join(
            (
                self.model,
                self.task,
                f"b{self.batch_size}",
                str(self.image_size),
                self.device,
                self.precision,
                self.runtime,
                self.layout,
                f"t{'?' if self.threads is None else self.threads}",
            )
        )

    @property
    def baseline(self) -> "Case":
        """The same model, task, batch, image, device and threads with `BASELINE`."""
        return dataclasses.replace(self, **BASELINE)  # type: ignore[arg-type] # mypy sees no literals


AXES: Final = tuple(field.name for field in dataclasses.fields(Case))
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "task": Task.__args__,  # type: ignore[attr-defined]
    "precision": Precision.__args__,  # type: ignore[attr-defined]
    "runtime": Runtime.__args__,  # type: ignore[attr-defined]
    "layout": Layout.__args__,  # type: ignore[attr-defined]
}
"""The axes whose values are words, with those words."""


def check_choice(axis: str, value: str) -> None:
    """Raise `InputError`, naming the axis and its choices, unless `value` is one of them."""
    choices = CHOICES[axis]
    if value not in choices:
        raise InputError(f"unknown {axis} {value!r}{suggestion(value, choices)} (choices: {', '.join(choices)})")
