"""Requests to workers: `ask` makes a request; the other functions fork a worker for the machine, a peak or a cost.

Only a worker may open an accelerator, neither the fork server nor the parent.
"""

import signal
import time
from collections.abc import Collection, Iterable
from typing import Any, Final, Protocol

from bench.machine import memory
from bench.process.forkserver import ForkServer, ServerLost, WorkerDied
from bench.process.messages import Answer, CountStatic, Describe, Described, MeasurePeak, Request
from bench.process.protocol import Failed, Refused, answer_of, message_of
from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.run import Environment, PeakRate
from results.schema.lines.static import Static
from results.schema.types import known

PATIENCE_S: Final = 120.0
"""The most seconds that a driver may take to describe its device."""


class Channel(Protocol):
    """A process that answers messages."""

    def request(self, message: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send a message and return the reply."""

    def kill(self) -> None:
        """Kill the process, though another thread may wait for its reply."""

    def close(self) -> None:
        """End the process."""


def ask(channel: Channel, request: Request[Answer], *, timeout_s: float, token: str | None = None) -> Answer:
    """Make a request and return its answer.

    Args:
        channel: the worker's process.
        request: one of the requests of `bench.process.protocol.VERBS`.
        timeout_s: seconds after which the worker counts as hung.
        token: token of the case that must answer; None for any worker.

    Raises:
        Failed: the worker refuses, or its answer is invalid.
        WorkerDied: the worker ended without an answer.
    """
    return answer_of(request, channel.request(message_of(request), timeout_s=timeout_s), token)


def failure_of(death: WorkerDied, oom_kills: int | None) -> Failed:
    """Return what is recorded of a worker's death; `oom_kills` is `memory.kernel_oom_kills` before it began."""
    if death.hung:
        return Failed("timeout", death.cause)
    kills = memory.kernel_oom_kills()
    if death.signal_number == signal.SIGKILL and kills is not None and kills != oom_kills:
        return Failed("out-of-memory", f"the kernel's out-of-memory killer ended it ({death.cause})")
    return Failed("crash", death.cause)


def environment(server: ForkServer, devices: Collection[str]) -> tuple[list[str], Environment]:
    """Return the full names of `devices`, in the order of their sorted names, and the environment of this machine.

    Raises:
        InputError: a device does not exist, or torch does not work.
    """
    described = description(server, devices)
    return list(described.devices), described.environment


def description(server: ForkServer, devices: Collection[str]) -> Described:
    """Return what a worker says about this machine and `devices`, in the order of their sorted names.

    Raises:
        InputError: a device does not exist, or torch does not work.
    """
    try:
        return ask_fresh(server, Describe(devices=tuple(sorted(devices))), PATIENCE_S)
    except Refused as refusal:
        raise InputError(refusal.cause) from None
    except (ServerLost, WorkerDied, Failed) as death:
        raise InputError(f"this machine cannot be measured, try python -c 'import torch': {death}") from death


def static(
    server: ForkServer,
    model: str,
    image_size: int | str,
    in_channels: int = 3,
    head: str = "classifier",
    *,
    timeout_s: float,
    deadline: float = float("inf"),
) -> Static | str | None:
    """Return the static cost of a model with a head for its images, or why it could not be counted.

    None: the `deadline`, a reading of `time.perf_counter`, came before the answer.
    """
    left = deadline - time.perf_counter()
    if left <= 0:
        return None
    try:
        request = CountStatic(model=model, image_size=image_size, in_channels=in_channels, head=head)
        return ask_fresh(server, request, min(timeout_s, left)).static
    except (WorkerDied, Failed) as failure:
        return None if time.perf_counter() >= deadline else failure.cause


def peaks(server: ForkServer, cases: Iterable[Case], *, deadline: float = float("inf")) -> tuple[PeakRate, ...]:
    """Return the peak rate of each device, precision and number of threads of `cases`.

    Rates that cannot be measured, or that are not measured by the `deadline` (a reading of `time.perf_counter`), are
    left out.
    """
    rates = []
    for device, precision, threads in dict.fromkeys(
        (case.device, case.precision, known(case.threads)) for case in cases
    ):
        left = deadline - time.perf_counter()
        if left <= 0:
            break
        request = MeasurePeak(device=device, precision=precision, threads=threads)
        try:
            rate = ask_fresh(server, request, min(PATIENCE_S, left)).flops_per_s
        except (WorkerDied, Failed):
            continue  # without a peak there is no check; the records of the cases will show the failure
        rates.append(PeakRate(device=device, precision=precision, threads=threads, flops_per_s=rate))
    return tuple(rates)


def ask_fresh(server: ForkServer, request: Request[Answer], timeout_s: float) -> Answer:
    """Ask a worker of its own, which ends with its answer. Raises as `ask` does."""
    channel = server.spawn()
    try:
        return ask(channel, request, timeout_s=timeout_s)
    finally:
        channel.close()
