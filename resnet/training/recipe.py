"""A recipe: how a network is trained, frozen and checked when it is made. Imports no torch."""

import dataclasses
import hashlib
import json
import math
from typing import Any, Final, Literal, get_args

from resnet.config import near
from resnet.data.policy import Augmentation

Optimizer = Literal["sgd", "adam", "adamw"]
Schedule = Literal["constant", "step", "multi-step", "cosine", "linear", "one-cycle"]
Weighting = Literal["none", "inverse-frequency"]
Average = Literal["none", "ema"]
Monitor = Literal["loss", "accuracy"]

_LABELS: Final = ("name", "description", "model", "expected_accuracy", "expected_data", "expected_source")
"""Fields that say something about the recipe and change nothing in a training."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Stop when the validation has not become better for some epochs; the weights of the best epoch remain.

    Raises:
        ValueError: A field has an invalid value.
    """

    monitor: Monitor = "loss"
    patience: int = 10
    """Epochs without a better value after which the training stops."""

    def __post_init__(self) -> None:
        _check_word("monitor", self.monitor, get_args(Monitor))
        _check_number("patience", self.patience, whole=True, least=1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All choices of a training but the network, the data and the seed.

    Raises:
        ValueError: A field has an invalid value; the message names the field and what it may be.
    """

    name: str
    description: str = ""
    epochs: int
    batch_size: int = 128
    """Images of an optimizer step."""
    optimizer: Optimizer = "sgd"
    learning_rate: float
    """The highest of the schedule."""
    momentum: float = 0.9
    """Of SGD; Adam's two are torch's: 0.9 and 0.999."""
    nesterov: bool = False
    weight_decay: float = 0.0
    decay_norm_and_bias: bool = True
    """Whether weight decay applies to batch norms and biases too, as in torch's defaults."""
    schedule: Schedule = "constant"
    step_epochs: int = 30
    """With ``step``, epochs after which the learning rate is multiplied by `gamma`, again and again."""
    milestones: tuple[float, ...] = ()
    """With ``multi-step``, epochs after which the learning rate is multiplied by `gamma`."""
    gamma: float = 0.1
    warmup_epochs: float = 0.0
    """Epochs of a linear warm-up before every schedule but ``one-cycle``, which has its own."""
    peak_position: float = 0.3
    """With ``one-cycle``, the share of the steps until the highest learning rate."""
    label_smoothing: float = 0.0
    class_weights: Weighting = "none"
    progressive_sizes: tuple[float, ...] = ()
    """Height and width of all images in parts of the training of equal length, as shares of their own: small images
    first make early epochs and their validation cheap (Howard 2018, progressive resizing). Empty: their own size."""
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    early_stopping: EarlyStopping | None = None
    hold_out: float = 0.0
    """Share of the training images to validate with in place of the official validation images; 0 takes those."""
    clip_norm: float | None = None
    """The 2-norm to which all gradients together are clipped."""
    accumulate: int = 1
    """Parts of a batch that go through the network one after the other: less memory, the same images a step."""
    grad_checkpointing: bool = False
    """Compute the activations of a block again in the backward pass: less memory, about a third more time."""
    average: Average = "none"
    """``ema``: validate and keep an exponential moving average of the weights."""
    average_decay: float = 0.999
    precision: str = "fp32"
    """Precision where the user chooses none, as the benchmark names it."""
    layout: Literal["nchw", "nhwc"] = "nchw"
    compile: bool = False
    model: str | None = None
    """The network that the recipe was published for."""
    expected_accuracy: float | None = None
    """Published or measured validation accuracy of `model` on `expected_data`, in [0, 1]."""
    expected_data: str | None = None
    expected_source: str | None = None

    def __post_init__(self) -> None:
        for name, choices in _WORDS.items():
            _check_word(name, getattr(self, name), choices)
        for name, bounds in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None or name not in _OPTIONAL:
                _check_number(name, value, **bounds)
                # 0 and 0.0 are the same choice, and have the same digest.
                object.__setattr__(self, name, value if bounds.get("whole") else float(value))
        for name in ("nesterov", "decay_norm_and_bias", "grad_checkpointing", "compile"):
            _check_kind(name, getattr(self, name), bool, "true or false")
        _check_kind("milestones", self.milestones, tuple, "a list of epochs")
        _check_kind("progressive_sizes", self.progressive_sizes, tuple, "a list of shares")
        for share in self.progressive_sizes:
            _check_number("a progressive size", share, above=0, most=1)
        object.__setattr__(self, "progressive_sizes", tuple(map(float, self.progressive_sizes)))
        _check_kind("augmentation", self.augmentation, Augmentation, "a table")
        for name in ("name", "description", "precision", "model", "expected_data", "expected_source"):
            _check_text(name, getattr(self, name), optional=name in _OPTIONAL)
        self._check_combination()

    def _check_combination(self) -> None:
        for milestone in self.milestones:
            _check_number("a milestone", milestone, above=0)
        object.__setattr__(self, "milestones", tuple(map(float, self.milestones)))
        if self.schedule == "multi-step" and not self.milestones:
            raise ValueError("schedule 'multi-step' needs milestones, such as [100, 150]")
        if self.warmup_epochs and self.schedule == "one-cycle":
            raise ValueError("schedule 'one-cycle' has its own warm-up: leave out warmup_epochs, or set peak_position")
        if self.warmup_epochs and self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs={self.warmup_epochs} must be less than epochs={self.epochs}")
        if self.nesterov and (self.optimizer != "sgd" or not self.momentum):
            raise ValueError("nesterov needs optimizer 'sgd' with a momentum above 0")
        if self.accumulate > self.batch_size:
            raise ValueError(f"accumulate={self.accumulate} is more than the images of a batch, {self.batch_size}")
        if self.grad_checkpointing and self.compile:
            raise ValueError("grad_checkpointing and compile exclude each other: choose one")
        expected = (self.expected_accuracy, self.expected_data, self.expected_source)
        if any(value is None for value in expected) and any(value is not None for value in expected):
            raise ValueError("expected_accuracy, expected_data and expected_source belong together: give all or none")

    @property
    def digest(self) -> str:
        """SHA-256 of all values that change a training, so without names, descriptions and expectations."""
        values = {name: value for name, value in dataclasses.asdict(self).items() if name not in _LABELS}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def to_toml(self) -> str:
        """Return the recipe as TOML, with all its values but those that are None."""
        plain, tables = [], []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if dataclasses.is_dataclass(value):
                inner = {part.name: getattr(value, part.name) for part in dataclasses.fields(value)}
                tables += ["", f"[{field.name}]", *(f"{key} = {_toml(item)}" for key, item in inner.items())]
            elif value is not None:
                plain.append(f"{field.name} = {_toml(value)}")
        return "\n".join([*plain, *tables]) + "\n"


_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "optimizer": get_args(Optimizer),
    "schedule": get_args(Schedule),
    "class_weights": get_args(Weighting),
    "average": get_args(Average),
    "layout": ("nchw", "nhwc"),
}
"""Choices of the fields that are words."""
_OPTIONAL: Final = {"clip_norm", "model", "expected_accuracy", "expected_data", "expected_source"}
_BOUNDS: Final[dict[str, dict[str, Any]]] = {
    "epochs": {"whole": True, "least": 1},
    "batch_size": {"whole": True, "least": 1},
    "learning_rate": {"above": 0},
    "momentum": {"least": 0},
    "weight_decay": {"least": 0},
    "step_epochs": {"whole": True, "least": 1},
    "gamma": {"above": 0},
    "warmup_epochs": {"least": 0},
    "peak_position": {"above": 0, "below": 1},
    "label_smoothing": {"least": 0, "below": 1},
    "hold_out": {"least": 0, "below": 1},
    "clip_norm": {"above": 0},
    "accumulate": {"whole": True, "least": 1},
    "average_decay": {"above": 0, "below": 1},
    "expected_accuracy": {"above": 0, "below": 1},
}
"""Bounds of the fields that are numbers."""


def _check_word(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"unknown {name} {value!r}{near(value, choices)} (choices: {', '.join(choices)})")


def _check_kind(name: str, value: object, kind: type, words: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be {words}, not {value!r}")  # noqa: TRY004 - all bad input is ValueError


def _check_text(name: str, value: object, *, optional: bool) -> None:
    if not (optional and value is None) and not (isinstance(value, str) and value.isprintable()):
        raise ValueError(f"{name} must be a text of a single line, not {value!r}")


def _check_number(
    name: str,
    value: Any,
    *,
    whole: bool = False,
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    most: float | None = None,
) -> None:
    bounds = [f"of at least {least}"] * (least is not None) + [f"above {above}"] * (above is not None)
    bounds += [f"below {below}"] * (below is not None) + [f"of at most {most}"] * (most is not None)
    words = f"{'an integer' if whole else 'a number'} {' and '.join(bounds)}"
    right_kind = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not (
        right_kind
        and math.isfinite(value)
        and (least is None or value >= least)
        and (above is None or value > above)
        and (below is None or value < below)
        and (most is None or value <= most)
    ):
        raise ValueError(f"{name} must be {words}, not {value!r}")


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's texts, numbers and booleans are TOML's too, and the texts are printable.
    return json.dumps(value, ensure_ascii=False)
