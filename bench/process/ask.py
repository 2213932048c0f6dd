"""What is asked of a fresh worker once, beside the measuring: the machine, its peak rate, the cost of a model.

Asking an accelerator is not for the fork server, nor for the caller, so each question gets a worker of its own.
"""

import time
from collections.abc import Collection, Iterable
from typing import Any, Final

from bench.process import protocol
from bench.process.forkserver import ForkServer, ServerLost, WorkerDied
from bench.schedule.rotation import Failed
from bench.worker.serve import PROTOCOL
from results.errors import InputError
from results.schema.case import Case
from results.schema.run import Environment, PeakRate
from results.schema.static import Static
from results.schema.types import known

PATIENCE_S: Final = 120.0
"""How long a driver may take to say what it drives."""
_STRANGERS: Final = "its workers come from another version of resnet-bench, which this one does not understand"


def environment(server: ForkServer, devices: Collection[str]) -> tuple[list[str], Environment]:
    """Return the full names of `devices`, sorted as they were given, and what this machine is.

    Raises:
        InputError: a device is not there, or torch does not work.
    """
    try:
        answer = _ask(server, PATIENCE_S, do="describe", devices=sorted(devices))
        if "failed" in answer:
            raise InputError(protocol.read(protocol.Failure, answer).cause)
        if answer.get("protocol") != PROTOCOL:
            raise InputError(_STRANGERS)
        described = protocol.read(protocol.Described, answer)
    except (ServerLost, WorkerDied, Failed) as death:
        raise InputError(f"this machine cannot be measured, try python -c 'import torch': {death}") from death
    return list(described.devices), described.environment


def static(server: ForkServer, model: str, image_size: int, *, timeout_s: float) -> Static | str:
    """Return the static cost of a model, or why it could not be counted."""
    try:
        answer = _ask(server, timeout_s, do="static", model=model, image_size=image_size)
        if "failed" in answer:
            return protocol.read(protocol.Failure, answer).cause
        return protocol.read(protocol.Counted, answer).static
    except (WorkerDied, Failed) as failure:
        return failure.cause


def peaks(server: ForkServer, cases: Iterable[Case], *, deadline: float = float("inf")) -> tuple[PeakRate, ...]:
    """Return the measured peak rate of each device, precision and number of threads of `cases`, where it could be.

    At the `deadline`, a reading of `time.perf_counter`, those that are left go without.
    """
    found = []
    for device, precision, threads in dict.fromkeys((case.device, case.precision, case.threads) for case in cases):
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        try:
            answer = _ask(server, min(PATIENCE_S, left), do="peak", device=device, precision=precision, threads=threads)
            rate = protocol.read(protocol.Rated, answer).flops_per_s
        except (WorkerDied, Failed):
            continue  # no peak, no check: the cases themselves will tell what is wrong
        found.append(PeakRate(device=device, precision=precision, threads=known(threads), flops_per_s=rate))
    return tuple(found)


def _ask(server: ForkServer, timeout_s: float, **question: object) -> dict[str, Any]:
    worker = server.spawn()
    try:
        return worker.request(question, timeout_s=timeout_s)
    finally:
        worker.close()
