"""What a person sees while a run goes on: a live line on a terminal, a plain line for each record elsewhere.

The runner calls a listener only between timed turns, and a listener draws only inside these calls: no thread of
its own ever runs beside a measurement.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, TextIO

from results.metrics import values
from results.schema.record import Record
from results.schema.run import RunHeader
from results.schema.static import Static
from results.schema.types import known
from results.text import digits, printable

if TYPE_CHECKING:
    import rich.console
    import rich.progress

Phase = Literal["static cost", "preparing", "measuring"]
REFRESH_S: Final = 0.5
"""The live line is drawn again at most this often."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands."""

    phase: Phase
    case: str
    """Key of the case at work, or the name of the model whose static cost is counted."""
    steps: int = 0
    """Steps of that case so far."""
    done: int
    """Of `total`: records written, or models counted, so far."""
    total: int
    seconds_left: float | None
    """Estimate for the rest of the run; None while there is nothing to estimate it from."""


class Listener(Protocol):
    """Who wants to know how a run goes on."""

    def planned(self, run: RunHeader, path: Path) -> None:
        """A run begins, or goes on, whose file is `path`."""

    def progress(self, state: Progress) -> None:
        """Something moved; called often."""

    def noted(self, line: str) -> None:
        """Something is worth a line."""

    def finished(self, record: Record) -> None:
        """A record was written to the run file."""

    def closed(self) -> None:
        """The run is over, however it ended; may be called more than once."""


class PlainListener:
    """Writes one line for each record, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._counter = _Counter()

    def planned(self, run: RunHeader, path: Path) -> None:
        """Say what begins and where it is kept."""
        self._write(self._counter.planned(run, path))

    def progress(self, state: Progress) -> None:
        """Write nothing, but keep count: a log is no place for a moving line."""
        self._counter.progress(state)

    def noted(self, line: str) -> None:
        """Write the line."""
        self._write(printable(line))

    def finished(self, record: Record) -> None:
        """Write the record's line."""
        self._write(self._counter.finished(record))

    def closed(self) -> None:
        """Leave the stream open: it is not ours."""

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class TerminalListener:
    """Keeps a live line (case, step, estimate of time left) under the lines of the finished records."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console  # noqa: PLC0415 - --help and list stay fast without it
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

        self._clock = clock
        self._drawn = -REFRESH_S
        self._counter = _Counter()
        self._console: rich.console.Console = Console(file=stream)
        self._live: rich.progress.Progress = Progress(
            TextColumn("{task.fields[phase]}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            auto_refresh=False,  # its thread would run beside the measurement
            transient=True,
        )
        self._task = self._live.add_task("", total=None, phase="starting", left="")

    def planned(self, run: RunHeader, path: Path) -> None:
        """Say what begins and where it is kept, and start the live line."""
        self._print(self._counter.planned(run, path))
        self._live.start()

    def progress(self, state: Progress) -> None:
        """Move the live line, at most every `REFRESH_S`."""
        self._live.start()
        self._counter.progress(state)
        if self._clock() - self._drawn < REFRESH_S:
            return
        self._drawn = self._clock()
        step = f"  step {state.steps}" if state.steps else ""
        self._live.update(
            self._task,
            description=f"{printable(state.case)}{step}",
            phase=state.phase,
            completed=state.done,
            total=state.total,
            left="" if state.seconds_left is None else f"{duration(state.seconds_left)} left",
        )
        self._live.refresh()

    def noted(self, line: str) -> None:
        """Put the line above the live line."""
        self._print(printable(line))

    def finished(self, record: Record) -> None:
        """Put the record's line above the live line."""
        self._print(self._counter.finished(record))

    def closed(self) -> None:
        """Take the live line away."""
        self._live.stop()

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Counter:
    """Words the lines that both listeners write."""

    def __init__(self) -> None:
        self._done = 0
        self._total = 0

    def planned(self, run: RunHeader, path: Path) -> str:
        self._total = len(run.plan) * known(run.settings).replicates
        return f"suite {printable(run.suite)}: {self._total} to measure, into {printable(str(path))}"

    def progress(self, state: Progress) -> None:
        if state.phase != "static cost":
            self._done = state.done  # a resumed run does not begin at 0

    def finished(self, record: Record) -> str:
        self._done += 1
        return f"[{self._done}/{self._total}] {printable(record.case.key)}  {outcome(record)}"


def listener(stream: TextIO) -> Listener:
    """Return the listener that suits `stream`."""
    return TerminalListener(stream) if stream.isatty() else PlainListener(stream)


def counted(statics: Iterable[Static], total: int, stream: TextIO) -> list[Static]:
    """Return `statics`, which come one by one, while a terminal shows how many there are."""
    from rich.console import Console  # noqa: PLC0415 - --help and list stay fast without it
    from rich.progress import track  # noqa: PLC0415

    console = Console(file=stream)
    hidden = not stream.isatty()
    return list(track(statics, "counting", total, console=console, transient=True, disable=hidden))


def outcome(record: Record) -> str:
    """Return what came of a case in a few words: ``401 ms ±0.6 %``, or the status and its cause."""
    if record.status != "ok":
        return printable(f"{record.status}: {record.cause}")
    measured = values.measure(record, None)
    latency_s = measured.metrics["latency_s"]
    if latency_s is None:
        return printable(measured.nulls["latency_s"])
    interval = measured.intervals.get("latency_s")
    if interval is None:
        return f"{digits(1e3 * latency_s, None)} ms (too few steps for an interval)"
    return f"{digits(1e3 * latency_s, interval.relative)} ms ±{digits(100 * interval.relative, 0.1)} %"


def duration(value: float) -> str:
    """Return a waiting time in minutes and seconds: ``4 min 05 s``."""
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
