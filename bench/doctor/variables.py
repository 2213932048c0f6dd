"""Check environment variables that help to find faults on an accelerator, and slow every step."""

from collections.abc import Mapping
from typing import Final

from bench.doctor.checks import Check

_NAME: Final = "GPU variables"
_BLOCKING: Final = ("CUDA_LAUNCH_BLOCKING", "HIP_LAUNCH_BLOCKING")
"""With them the host waits for every kernel; 0 switches them off."""
_UNCACHED: Final = ("PYTORCH_NO_CUDA_MEMORY_CACHING", "PYTORCH_NO_HIP_MEMORY_CACHING")
"""With them the driver allocates every tensor; c10's CUDACachingAllocator looks only whether they are set."""


def variables_check(environ: Mapping[str, str]) -> Check:
    """Check for variables that slow every step."""
    blocking = [name for name in _BLOCKING if environ.get(name, "0") not in {"", "0"}]
    uncached = [name for name in _UNCACHED if name in environ]
    if not blocking and not uncached:
        return Check(name=_NAME, state="good", seen="none that slows every step")
    effects = {"the host waits for every kernel": blocking, "the driver allocates every tensor": uncached}
    seen = "; ".join(f"{' '.join(names)}: {effect}" for effect, names in effects.items() if names)
    return Check(name=_NAME, state="bad", seen=seen, remedy=f"unset {' '.join((*blocking, *uncached))}")
