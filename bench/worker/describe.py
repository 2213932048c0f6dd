"""Describe this machine from a worker: the facts that need torch, and the accelerators as in their drivers."""

import re
from collections.abc import Callable
from typing import Any, Final

import torch

from bench.machine import nvml, software
from bench.measure.device import NO_METAL, first_line, on_a_mac
from results.schema.lines.run import Accelerator, Environment

_MEGA: Final = 1_000_000
_MILLI: Final = 1e-3
_BUILD: Final = {
    "mkl": r"(?:oneAPI )?Math Kernel Library Version ([^\n]+?)(?: for [^\n]*)?$",
    "onednn": r"MKL-DNN (v[^\s]+)",
    "openmp": r"OpenMP (\d+[^\n]*)$",
    "compiler": r"- (GCC [^\n]+|clang [^\n]+|MSVC [^\n]+)$",
    "blas": r"BLAS_INFO=(\w+)",
}
"""Patterns of versions in the text of ``torch.__config__.show()``."""


def describe() -> Environment:
    """Return the environment of this machine. Missing values are None, with the reason in `Environment.nulls`.

    On CUDA this makes a context, so a process that forks must not call it.
    """
    nulls: dict[str, str] = {}
    return Environment(
        **software.without_torch(nulls),
        accelerators=accelerators(nulls),
        torch=str(torch.__version__),
        torch_build=_torch_build(nulls),
        torch_threads=torch.get_num_threads(),
        torch_interop_threads=torch.get_num_interop_threads(),
        nulls=nulls,
    )


def nvidia_identity(device: str) -> str | None:
    """Return the UUID by which NVIDIA's driver knows a device such as ``cuda:0``, None where it is not NVIDIA's.

    On a part of a card (MIG) it is the UUID of the part. torch calls AMD's devices ``cuda`` too.
    """
    if not device.startswith("cuda") or torch.version.hip or not torch.cuda.is_available():
        return None
    return _uuid(torch.cuda.get_device_properties(device))


def _uuid(properties: Any) -> str | None:
    uuid = getattr(properties, "uuid", None)
    return None if uuid is None else str(uuid)


def parse_torch_build(text: str) -> dict[str, str]:
    """Return the libraries that torch was built with, from the text of ``torch.__config__.show()``."""
    matches = {name: re.search(pattern, text, re.MULTILINE) for name, pattern in _BUILD.items()}
    return {name: match.group(1).strip() for name, match in matches.items() if match}


def accelerators(nulls: dict[str, str]) -> tuple[Accelerator, ...]:
    """Return every accelerator that torch can use, and add the reason of each missing value to `nulls`."""
    if on_a_mac():
        nulls["accelerators"] = NO_METAL
        return ()
    if not torch.accelerator.is_available():
        nulls["accelerators"] = "torch finds none"
        return ()
    kind = torch.accelerator.current_accelerator()
    assert kind is not None  # noqa: S101  # one is available
    library, reason = nvml.library() if torch.version.cuda else (None, "only NVIDIA's driver library reports it")
    return tuple(
        accelerator(f"{kind.type}:{index}", torch.get_device_module(kind), library, reason, nulls)
        for index in range(torch.accelerator.device_count())
    )


def accelerator(device: str, backend: Any, library: Any, reason: str, nulls: dict[str, str]) -> Accelerator:
    """Return the description of a device.

    Args:
        device: Its name with its index.
        backend: torch's module for its kind, such as ``torch.cuda``.
        library: NVIDIA's driver library, opened, or None.
        reason: Why `library` is None.
        nulls: Takes the reason of each missing value.
    """
    kind, _, index = device.partition(":")
    properties: Any = None
    if hasattr(backend, "get_device_properties"):
        properties = backend.get_device_properties(int(index))

    def known(field: str, value: Any, why: str = "torch does not report it") -> Any:
        if value is None:
            nulls[f"accelerators.{device}.{field}"] = why
        return value

    identity = _uuid(properties)
    gpu: nvml.Gpu | str = reason or "torch does not report its UUID"
    if library is not None and identity is not None:
        gpu = nvml.locate(library, identity)

    def ask(field: str, whom: Any, question: Callable[[Any], Any]) -> Any:
        if isinstance(whom, str):  # the reason why nobody can be asked
            return known(field, None, whom)
        try:
            return question(whom)
        except library.NVMLError as error:
            return known(field, None, f"NVML: {error}")

    major = getattr(properties, "major", None)
    capability = None if major is None else f"{major}.{properties.minor}"
    if torch.version.hip:  # whose numbers would read like NVIDIA's
        capability = getattr(properties, "gcnArchName", None)
    return Accelerator(
        device=device,
        name=getattr(properties, "name", kind),
        memory_bytes=known("memory_bytes", _memory_bytes(device, properties)),
        capability=known("capability", capability),
        driver=ask("driver", library or reason, lambda driver: driver.nvmlSystemGetDriverVersion()),
        clock_hz=ask("clock_hz", gpu, lambda card: card.ask("ClockInfo", library.NVML_CLOCK_SM) * _MEGA),
        max_clock_hz=ask("max_clock_hz", gpu, lambda card: card.ask("MaxClockInfo", library.NVML_CLOCK_SM) * _MEGA),
        power_limit_w=ask("power_limit_w", gpu, lambda card: card.ask("EnforcedPowerLimit") * _MILLI),
    )


def _memory_bytes(device: str, properties: Any) -> int | None:
    """Return the memory of a device, None where nothing in torch reports it."""
    if hasattr(properties, "total_memory"):
        return int(properties.total_memory)
    try:
        return int(torch.accelerator.memory.get_memory_info(device)[1])
    except (RuntimeError, AttributeError):  # the function is younger than torch 2.9
        return None


def _torch_build(nulls: dict[str, str]) -> dict[str, str]:
    absent: dict[str, str] = {}
    cudnn: int | None = None
    try:
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    except RuntimeError as error:  # it does not go with the GPU, or with the cuDNN that torch was built with
        absent["cudnn"] = first_line(error).partition(". ")[0]  # a later sentence may name a folder
    build = {
        **parse_torch_build(torch.__config__.show()),
        "git": torch.version.git_version,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "cudnn": None if cudnn is None else str(cudnn),
    }
    for name, value in build.items():
        if value is None:
            nulls[f"torch_build.{name}"] = absent.get(name, "torch was built without it")
    return {name: value for name, value in build.items() if value is not None}
