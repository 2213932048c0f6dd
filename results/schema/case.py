"""A case: a value on every axis of `results.schema.axes.AXES`."""

from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_type_hints

from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from results.schema.axes import AXES, BASELINE, is_silent
from results.schema.types import ImageSize, Name, Size, Stored

if TYPE_CHECKING:  # a type checker sees text; the choices are declared once, in `AXES`
    Task = str
    Head = str
    Precision = str
    Runtime = str
    Layout = str
    Checkpointing = str
    OptimizerName = str
else:
    Task, Head, Precision, Runtime, Layout, Checkpointing, OptimizerName = (
        Literal[AXES[name].choices]
        for name in ("task", "head", "precision", "runtime", "layout", "grad_checkpointing", "optimizer")
    )


class Case(Stored, frozen=True, kw_only=True, cache_hash=True):
    """Everything that may change a number, and nothing else. Its fields are `AXES`, in their order."""

    model: Name
    """A variant of `resnet.VARIANTS`, or a peer such as ``torchvision:vgg16``."""
    task: Task
    batch_size: Size
    image_size: ImageSize
    """Pixels a side of a square image; ``224x160``, height x width, of another."""
    in_channels: Size = 3
    """Channels of an image."""
    head: Head = "classifier"
    """What the network puts out; see `results.schema.labels.HEADS`."""
    device: Name
    """``cpu``, or an accelerator with its index, such as ``cuda:0``."""
    precision: Precision
    runtime: Runtime
    layout: Layout
    grad_checkpointing: Checkpointing = "none"
    """What training computes again in place of keeping it; see `results.schema.labels.CHECKPOINTING`."""
    optimizer: OptimizerName = "sgd"
    threads: Size | None
    """Threads of torch inside an operator on the CPU; None where an imported source does not state it."""

    @property
    def key(self) -> str:
        """The case in one line, unique to it: ``resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2``."""
        values = {name: getattr(self, name) for name in AXES}
        return "/".join(
            AXES[name].key.format("?" if value is None else value)
            for name, value in values.items()
            if not is_silent(name, value)
        )

    @property
    def baseline(self) -> "Case":
        """The case with the settings of the baseline (``fp32``, ``eager``, ``nchw``…) and all else equal."""
        settings: dict[str, Any] = BASELINE
        return replace(self, **settings)

    @property
    def is_baseline(self) -> bool:
        """Whether the case has the settings of the baseline."""
        return all(getattr(self, name) == value for name, value in BASELINE.items())


OPTIONAL: Final = tuple(name for name, hint in get_type_hints(Case).items() if type(None) in get_args(hint))
"""Axes that are None where an imported source does not state them."""
UNSTATED: Final[dict[str, Any]] = {
    field.name: field.default for field in fields(Case) if field.default is not NODEFAULT
} | dict.fromkeys(OPTIONAL)
"""Values of the axes that a source need not state: it is older than an axis with a default, and means that."""
