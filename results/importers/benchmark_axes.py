"""The axes of a benchmark of pytest-benchmark, from its ``extra_info`` and ``params``, as people spell them.

The name of an axis comes first. Other spellings, such as ``bs``, ``dtype: torch.float16`` and ``channels_last: true``,
mean the same, so that a file which states a value is never read as something else.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from results.errors import InputError
from results.image_size import foreign_size
from results.importers.reading import torch_device
from results.importers.rows import quoted
from results.schema.axes import AXES, COUNTS, SIZES
from results.schema.types import Name
from results.schema.validation import InvalidError, validated

SOURCES: Final = ("extra_info", "params")
"""The parts of a benchmark that state axes, the first one first."""

_OBJECT: Final = re.compile(r"UNSERIALIZABLE\[(.*)\]", re.DOTALL)
"""What pytest-benchmark writes for a parameter that is no JSON, with its ``repr``."""
_DEVICE: Final = re.compile(r"device\(type='(\w+)'(?:, index=(\d+))?\)")
_AMP_KEYS: Final = ("amp", "use_amp", "autocast", "mixed_precision")
"""Parameters that are true or a dtype, of autocast."""
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "model": ("model_name", "arch", "architecture", "network"),
    "batch_size": ("batch", "bs", "batchsize"),
    "image_size": ("img_size", "imgsz", "resolution", "input_size"),
    "threads": ("num_threads", "n_threads"),
    "task": ("mode", "training", "train", "is_training"),
    "precision": ("dtype", "torch_dtype", *_AMP_KEYS, "half", "fp16", "bf16"),
    "runtime": ("compile", "compiled", "torch_compile", "use_compile", "compile_mode", "backend", "mode"),
    "layout": ("memory_format", "channels_last"),
}
"""Other names of axes that people give to parameters."""
_AMP: Final = "amp"
"""Autocast to torch's default dtype of the device."""
_WORDS: Final[dict[str, dict[str, str]]] = {
    "task": {
        **dict.fromkeys(("inference", "infer", "eval", "evaluation", "forward"), "inference"),
        **dict.fromkeys(("training", "train"), "training"),
    },
    "precision": {
        **dict.fromkeys(("fp32", "float32", "float", "f32"), "fp32"),
        **dict.fromkeys(("fp16", "float16", "half", "f16"), "fp16"),
        **dict.fromkeys(("bf16", "bfloat16"), "bf16"),
        **dict.fromkeys(("amp-fp16", "amp-float16"), "amp-fp16"),
        **dict.fromkeys(("amp-bf16", "amp-bfloat16"), "amp-bf16"),
        **dict.fromkeys(("amp", "autocast"), _AMP),
    },
    "runtime": {
        **dict.fromkeys(("compile", "compiled", "inductor", "default", "torch.compile"), "compile"),
        "reduce-overhead": "compile:reduce-overhead",
        "max-autotune": "compile:max-autotune",
        "max-autotune-no-cudagraphs": "compile:max-autotune-no-cudagraphs",
        "none": "eager",
    },
    "layout": {
        "channels-last": "nhwc",
        **dict.fromkeys(("contiguous-format", "contiguous", "channels-first"), "nchw"),
    },
}
"""Values of axes by other words, in lower case and with hyphens."""
_FLAGS: Final[dict[str, dict[bool, str]]] = {
    **{key: {True: "training", False: "inference"} for key in ("training", "train", "is_training")},
    **{key: {True: _AMP} for key in _AMP_KEYS},
    **{key: {True: "fp16"} for key in ("half", "fp16")},
    "bf16": {True: "bf16"},
    **{key: {True: "compile", False: "eager"} for key in ("compile", "compiled", "torch_compile", "use_compile")},
    "channels_last": {True: "nhwc", False: "nchw"},
}
"""Values of axes by the truth of a parameter; what is not listed says nothing."""
_LOOSE: Final = {"task", "mode", "backend"}
"""Parameters that may speak of something else, as ``backend: nccl``: words without a meaning here say nothing."""
_NOTHING: Final = {"preserve-format", "no", "off", ""}
"""Words that leave an axis as it is."""
_VAGUE: Final = {"default", "none", "float", "forward"}
"""Words that mean an axis only where the parameter speaks of nothing else."""
_AUTOCAST: Final = {("amp", "fp16"): "amp-fp16", ("amp", "bf16"): "amp-bf16"}
"""Autocast to a dtype that another parameter states; autocast over fp32 is autocast."""


class UnmeasurableError(ValueError):
    """A benchmark states a value that no axis can have, so it is no case."""


def stated_axes(where: str, benchmark: Mapping[str, Any], skip: Callable[[str, str], None]) -> dict[str, Any]:
    """Return the values of the axes that a benchmark states.

    Args:
        where: the benchmark, for messages.
        benchmark: its `SOURCES`, each a dict or None.
        skip: takes the path of a model that is no name, and its start.

    Raises:
        InputError: A value has the wrong type, or two parameters contradict each other.
        UnmeasurableError: A value is outside of its axis.
    """
    axes: dict[str, Any] = {}
    for axis in AXES:
        for source in SOURCES:
            values = benchmark[source] or {}
            value = _stated(f"{where}.{source}", axis, values, skip)
            if value is None and axis == "in_channels":
                value = _channels(values)
            if value is not None:
                axes[axis] = value
                break
    device = axes.get("device")
    if isinstance(device, str):
        axes["device"] = torch_device(device) or device
    return axes


def settled_precision(precision: str, device: str) -> str:
    """Return the precision on a device: autocast without a dtype is bfloat16 on a CPU, float16 elsewhere."""
    if precision != _AMP:
        return precision
    return "amp-bf16" if device == "cpu" else "amp-fp16"


def _stated(where: str, axis: str, values: Mapping[str, Any], skip: Callable[[str, str], None]) -> Any:
    """Return the value of an axis in a source, None where it states none."""
    read: dict[str, Any] = {}
    for key in (axis, *_KEYS.get(axis, ())):
        value = _plain(values.get(key))
        if value is None:
            continue
        meaning = _model(f"{where}.{key}", value, skip) if axis == "model" else _meaning(where, axis, key, value)
        if meaning is not None:
            read[key] = meaning
    meanings = list(dict.fromkeys(read.values()))
    if len(meanings) > 1:
        joint = _joint(axis, meanings)
        if joint is None:
            said = " and ".join(f"{key} says {meaning}" for key, meaning in read.items())
            raise InputError(f"{where}: {axis}: {said}; correct the file")
        return joint
    return meanings[0] if meanings else None


def _joint(axis: str, meanings: list[Any]) -> str | None:
    """Return the value that several parameters state together, None where they contradict each other."""
    words = {*meanings}
    if axis == "runtime" and words - {"compile"} and all(str(word).startswith("compile") for word in words):
        modes = words - {"compile"}
        return modes.pop() if len(modes) == 1 else None
    if axis == "precision" and len(words) == 2:
        rest = words - {_AMP}
        if len(rest) == 1:
            other = rest.pop()
            return _AMP if other == "fp32" else other if other.startswith("amp") else _AUTOCAST.get((_AMP, other))
    return None


def _plain(value: Any) -> Any:
    """Return a parameter without pytest-benchmark's wrapping, and devices and numbers of numpy as what they are."""
    text = _OBJECT.fullmatch(value) if isinstance(value, str) else None
    if text is None:
        return value
    device = _DEVICE.fullmatch(text[1])
    if device:
        return f"{device[1]}:{device[2]}" if device[2] else device[1]
    number = re.fullmatch(r"(?:np\.u?int\d+\()?(\d{1,9})\)?", text[1])
    if number:
        return int(number[1])
    return text[1] if text[1].startswith("torch.") else value


def _model(path: str, value: Any, skip: Callable[[str, str], None]) -> str | None:
    try:
        if isinstance(value, str) and not _OBJECT.fullmatch(value):
            return validated(value, Name)
    except InvalidError:
        pass
    skip(path, quoted(str(value)))
    return None


def _meaning(where: str, axis: str, key: str, value: Any) -> Any:
    """Return the value of an axis that a parameter states, None where it says nothing of it."""
    if axis in SIZES:
        return _image_size(where, axis, key, value)
    if axis in COUNTS:
        return _count(where, axis, key, value)
    if isinstance(value, bool):
        if key in _FLAGS:
            return _FLAGS[key].get(value)
    elif axis == "device" and isinstance(value, int):
        return f"cuda:{value}"  # as for torch.device
    elif isinstance(value, str):
        return value if AXES[axis].kind != "word" else _word(where, axis, key, value)
    if key != axis:
        return None
    raise InputError(f"{where}.{key}: {quoted(str(value))} is not text")


def _word(where: str, axis: str, key: str, value: str) -> str | None:
    word = value.strip().lower().removeprefix("torch.").replace("_", "-")
    choices = AXES[axis].choices
    if word in choices:
        meaning: str | None = word
    else:
        meaning = None if key in _LOOSE and word in _VAGUE else _WORDS.get(axis, {}).get(word)
    if meaning is None and key not in _LOOSE and word not in _NOTHING:
        raise UnmeasurableError(f"{where}.{key}: {quoted(value)} is none of {', '.join(choices)}")
    return f"amp-{meaning}" if meaning in {"fp16", "bf16"} and key in _AMP_KEYS else meaning


def _image_size(where: str, axis: str, key: str, value: Any) -> int | str | None:
    try:
        return foreign_size(value)[0]
    except InputError as error:
        if key != axis:
            return None  # another meaning of a common word, as `resolution: high`
        raise InputError(f"{where}.{key}: {error}") from None


def _channels(values: Mapping[str, Any]) -> int | None:
    """Return the channels of the first parameter that states a shape with them."""
    for key in ("image_size", *_KEYS["image_size"]):
        with contextlib.suppress(InputError):
            channels = foreign_size(values[key])[1] if key in values else None
            if channels is not None:
                return channels
    return None


def _count(where: str, axis: str, key: str, value: Any) -> int | None:
    if type(value) is int:
        return value
    if key != axis:
        return None  # another meaning of a common word, as `resolution: high`
    raise InputError(f"{where}.{key}: {quoted(str(value))} is not a whole number")


def said_chip(device: str, sources: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the name of an accelerator: a device that torch does not know, or what one of the sources states."""
    if torch_device(device) is None:
        return device
    names = (source.get(key) for source in sources for key in ("gpu_name", "gpu", "device_name", "accelerator"))
    return next((name for name in names if isinstance(name, str) and name and torch_device(name) is None), None)
