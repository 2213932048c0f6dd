"""NVIDIA's driver library as the parts ask it: the GPU of a UUID, and its memory. Needs no torch, makes no context."""

from bench.machine import nvml


def find(identity: str) -> nvml.Gpu | str:
    """Return the GPU that CUDA knows by that UUID, or the reason why nobody can be asked; an empty UUID has none."""
    return nvml.find(identity or None)


def used_bytes(gpu: nvml.Gpu | str) -> int | None:
    """Return the bytes in use on a GPU, by all processes; None where NVML does not say."""
    if isinstance(gpu, str):
        return None
    try:
        return int(gpu.ask("MemoryInfo").used)
    except gpu.nvml.NVMLError:
        return None
