"""The watch over the GPU of a worker: its clocks and its power, why the clocks were low, and who else used it.

The parent asks NVIDIA's driver library between turns, when nothing is timed.
"""

import math
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import structs

from bench.machine import nvml
from bench.machine.noise import own_processes
from bench.machine.nvml import Gpu
from results.schema.lines.record import Clocks, Noise, Readings

PROCESSES_S: Final = 1.0
"""Least seconds between two questions for the processes on the GPU, which take longer than the others."""
GROWTH_BYTES: Final = 256 << 20
"""Growth of the used memory that shows a process of others where none can be seen: a context takes more."""
_MEGA: Final = 1_000_000
_MILLI: Final = 1e-3
_OUTER: Final = 0.05
"""Share of the readings beyond each end of a range."""
_Answer = TypeVar("_Answer")
_NOT_READY: Final = "its worker was never ready"


class OwnMemory(threading.local):
    """Counts what may let the workers of this run take more memory; each card that is measured has its own thread."""

    changes = 0

    def may_grow(self) -> None:
        """Note that a worker is about to do so."""
        self.changes += 1


own_memory: Final = OwnMemory()
"""The count for all watches of this process."""


class GpuWatch:
    """Watches the accelerator of a worker, from the worker's first step to its end."""

    def __init__(
        self,
        find: Callable[[str | None], Gpu | str] = nvml.find,
        clock: Callable[[], float] = time.perf_counter,
        own: Callable[[], set[int]] = own_processes,
    ) -> None:
        """Prepare to watch. Tests replace the arguments.

        Args:
            find: function that identifies a GPU.
            clock: function that returns seconds.
            own: function that returns the processes of this run.
        """
        self._find = find
        self._clock = clock
        self._own = own
        self._gpu: Gpu | str = _NOT_READY
        self._began_s = 0.0
        self._held_s: dict[str, float] = {}
        self._turns = 0
        self._reasons: list[tuple[str, ...]] = []
        self._sm_hz: list[float] = []
        self._power_w: list[float] = []
        self._ours: set[int] = set()
        self._others: int | None = None
        self._listed_s = -math.inf
        self._used: tuple[int, int] | None = None
        """Memory in use, and `own_memory.changes` at that time."""
        self._nulls: dict[str, str] = {}

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
        """Read the driver right after a turn, while it still reports on that turn; the worker waits."""
        gpu = self._gpu
        if isinstance(gpu, str):
            return
        self._turns += 1
        self._append(gpu, self._sm_hz, "sm_hz", lambda: gpu.ask("ClockInfo", gpu.nvml.NVML_CLOCK_SM) * _MEGA)
        self._append(gpu, self._power_w, "power_w", lambda: gpu.ask("PowerUsage") * _MILLI)
        self._append(gpu, self._reasons, "reasons", gpu.reasons)
        if self._clock() - self._listed_s >= PROCESSES_S:
            self._listed_s = self._clock()
            self._count_others(gpu)

    def clocks(self) -> tuple[Clocks | None, dict[str, str]]:
        """Return the clock and the power after the turns, and the reason of every missing value."""
        if isinstance(self._gpu, str):
            return None, {"clocks": self._gpu}
        if self._turns == 0:
            return None, {"clocks": "no turn was measured"}
        series = {"sm_hz": self._sm_hz, "power_w": self._power_w}
        readings = {name: _readings(values) for name, values in series.items() if values}
        nulls = {f"clocks.{name}": self._nulls[name] for name in series if name not in readings}
        return Clocks(turns=self._turns, **readings), nulls

    def signs(self, noise: Noise) -> tuple[Noise, dict[str, str]]:
        """Return `noise` with the signs of the accelerator, and the reason of every missing sign."""
        if isinstance(self._gpu, str):
            return noise, dict.fromkeys(("accelerator_held", "accelerator_processes"), self._gpu)
        held, missing = self._held(self._gpu), dict[str, str]()
        if not held:
            missing["accelerator_held"] = "NVML reports no reason of low clocks"
        if self._others is None:
            missing["accelerator_processes"] = self._nulls.get("processes", "no turn was measured")
        return structs.replace(noise, accelerator_held=held or None, accelerator_processes=self._others), missing

    def _count_others(self, gpu: Gpu) -> None:
        """Count the processes on the GPU that are none of this run's."""
        try:
            listed = gpu.processes()
        except gpu.nvml.NVMLError as error:
            self._nulls["processes"] = f"NVML: {error}"
            return
        if not listed <= self._ours:
            self._ours |= self._own()  # it walks over all processes of the machine
        if listed.isdisjoint(self._ours):  # the worker itself is on the GPU
            self._nulls["processes"] = "NVML lists none of this run's processes, as in a container"
            self._watch_memory(gpu)
            return
        self._others = max(self._others or 0, len(listed - self._ours))

    def _watch_memory(self, gpu: Gpu) -> None:
        """Count a process of others where memory in use has grown, and no worker of this run can have taken it."""
        try:
            used, before = (gpu.used_bytes(), own_memory.changes), self._used
        except gpu.nvml.NVMLError:
            return
        self._used = used
        if before is not None and before[1] == used[1] and used[0] - before[0] > GROWTH_BYTES:
            self._others = max(self._others or 0, 1)

    def _append(self, gpu: Gpu, series: list[_Answer], name: str, ask: Callable[[], _Answer]) -> None:
        try:
            series.append(ask())
        except gpu.nvml.NVMLError as error:
            self._nulls[name] = f"NVML: {error}"

    def _held(self, gpu: Gpu) -> dict[str, float]:
        """Return the share of the time of each policy, and the share of the turns of each reason."""
        elapsed_s, now_s = self._clock() - self._began_s, gpu.held_s()
        grown = {name: now_s[name] - since_s for name, since_s in self._held_s.items() if name in now_s}
        shares = {name: min(1.0, max(0.0, s / elapsed_s)) for name, s in grown.items() if elapsed_s > 0}
        turns = Counter(reason for reading in self._reasons for reason in reading)
        reasons = nvml.REASONS if self._reasons else {}
        return shares | {name: turns[name] / len(self._reasons) for name in reasons}


def _readings(values: list[float]) -> Readings:
    """Return the median of some values, and the range of all but the outer twentieths."""
    ordered, last = sorted(values), len(values) - 1
    low, high = (ordered[round(share * last)] for share in (_OUTER, 1 - _OUTER))
    return Readings(median=statistics.median(values), low=low, high=high)
