"""What the name of one of timm's files tells, such as ``benchmark-infer-amp-nchw-pt240-cu124-rtx4090-dynamo.csv``."""

import dataclasses
import re
from typing import Final

from results.importers.reading import Options, device_and_chip
from results.schema.axes import check_choice

_TASKS: Final = {"infer": "inference", "train": "training"}
_PRECISIONS: Final = {
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
}
_LAYOUTS: Final = {"nchw": "nchw", "nhwc": "nhwc"}
_RUNTIMES: Final = {"dynamo": "compile"}
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
class Told:
    """What holds for every row of a file; None is what neither its name nor an option tells."""

    task: str | None
    precision: str | None
    layout: str | None
    runtime: str | None
    torch: str | None
    cuda: str | None
    device: str | None
    """``cpu`` or ``cuda:0``."""
    chip: str | None
    """Name of the accelerator or the CPU."""
    unknown: tuple[str, ...]
    """Words of the name that are not understood; without an option, they leave the runtime open."""


def told(stem: str, options: Options) -> Told:
    """Return what the file's name, less its ending, and the options tell; an option beats the name.

    Raises:
        InputError: An option is none of the axis' choices.
    """
    for axis in ("task", "precision", "layout", "runtime"):
        value = getattr(options, axis)
        if value is not None:
            check_choice(axis, value)
    words = stem.split("-") if stem.startswith("benchmark-") else []
    rest = [word for word in words[1:] if not _understood(word)]
    device = next(
        ("cpu" if word == "cpu" else "cuda:0" for word in words if word == "cpu" or _CUDA.fullmatch(word)), None
    )
    chip = _NAMES.get(rest[0], rest[0]) if rest and device else None
    unknown = tuple(rest[1:] if chip else rest)
    if options.device is not None:
        device, chip = device_and_chip(options.device, device)
    runtime = _first(words, _RUNTIMES) or ("eager" if _first(words, _PRECISIONS) and not unknown else None)
    version = next((found[1] for word in words if (found := _TORCH.fullmatch(word))), None)
    cuda = next((found for word in words if (found := _CUDA.fullmatch(word))), None)
    return Told(
        task=options.task or _first(words, _TASKS),
        precision=options.precision or _first(words, _PRECISIONS),
        layout=options.layout or _first(words, _LAYOUTS),
        runtime=options.runtime or runtime,
        torch=options.torch or (version and torch_version(version)),
        cuda=cuda and f"{cuda[1]}.{cuda[2]}",
        device=device,
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
    tables = (_TASKS, _PRECISIONS, _LAYOUTS, _RUNTIMES)
    return any(word in one for one in tables) or word == "cpu" or bool(_TORCH.fullmatch(word) or _CUDA.fullmatch(word))


def _first(words: list[str], meanings: dict[str, str]) -> str | None:
    return next((meanings[word] for word in words if word in meanings), None)
