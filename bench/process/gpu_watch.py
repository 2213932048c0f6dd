"""The watch over the GPU of a worker: why its clocks were low.

The parent asks NVIDIA's driver library between turns, when nothing is timed.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import structs

from bench.machine import nvml
from bench.machine.nvml import Gpu
from results.schema.record import Noise

_NOT_READY: Final = "its worker was never ready"


class GpuWatch:
    """Watches the accelerator of a worker, from the worker's first step to its end."""

    def __init__(
        self,
        find: Callable[[str | None], Gpu | str] = nvml.find,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Prepare to watch; tests replace `find`, which identifies a GPU, and `clock`, which returns seconds."""
        self._find = find
        self._clock = clock
        self._gpu: Gpu | str = _NOT_READY
        self._began_s = 0.0
        self._held_s: dict[str, float] = {}
        self._readings: list[tuple[str, ...]] = []

    def begin(self, identity: str | None) -> None:
        """Begin to watch the GPU of that UUID; None for a device that NVIDIA's driver does not know."""
        self._gpu = self._find(identity)
        if isinstance(self._gpu, Gpu):
            self._began_s, self._held_s = self._clock(), self._gpu.held_s()

    @property
    def restriction(self) -> str | None:
        """The compute mode in which no other process may use the GPU; None where others may, or it is unknown."""
        return self._gpu.restriction() if isinstance(self._gpu, Gpu) else None

    def read(self) -> None:
        """Read the driver right after a turn, while it still reports on that turn."""
        if isinstance(self._gpu, Gpu):
            try:
                self._readings.append(self._gpu.reasons())
            except self._gpu.nvml.NVMLError:
                return

    def signs(self, noise: Noise) -> tuple[Noise, dict[str, str]]:
        """Return `noise` with the signs of the accelerator, and the reason of every missing sign."""
        if isinstance(self._gpu, str):
            return noise, {"accelerator_held": self._gpu}
        held = self._held(self._gpu)
        if not held:
            return noise, {"accelerator_held": "NVML reports no reason of low clocks"}
        return structs.replace(noise, accelerator_held=held), {}

    def _held(self, gpu: Gpu) -> dict[str, float]:
        """Return the share of the time of each policy, and the share of the turns of each reason."""
        elapsed_s, now_s = self._clock() - self._began_s, gpu.held_s()
        grown = {name: now_s[name] - since_s for name, since_s in self._held_s.items() if name in now_s}
        shares = {name: min(1.0, max(0.0, s / elapsed_s)) for name, s in grown.items() if elapsed_s > 0}
        turns = Counter(reason for reading in self._readings for reason in reading)
        reasons = dict.fromkeys(nvml.REASONS, 0) if self._readings else {}
        return shares | {name: turns[name] / len(self._readings) for name in reasons}
