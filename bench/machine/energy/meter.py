"""The energy of a device between two moments, by a real counter: NVIDIA's driver for a card, powercap for the CPU.

Power is never multiplied by time, and nothing is assumed where there is no counter: the reason stands in its place.
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from bench.machine import nvml
from bench.machine.energy import powercap
from bench.machine.nvml import Gpu

_MILLI: Final = 1e-3
NO_COUNTER: Final = "only NVIDIA's driver and powercap have counters of energy that are read"


class EnergyCounter(Protocol):
    """A counter of joules."""

    @property
    def range_j(self) -> float | None:
        """The joules after which it begins again, None where it does not."""

    def joules(self) -> float:
        """Return what it counts now. Raises `EnergyError`."""


class EnergyError(Exception):
    """A counter cannot be read; the message is the reason, for people."""


class CardCounter:
    """The counter of NVIDIA's driver, for all that a card does since the driver was loaded."""

    range_j: float | None = None

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu

    def joules(self) -> float:
        """Return what it counts now. Raises `EnergyError`."""
        try:
            return float(self._gpu.ask("TotalEnergyConsumption")) * _MILLI
        except self._gpu.nvml.NVMLError as error:
            raise EnergyError(f"NVML: {error}") from None


class ZoneCounter:
    """A counter of powercap."""

    def __init__(self, zone: powercap.Zone) -> None:
        self._zone = zone
        self.range_j: float | None = zone.range_j

    def joules(self) -> float:
        """Return what it counts now. Raises `EnergyError`."""
        try:
            return self._zone.joules()
        except (OSError, ValueError) as error:
            raise EnergyError(powercap.refusal(error)) from None


def card_counters(
    identity: str | None, find: Callable[[str | None], Gpu | str] = nvml.find
) -> tuple[EnergyCounter, ...] | str:
    """Return the counter of the card of that UUID, or why there is none; None is a device of another maker."""
    if identity is None:
        return NO_COUNTER
    gpu = find(identity)
    if isinstance(gpu, str):
        return gpu
    if gpu.instance is not None:
        return "the worker has a part of the card, and the driver counts the energy of the whole card only"
    return (CardCounter(gpu),)


def cpu_counters(folder: pathlib.Path = powercap.FOLDER) -> tuple[EnergyCounter, ...] | str:
    """Return the counters of all processor packages and their memory, or why there are none."""
    zones = powercap.zones(folder)
    return zones if isinstance(zones, str) else tuple(ZoneCounter(zone) for zone in zones)


class EnergyMeter:
    """Adds up what counters count.

    A counter that begins again is read in time if `tick` is called more often than it does.
    """

    def __init__(self, counters: Sequence[EnergyCounter] | str) -> None:
        """Begin to count; `counters` may be the reason why there are none."""
        self._counters: Sequence[EnergyCounter] = () if isinstance(counters, str) else counters
        self._reason = counters if isinstance(counters, str) else None
        self._last: list[float] = []
        self._joules = 0.0
        self.restart()

    @property
    def reason(self) -> str | None:
        """Why nothing is counted, None where it is."""
        return self._reason

    def restart(self) -> None:
        """Count from now on."""
        self._joules = 0.0
        self._last = self._read()

    def tick(self) -> None:
        """Add what was spent since the last reading."""
        now = self._read()
        if self._reason is None:
            for counter, before, after in zip(self._counters, self._last, now, strict=True):
                self._joules += self._spent(counter, before, after)
            self._last = now

    def joules(self) -> tuple[float | None, str | None]:
        """Return the joules since the beginning or the last restart, or the reason why they are not known."""
        self.tick()
        return (self._joules, None) if self._reason is None else (None, self._reason)

    def _spent(self, counter: EnergyCounter, before: float, after: float) -> float:
        if after >= before:
            return after - before
        if counter.range_j is None:
            self._reason = "the counter of the driver went backwards"
            return 0.0
        return after - before + counter.range_j

    def _read(self) -> list[float]:
        try:
            return [counter.joules() for counter in self._counters]
        except EnergyError as error:
            self._reason = str(error)
            return []
