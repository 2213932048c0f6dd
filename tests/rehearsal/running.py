"""Running the steps: each is a process with a time-out of its own, and a failure never stops the next step."""

import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

ROOT: Final = pathlib.Path(__file__).resolve().parents[2]
START_SHARE: Final = 0.93
"""Share of the time limit after which no step is started."""
RUN_SHARE: Final = 0.97
"""Share of the time limit after which a step is ended: files must still be written."""
GRACE_S: Final = 5.0
"""Seconds in which a step that is asked to end may end cleanly."""
ENVIRONMENT: Final = {"PYTHONUNBUFFERED": "1", "RESNET_BENCH_TRACEBACK": "1"}
CPU_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1"}
"""On a busy machine, threads that wait for each other would make the small table many times slower."""
_WORDS: Final = 200


class Runnable(Protocol):
    """What is run of a step."""

    @property
    def name(self) -> str:
        """Name of the step."""

    @property
    def seconds(self) -> float:
        """Its time-out."""

    @property
    def argv(self) -> tuple[str, ...]:
        """Arguments of the interpreter, with names of `Mapping` fields in braces."""

    @property
    def codes(self) -> tuple[int, ...]:
        """Exit codes with which it succeeds."""

    @property
    def skip(self) -> str | None:
        """Why it cannot run on this device, else None."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended."""

    step: str
    state: Literal["ended", "failed", "timed out", "not started", "skipped"]
    limit_s: float
    seconds: float = 0.0
    code: int | None = None
    reason: str = ""


def run_step(step: Runnable, fields: Mapping[str, str], log: pathlib.Path, limit_s: float) -> Outcome:
    """Run a step with its output in the file `log`, and end it after `limit_s` seconds."""
    command = [sys.executable, *(argument.format(**fields) for argument in step.argv)]
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, **(CPU_ENVIRONMENT if fields["device"] == "cpu" else {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the whole group is ended, and Ctrl-C is ours to handle
        )
        try:
            code: int | None = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
    common: dict[str, Any] = {"step": step.name, "limit_s": limit_s, "seconds": time.monotonic() - began, "code": code}
    if code is None:
        return Outcome(**common, state="timed out", reason=f"ended after {limit_s:.0f} s{_last_words(log)}")
    if code not in step.codes:
        return Outcome(**common, state="failed", reason=f"exit status {code}{_last_words(log)}")
    return Outcome(**common, state="ended")


def run_all(
    steps: Sequence[Runnable],
    fields: Mapping[str, str],
    logs: pathlib.Path,
    *,
    limit_s: float,
    show: Callable[[Outcome, str], None],
    run: Callable[[Runnable, Mapping[str, str], pathlib.Path, float], Outcome] = run_step,
    clock: Callable[[], float] = time.monotonic,
) -> list[Outcome]:
    """Run the steps in their order, and return how each ended.

    Args:
        steps: the steps.
        fields: values of the names in braces in their arguments.
        logs: folder for the output of each step.
        limit_s: seconds of all steps together.
        show: takes each outcome, and the output of the step, at once.
        run: runs a step.
        clock: reads seconds.
    """
    began, outcomes, stopped = clock(), [], ""
    for step in steps:
        log = logs / f"{step.name}.txt"
        spent = clock() - began
        late = f"{START_SHARE:.0%} of the time limit are over" if spent >= START_SHARE * limit_s else ""
        if step.skip is not None:
            outcome = Outcome(step=step.name, state="skipped", limit_s=step.seconds, reason=step.skip)
        elif stopped or late:
            outcome = Outcome(step=step.name, state="not started", limit_s=step.seconds, reason=stopped or late)
        else:
            try:
                outcome = run(step, fields, log, min(step.seconds, RUN_SHARE * limit_s - spent))
            except KeyboardInterrupt:
                stopped = "interrupted"
                outcome = Outcome(step=step.name, state="failed", limit_s=step.seconds, reason=stopped)
            except OSError as error:
                outcome = Outcome(step=step.name, state="failed", limit_s=step.seconds, reason=str(error))
        outcomes.append(outcome)
        show(outcome, log.read_text(encoding="utf-8", errors="replace") if log.exists() else "")
    return outcomes


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its group; workers of a fork server end with the process that started their server."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=GRACE_S)


def _last_words(log: pathlib.Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    words = [line.strip() for line in lines if line.strip()]
    return f"; its last words: {words[-1][:_WORDS]}" if words else ""
