"""Probes of what really computes: small operators with known answers, run in the worker after its timed steps.

torch's own settings do not show what a library below it makes of the environment: OpenMP may start fewer threads than
torch asks for, and oneDNN or cuBLAS may round float32 to fewer bits. The probes see the effect, whatever the cause.
"""

import contextlib
import os
import pathlib
import time
from collections.abc import Callable
from typing import Final

import torch

from bench.machine.cpu import given_cores

_ELEMENTS: Final = 1 << 16
"""Elements a thread: twice as many as torch gives a thread at least."""
_REPEATS: Final = 20
_LEAST_S: Final = 1e-4
"""CPU seconds of a thread that took part in the probe: its share takes several times as long, an idle thread none."""
_WATCHED_S: Final = 0.2
"""Seconds for which another engine runs while its threads are watched."""
_GOOD_PART: Final = 0.2
_TASKS: Final = pathlib.Path("/proc/self/task")
_BITS: Final = {"bfloat16": 2.0**-9, "tf32": 2.0**-12}
"""For each narrow format, the last bit of a number that it rounds to 1, and that all wider formats keep."""
_CHANNELS: Final = 64


def working_threads() -> int:
    """Return how many threads compute an operator of torch at the same time.

    A large element-wise operator has an equal share for each thread of OpenMP, so each has used CPU time afterwards,
    however busy the machine is. Threads that share too few cores count as these cores. Without Linux or OpenMP it is
    torch's own number.
    """
    asked = torch.get_num_threads()
    openmp = torch.backends.openmp.is_available()  # type: ignore[no-untyped-call]
    if asked == 1 or not openmp or not _TASKS.exists():
        return asked
    numbers = torch.zeros(_ELEMENTS * asked)
    before = _cpu_seconds()
    with torch.inference_mode():
        for _ in range(_REPEATS):
            numbers.exp_().neg_()
    spent = {task: seconds - before.get(task, 0.0) for task, seconds in _cpu_seconds().items()}
    workers = [task for task, seconds in spent.items() if seconds > _LEAST_S]
    if not workers:  # the system does not count the time of threads
        return asked
    threads, cores = min(asked, len(workers)), _cores(workers)
    return threads if len(cores) >= min(threads, len(given_cores())) else len(cores)


def threads_of(run: Callable[[], object]) -> int | None:
    """Return how many threads compute what another engine runs, None where the system does not count their time.

    Threads count whose CPU time is a good part of the busiest thread's: torch's own spin for a moment after its work.
    """
    before = _cpu_seconds() if _TASKS.exists() else {}
    ends_s = time.perf_counter() + _WATCHED_S
    while time.perf_counter() < ends_s:
        run()
    spent = [seconds - before.get(task, 0.0) for task, seconds in _cpu_seconds().items()] if before else []
    most = max(spent, default=0.0)
    return sum(seconds >= _GOOD_PART * most for seconds in spent) if most > _LEAST_S else None


def float32_formats(device: str) -> tuple[str, str]:
    """Return the formats in which matrix products and convolutions of float32 compute: ``float32`` or a narrower."""
    eye = torch.eye(_CHANNELS * 4, device=device)
    kernel = torch.zeros(_CHANNELS, _CHANNELS, 3, 3, device=device)
    kernel[:, :, 1, 1] = eye[:_CHANNELS, :_CHANNELS]
    images = torch.ones(4, _CHANNELS, 28, 28, device=device)
    with torch.inference_mode():
        product = _format(torch.ones_like(eye), lambda numbers: torch.nn.functional.linear(numbers, eye))
        convolution = _format(images, lambda numbers: torch.conv2d(numbers, kernel, padding=1))
    return product, convolution


def _format(blank: torch.Tensor, identity: Callable[[torch.Tensor], torch.Tensor]) -> str:
    """Return the format in which `identity`, which returns its input, computes."""
    for name, bit in _BITS.items():
        numbers = blank + bit
        if float((identity(numbers) - numbers).abs().max()) > bit / 4:
            return name
    return "float32"


def _cpu_seconds() -> dict[int, float]:
    """Return the CPU seconds of each thread of this process."""
    seconds = {}
    for folder in _TASKS.iterdir():
        task = int(folder.name)
        with contextlib.suppress(OSError):  # it has just ended
            seconds[task] = time.clock_gettime(~task << 3 | 6)  # Linux' number of the CPU clock of a thread
    return seconds


def _cores(tasks: list[int]) -> set[int]:
    cores: set[int] = set()
    for task in tasks:
        with contextlib.suppress(OSError):
            cores |= os.sched_getaffinity(task)
    return cores
