"""The labels of precisions, runtimes, tasks, heads and layouts with their facts, declared once.

This module holds facts only, so that files open without torch. `bench.runtimes` and `bench.tasks` hold the code that
runs them.
"""

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The arithmetic that a precision promises; dtypes have torch's names."""

    weights: str = "float32"
    autocast: str | None = None
    tf32: bool = False
    grad_scaler: bool = False
    """Whether training scales its loss."""
    quantizes: bool = False
    """Whether weights and activations are rounded to 8 bits after training, with scales from calibration images."""

    @property
    def compute(self) -> str:
        """The dtype in which convolutions and linear layers compute."""
        return "int8" if self.quantizes else self.autocast or self.weights


PROMISES: Final[dict[str, Promise]] = {
    "fp32": Promise(),
    "tf32": Promise(tf32=True),
    "amp-fp16": Promise(autocast="float16", grad_scaler=True),
    "amp-bf16": Promise(autocast="bfloat16"),
    "fp16": Promise(weights="float16"),
    "bf16": Promise(weights="bfloat16"),
    "int8": Promise(quantizes=True),
}
"""Every value of the axis ``precision``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Facts of a runtime."""

    engine: str
    """Module of `bench.runtimes` that runs it."""
    compiles: bool = False
    """Whether its first step compiles the network: it has a cold and a warm compile time, and a break-even."""
    mode: str | None = None
    """Mode of the compiler, None for its default."""
    light: bool = False
    """Whether its preparation takes seconds, as no compiler is at work."""
    freezes: bool = False
    """Whether the weights become part of the code: constants are folded, and new weights need a new preparation."""
    packages: tuple[str, ...] = ()
    """Packages that it needs beside torch, by the names under which they are imported."""
    extra: str | None = None
    """Extra of resnet-bench that installs `packages`."""
    int8_packages: tuple[str, ...] = ()
    """Further packages that quantize for it; the extra ``int8`` installs them."""
    precisions: tuple[str, ...] | None = None
    """Precisions that it can compute in, None for all of torch's."""
    devices: tuple[str, ...] | None = None
    """Types of devices that it runs on, None for all that torch runs on."""
    layouts: tuple[str, ...] = ("nchw", "nhwc")
    """Layouts of the images that it takes; inside, an engine that is not torch chooses its own."""
    autotune: bool = False
    """Whether cuDNN, or MIOpen, tries its algorithms for each new shape and takes the fastest, not the likeliest."""
    recording_steps: int = 0
    """Steps after the first in which it records CUDA graphs, on a device that has them: torch warms a function up in
    its first step, records it in the second and replays it from the third on."""
    tasks: tuple[str, ...] = ("inference", "training")
    """Tasks that it can run."""


_ONNX: Final = ("onnxruntime", "onnx", "onnxscript")
RUNTIMES: Final[dict[str, Runtime]] = {
    "eager": Runtime(engine="eager"),
    "eager:autotune": Runtime(engine="eager", autotune=True, devices=("cuda",)),
    "compile": Runtime(engine="inductor", compiles=True),
    "compile:reduce-overhead": Runtime(
        engine="inductor", compiles=True, mode="reduce-overhead", recording_steps=2, devices=("cuda",)
    ),
    "compile:max-autotune": Runtime(engine="inductor", compiles=True, mode="max-autotune", recording_steps=2),
    "compile:max-autotune-no-cudagraphs": Runtime(engine="inductor", compiles=True, mode="max-autotune-no-cudagraphs"),
    "compile:freezing": Runtime(
        engine="inductor",
        compiles=True,
        freezes=True,
        int8_packages=("torchao",),
        precisions=tuple(PROMISES),
        tasks=("inference",),
    ),
    "export": Runtime(engine="exported", compiles=True, light=True, freezes=True, tasks=("inference",)),
    "aot-inductor": Runtime(engine="aot", compiles=True, freezes=True, tasks=("inference",)),
    "onnxruntime": Runtime(
        engine="ort",
        compiles=True,
        light=True,
        freezes=True,
        packages=_ONNX,
        extra="onnxruntime",
        devices=("cpu", "cuda"),
        precisions=("fp32", "int8"),
        layouts=("nchw",),
        tasks=("inference",),
    ),
    "openvino": Runtime(
        engine="ov",
        compiles=True,
        light=True,
        freezes=True,
        packages=("openvino",),
        int8_packages=("nncf",),
        extra="openvino",
        devices=("cpu",),
        precisions=("fp32", "amp-bf16", "amp-fp16", "int8"),
        layouts=("nchw",),
        tasks=("inference",),
    ),
    "tensorrt": Runtime(
        engine="ort",
        compiles=True,
        mode="TensorrtExecutionProvider",
        freezes=True,
        packages=_ONNX,
        extra="tensorrt",
        devices=("cuda",),
        precisions=("fp32", "tf32", "amp-fp16", "amp-bf16"),
        layouts=("nchw",),
        tasks=("inference",),
    ),
}
"""Every value of the axis ``runtime``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Facts of a task."""

    description: str
    trains: bool = False
    """Whether a step computes gradients and updates the weights."""
    phases: tuple[str, ...] = ()
    """Parts of a step that are timed apart; empty where a step has none."""


TASKS: Final[dict[str, Task]] = {
    "inference": Task(description="forward in eval mode"),
    "training": Task(
        description="forward, cross-entropy, backward, optimizer",
        trains=True,
        phases=("forward", "backward", "optimizer"),
    ),
}
"""Every value of the axis ``task``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Facts of a head: what a network puts out, and aims at in training."""

    description: str
    loss: str
    """What a training step minimises."""
    padding: int = 1
    """Images are padded with zeros to a multiple of it, in pixels a side."""
    dynamic: str | None = None
    """Why the shapes of its tensors depend on the data, None if they do not."""


HEADS: Final[dict[str, Head]] = {
    "classifier": Head(description="logits of the model's own classes", loss="cross-entropy"),
    "none": Head(description="pooled features", loss="mean square of the features, as they have no aim of their own"),
    "faster-rcnn": Head(
        description="boxes and classes by Faster R-CNN with a feature pyramid, 90 classes and the background",
        loss="sum of the four losses, for three made boxes an image",
        padding=32,
        dynamic="the number of boxes that it keeps depends on the images, and on each rounding",
    ),
    "segmentation": Head(
        description="logits of two classes, and of a mask at full resolution",
        loss="cross-entropy plus binary cross-entropy of the pixels, for a made disc",
    ),
}
"""Every value of the axis ``head``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """Facts of an optimizer."""

    algorithm: str
    """``sgd`` with momentum, ``adam`` or ``adamw``."""
    implementation: str | None = None
    """``foreach``: a kernel for many tensors; ``fused``: for the whole update; None: torch chooses."""
    states: int = 1
    """Tensors of the size of each parameter that it keeps."""


OPTIMIZERS: Final[dict[str, Optimizer]] = {
    f"{algorithm}:{implementation}" if implementation else algorithm: Optimizer(
        algorithm=algorithm, implementation=implementation, states=states
    )
    for algorithm, states in (("sgd", 1), ("adam", 2), ("adamw", 2))
    for implementation in (None, "foreach", "fused")
}
"""Every value of the axis ``optimizer``."""
CHECKPOINTING: Final[dict[str, str]] = {
    "none": "the backward pass has all activations of the forward pass",
    "stages": "each stage keeps its input, and is computed again in the backward pass",
    "blocks": "each block keeps its input, and is computed again in the backward pass",
}
"""Every value of the axis ``grad_checkpointing`` (Chen 2016)."""

LAYOUTS: Final[dict[str, str]] = {"nchw": "contiguous_format", "nhwc": "channels_last"}
"""Every value of the axis ``layout``, and torch's name of the memory format."""
