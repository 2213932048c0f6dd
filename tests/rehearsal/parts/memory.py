"""Memory of a GPU as its driver sees it. Needs no torch and makes no context."""

from bench.machine import nvml


def used_bytes(gpu: nvml.Gpu | str) -> int | None:
    """Return the bytes in use on a GPU, by all processes; None where NVML does not say."""
    if isinstance(gpu, str):
        return None
    try:
        return int(gpu.ask("MemoryInfo").used)
    except gpu.nvml.NVMLError:
        return None
