"""The name of a file of timm's, such as ``benchmark-infer-amp-nchw-pt240-cu124-rtx4090-dynamo.csv``."""

import dataclasses
import re
from typing import Any, Final

from results.importers.reading import Options, device_and_chip
from results.schema.axes import AXES, BASELINE, check_choice
from results.schema.case import UNSTATED

_WORDS: Final[dict[str, dict[str, str]]] = {
    "task": {"infer": "inference", "train": "training"},
    "precision": {
        "amp": "amp-fp16",  # autocast to float16, whatever the device's own default
        "amp_fp16": "amp-fp16",
        "amp_float16": "amp-fp16",
        "amp_bf16": "amp-bf16",
        "amp_bfloat16": "amp-bf16",
        "fp32": "fp32",
        "float32": "fp32",
        "fp16": "fp16",
        "float16": "fp16",
        "bf16": "bf16",
        "bfloat16": "bf16",
    },
    "layout": {"nchw": "nchw", "nhwc": "nhwc"},
    "runtime": {"dynamo": "compile"},
}
"""Timm's words for values of the axes."""
_NAMES: Final = {
    "rtx3090": "RTX 3090",
    "rtx4090": "RTX 4090",
    "4090": "RTX 4090",
    "5090": "RTX 5090",
    "pro6000maxq": "RTX PRO 6000 Max-Q",
    "i7_12700h": "Intel i7-12700H",
    "i9_10940x": "Intel i9-10940X",
}
"""Devices by what timm's files call them; others keep that word."""
_TORCH: Final = re.compile(r"pt(\d{3,5})", re.ASCII)
_CUDA: Final = re.compile(r"cu(\d{2})(\d)", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParsedName:
    """What holds for every row of a file; None is what neither its name nor an option states."""

    axes: dict[str, Any]
    """Values by the axis; an axis of which no name of a file speaks has the value of `UNSTATED`."""
    torch: str | None
    cuda: str | None
    chip: str | None
    """Name of the accelerator or the CPU."""
    unknown: tuple[str, ...]
    """Words of the name without a meaning here; without an option, they leave the runtime open."""


def parsed(stem: str, options: Options) -> ParsedName:
    """Return what the file's name, less its ending, and the options state; an option beats the name.

    Raises:
        InputError: An option is none of the axis' choices.
    """
    for axis, value in options.axes.items():
        if AXES[axis].kind == "word":
            check_choice(axis, str(value))
    words = stem.split("-") if stem.startswith("benchmark-") else []
    rest = [word for word in words[1:] if not _understood(word)]
    device = next(
        ("cpu" if word == "cpu" else "cuda:0" for word in words if word == "cpu" or _CUDA.fullmatch(word)), None
    )
    chip = _NAMES.get(rest[0], rest[0]) if rest and device else None
    unknown = tuple(rest[1:] if chip else rest)
    if options.device is not None:
        device, chip = device_and_chip(options.device, device)
    axes = UNSTATED | {axis: meaning for axis, meanings in _WORDS.items() if (meaning := _first(words, meanings))}
    if "precision" in axes and not unknown:  # a name that says how, and nothing of a compiler
        axes = {"runtime": BASELINE["runtime"]} | axes
    axes |= options.axes
    if device is not None:
        axes["device"] = device
    version = next((match[1] for word in words if (match := _TORCH.fullmatch(word))), None)
    cuda = next((match for word in words if (match := _CUDA.fullmatch(word))), None)
    return ParsedName(
        axes=axes,
        torch=options.torch or (version and torch_version(version)),
        cuda=cuda and f"{cuda[1]}.{cuda[2]}",
        chip=chip,
        unknown=unknown,
    )


def torch_version(digits: str) -> str:
    """Return the version that timm writes without points: 2.4.0 for ``240``, 1.12 for ``112``, 2.10.0 for ``2100``.

    Its first file is of PyTorch 1.10, so a 1 after a leading 1 begins a minor version of two digits.
    """
    major, rest = digits[0], digits[1:]
    if major == "1" and rest[0] == "1":
        return ".".join(filter(None, (major, rest[:2], rest[2:])))
    return f"{major}.{rest[:-1]}.{rest[-1]}"


def _understood(word: str) -> bool:
    ours = any(word in meanings for meanings in _WORDS.values()) or word == "cpu"
    return ours or bool(_TORCH.fullmatch(word) or _CUDA.fullmatch(word))


def _first(words: list[str], meanings: dict[str, str]) -> str | None:
    return next((meanings[word] for word in words if word in meanings), None)
