"""The accelerators of this machine, as their drivers describe them."""

from collections.abc import Callable
from typing import Any, Final

from results.schema.run import Accelerator

_MEGA: Final = 1_000_000
_MILLI: Final = 1e-3


def find(nulls: dict[str, str]) -> tuple[Accelerator, ...]:
    """Describe every accelerator that torch can use, and put the reason of each value not had into `nulls`."""
    import torch  # noqa: PLC0415

    if not torch.accelerator.is_available():
        nulls["accelerators"] = "torch finds none"
        return ()
    kind = torch.accelerator.current_accelerator()
    assert kind is not None  # noqa: S101  # one is available
    nvml, reason = _open_nvml() if torch.version.cuda else (None, "only NVIDIA's driver library tells")
    try:
        return tuple(
            _describe(f"{kind.type}:{index}", torch.get_device_module(kind), nvml, reason, nulls)
            for index in range(torch.accelerator.device_count())
        )
    finally:
        if nvml is not None:
            nvml.nvmlShutdown()


def _open_nvml() -> tuple[Any, str]:
    """Return NVIDIA's driver library, opened, or None and the reason."""
    import pynvml  # noqa: PLC0415

    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return None, f"NVML cannot be opened: {error}"
    return nvml, ""


def _describe(device: str, backend: Any, nvml: Any, reason: str, nulls: dict[str, str]) -> Accelerator:
    """Describe one device.

    Args:
        device: Its name with its index.
        backend: torch's module for its kind, such as ``torch.cuda``.
        nvml: NVIDIA's driver library, opened, or None.
        reason: Why `nvml` is None.
        nulls: Takes the reason of each value that cannot be had.
    """
    kind, _, index = device.partition(":")
    properties: Any = None
    if hasattr(backend, "get_device_properties"):
        properties = backend.get_device_properties(int(index))

    def known(field: str, value: Any, why: str = "torch does not tell") -> Any:
        if value is None:
            nulls[f"accelerators.{device}.{field}"] = why
        return value

    def ask(field: str, question: Callable[[Any], Any]) -> Any:
        if nvml is None:
            return known(field, None, reason)
        try:
            return question(_handle(nvml, properties, int(index)))
        except nvml.NVMLError as error:
            return known(field, None, f"NVML: {error}")

    major = getattr(properties, "major", None)
    capability = None if major is None else f"{major}.{properties.minor}"
    memory = getattr(properties, "total_memory", None)
    if memory is None and hasattr(backend, "recommended_max_memory"):
        memory = backend.recommended_max_memory()  # Apple's share of the unified memory
    return Accelerator(
        device=device,
        name=getattr(properties, "name", kind),
        memory_bytes=known("memory_bytes", memory),
        capability=known("capability", capability),
        driver=ask("driver", lambda _: nvml.nvmlSystemGetDriverVersion()),
        clock_hz=ask("clock_hz", lambda h: nvml.nvmlDeviceGetClockInfo(h, nvml.NVML_CLOCK_SM) * _MEGA),
        max_clock_hz=ask("max_clock_hz", lambda h: nvml.nvmlDeviceGetMaxClockInfo(h, nvml.NVML_CLOCK_SM) * _MEGA),
        power_limit_w=ask("power_limit_w", lambda h: nvml.nvmlDeviceGetEnforcedPowerLimit(h) * _MILLI),
    )


def _handle(nvml: Any, properties: Any, index: int) -> Any:
    """Find the device by its identity: NVML numbers all devices, torch only the visible ones."""
    identity = getattr(properties, "uuid", None)
    if identity is None:
        return nvml.nvmlDeviceGetHandleByIndex(index)
    return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{identity}")
