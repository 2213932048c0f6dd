"""The number of workers that may live at the same time: what memory holds and a device admits, and a setting."""

import threading
from typing import Final

from bench.machine import memory
from bench.process.caches import Caches
from bench.process.client import WorkerClient
from bench.process.messages import Footprint
from results.schema.case import Case
from results.schema.labels import RUNTIMES

HEADROOM: Final = 1.5
"""Memory of a worker over what a worker of this case, or the largest so far, took: its peak may come later."""
CONTEXT_BYTES: Final = 1 << 30
"""Memory of a process on an accelerator without its tensors: context and library handles."""
COMPILER_BYTES: Final = 2 << 30
"""Memory of the compiler's processes while a case compiles."""
USABLE: Final = 0.9
"""Share of the free memory that workers may fill."""


class Room:
    """The memory that workers of a run took, devices that admit a single process, and whether another worker fits.

    Cards that are measured at once share the object: each asks for its own workers, in the host's memory of all.
    """

    def __init__(self, most: int | None) -> None:
        """Begin without knowledge; `most` is the largest number of live workers of a device, None for any number."""
        self._most = most
        self._host: dict[Case, int] = {}
        self._device: dict[Case, int] = {}
        self._free: dict[str, int] = {}
        self._exclusive: set[str] = set()
        self._promised: dict[Case, int] = {}
        """Bytes of the host that were set aside for workers that are being prepared."""
        self._lock = threading.Lock()

    def restrict(self, device: str) -> None:
        """Note that `device` admits a single process."""
        self._exclusive.add(device)

    def learn(self, case: Case, footprint: Footprint) -> None:
        """Note the memory of a worker of `case`, and the free memory of its device."""
        with self._lock:
            self._host[case] = footprint.host_bytes
            if footprint.device_bytes is not None and footprint.device_free_bytes is not None:
                self._device[case] = footprint.device_bytes
                self._free[case.device] = footprint.device_free_bytes

    def bytes_of(self, case: Case) -> int:
        """Return the bytes that a worker of `case` took on the host and on its device, 0 where none has run."""
        return self._host.get(case, 0) + self._device.get(case, 0)

    def admit(self, case: Case, *, live: int, compiles: bool) -> bool:
        """Return whether a worker of `case` fits beside so many live workers of its device.

        If so, the host's memory for it is set aside until `release`: what is free on the host does not tell before the
        worker is prepared. `compiles` says whether it would start the compiler with an empty cache.
        """
        with self._lock:
            fits = self._holds(case, live=live, compiles=compiles)
            if fits:
                self._promised[case] = round(HEADROOM * _expected(self._host, case)) + COMPILER_BYTES * compiles
        return fits

    def release(self, case: Case) -> None:
        """End what `admit` has set aside: the worker of `case` is prepared, or has failed."""
        with self._lock:
            self._promised.pop(case, None)

    def _holds(self, case: Case, *, live: int, compiles: bool) -> bool:
        if live == 0:
            return True
        if case.device in self._exclusive or (self._most is not None and live >= self._most):
            return False
        host = USABLE * memory.available() - COMPILER_BYTES * compiles - sum(self._promised.values())
        fits = HEADROOM * _expected(self._host, case) <= host
        if case.device in self._free:
            need = HEADROOM * _expected(self._device, case) + CONTEXT_BYTES
            fits = fits and need <= USABLE * self._free[case.device]
        return fits


def _expected(taken: dict[Case, int], case: Case) -> int:
    """Return the bytes that a worker of the case took, or the most that any worker took."""
    return taken.get(case, max(taken.values(), default=0))


def prepare_worker(live: WorkerClient, caches: Caches, room: Room) -> None:
    """Build the case of a worker, whose memory `room` then knows. Raises `Failed`."""
    case = live.case
    try:
        warm = RUNTIMES[case.runtime].compiles and not caches.cold(case)
        caches.fill(case)  # also where the worker fails, as it leaves what it has compiled
        live.prepare(caches.compiler(case), shared=caches.references(case), warm=warm)
        room.learn(case, live.footprint())
    finally:
        room.release(case)
