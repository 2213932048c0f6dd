"""Sample the clocks of a GPU at 20 Hz: `python -m tests.rehearsal.parts.sampler FILE [UUID]`, until stdin is closed.

A process of its own, so that no lock of Python's interpreter delays what is timed. Times are those of
`time.perf_counter`, which all processes of a Linux machine share. A value that the driver does not report is empty;
where there is no driver library, the file holds the reason alone.
"""

import csv
import pathlib
import select
import sys
import time
from collections.abc import Callable
from typing import IO, Final

from bench.machine import nvml
from tests.rehearsal.parts.driver import find

HERTZ: Final = 20.0
_WATTS: Final = 1e-3
_NANO: Final = 1e-9

COLUMNS: Final[dict[str, Callable[[nvml.Gpu], float]]] = {
    "sm_mhz": lambda gpu: gpu.ask("ClockInfo", gpu.nvml.NVML_CLOCK_SM),
    "memory_mhz": lambda gpu: gpu.ask("ClockInfo", gpu.nvml.NVML_CLOCK_MEM),
    "power_w": lambda gpu: gpu.ask("PowerUsage") * _WATTS,
    "temperature_c": lambda gpu: gpu.ask("Temperature", gpu.nvml.NVML_TEMPERATURE_GPU),
    "reasons": lambda gpu: gpu.reason_bits(),
    "power_held_s": lambda gpu: gpu.ask("ViolationStatus", nvml.POLICIES["power"]).violationTime * _NANO,
    "thermal_held_s": lambda gpu: gpu.ask("ViolationStatus", nvml.POLICIES["thermal"]).violationTime * _NANO,
    "used_bytes": lambda gpu: gpu.ask("MemoryInfo").used,
    "processes": lambda gpu: len(gpu.processes()),
}
"""Columns after the time ``t_s``, and what the driver is asked for each."""


def row(gpu: nvml.Gpu, clock: Callable[[], float] = time.perf_counter) -> list[float | str]:
    """Return the time and the values of all columns now."""
    values: list[float | str] = [round(clock(), 6)]
    for ask in COLUMNS.values():
        try:
            values.append(ask(gpu))
        except gpu.nvml.NVMLError:
            values.append("")
    return values


def sample(gpu: nvml.Gpu | str, file: IO[str], wait: Callable[[float], bool]) -> None:
    """Write rows until `wait`, which takes seconds, says that it is over."""
    if isinstance(gpu, str):
        file.write(f"# {gpu}\n")
        return
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["t_s", *COLUMNS])
    due = time.perf_counter()
    while True:
        writer.writerow(row(gpu))
        file.flush()
        due += 1 / HERTZ
        if wait(max(0.0, due - time.perf_counter())):
            writer.writerow(row(gpu))
            return


def main(path: str, identity: str = "") -> int:
    """Sample until stdin is closed."""
    with pathlib.Path(path).open("w", encoding="utf-8") as file:
        sample(find(identity), file, lambda seconds: bool(select.select([sys.stdin], [], [], seconds)[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
