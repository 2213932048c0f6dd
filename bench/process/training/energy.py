"""The energy of a device between two moments, by the counter of NVIDIA's driver."""

from collections.abc import Callable
from typing import Final

from bench.machine import nvml
from bench.machine.nvml import Gpu

_MILLI: Final = 1e-3
NO_COUNTER: Final = "only the counter of NVIDIA's driver is read, for the energy of a whole card"


class EnergyMeter:
    """Reads the counter of the card of a worker, which counts the joules of all that the card does."""

    def __init__(self, identity: str | None, find: Callable[[str | None], Gpu | str] = nvml.find) -> None:
        """Begin to count; `identity` is the UUID of the GPU, None for a device that NVIDIA's driver does not know."""
        gpu = NO_COUNTER if identity is None else find(identity)
        if isinstance(gpu, Gpu) and gpu.instance is not None:
            gpu = f"the worker has a part of the card; {NO_COUNTER}"
        self._gpu = gpu
        self._since = self._read()

    def restart(self) -> None:
        """Count from now on."""
        self._since = self._read()

    def joules(self) -> tuple[float | None, str | None]:
        """Return the joules since the beginning or the last restart, or the reason why they are not known."""
        since, now = self._since, self._read()
        if isinstance(since, str) or isinstance(now, str):
            return None, since if isinstance(since, str) else str(now)
        if now < since:
            return None, "the counter of the driver went backwards"
        return now - since, None

    def _read(self) -> float | str:
        """Return the counter in joules, or the reason why it cannot be read."""
        if isinstance(self._gpu, str):
            return self._gpu
        try:
            return float(self._gpu.ask("TotalEnergyConsumption")) * _MILLI
        except self._gpu.nvml.NVMLError as error:
            return f"NVML: {error}"
