"""Displays of a run's progress: a live line on a terminal, a plain line for every record elsewhere.

A display is called between timed turns only, and draws only inside these calls, so that no thread of a display runs
during a measurement. Of cards that are measured at once, another may be timed meanwhile.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, TextIO

from results.metrics.timings import timings
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import RunHeader
from results.schema.lines.static import Static
from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.schema.types import known
from results.text import digits, half_width, is_unknown, printable, within

if TYPE_CHECKING:
    import rich.console
    import rich.progress

Phase = Literal["static cost", "preparing", "measuring", "training"]
REFRESH_S: Final = 0.5
"""Least seconds between two drawings of the live line."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a run."""

    phase: Phase
    case: str
    """Key of the case that is measured, name of the model whose static cost is counted, or network and seed."""
    steps: int = 0
    """Steps of that case so far; of a training, of the epoch."""
    detail: str = ""
    """What else a person wants to see, such as a loss."""
    done: int
    """Records written, models counted, or epochs trained so far; the goal is `total`."""
    total: int
    seconds_left: float | None
    """Estimate for the rest of the run; None where no estimate is possible."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The case at work in a replicate."""

    phase: Phase
    case: Case
    steps: int = 0
    """Steps of the case so far."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run begins or is resumed."""

    run: RunHeader
    path: Path
    """Its file."""
    trainings: tuple[Training, ...] = ()
    """What it trains."""


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """A line for a person."""

    line: str


Event = Planned | Progress | Note | Static | Record | Training | Epoch | TrainingEnd
"""An event of a run; what is stored, such as a `Record`, has just been written to its file."""
Show = Callable[[Event], None]


def ignore(_: Event) -> None:
    """Show nothing."""


class Display(Protocol):
    """Shows a run to a person."""

    def show(self, event: Event) -> None:
        """Show an event; called often."""

    def close(self) -> None:
        """Remove the live line, if there is one."""


class Lines(Protocol):
    """Words the lines of events; it may count them."""

    def of(self, event: Event) -> str | None:
        """Return the line of an event, None for an event without a line."""


class PlainDisplay:
    """Writes a line for every record, for logs and pipes."""

    def __init__(self, stream: TextIO, lines: Lines | None = None) -> None:
        self._stream = stream
        self._lines = lines or RunLines()

    def show(self, event: Event) -> None:
        """Write the line of an event that has a line; a log shows no progress between them."""
        line = self._lines.of(event)
        if line is not None:
            print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the stream open: it belongs to the caller."""


class TerminalDisplay:
    """Keeps a live line (case, step, estimate of the time left) under the lines of the finished records."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic, lines: Lines | None = None) -> None:
        from rich.console import Console  # noqa: PLC0415 - --help and list stay fast without it
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        self._clock = clock
        self._drawn = -REFRESH_S
        self._lines = lines or RunLines()
        self._console: rich.console.Console = Console(file=stream)
        self._live: rich.progress.Progress = Bar(
            TextColumn("{task.fields[phase]}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            auto_refresh=False,  # its thread would run during the measurement
            transient=True,
        )
        self._task = self._live.add_task("", total=None, phase="starting", left="")

    def show(self, event: Event) -> None:
        """Print the line of an event above the live line, and redraw the live line at most every `REFRESH_S`."""
        line = self._lines.of(event)
        if line is not None:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        if isinstance(event, Planned | Progress):
            self._live.start()
        if isinstance(event, Progress) and self._clock() - self._drawn >= REFRESH_S:
            self._drawn = self._clock()
            self._draw(event)

    def close(self) -> None:
        """Remove the live line."""
        self._live.stop()

    def _draw(self, state: Progress) -> None:
        step = f"  step {state.steps}" if state.steps else ""
        detail = f"  {printable(state.detail)}" if state.detail else ""
        self._live.update(
            self._task,
            description=f"{printable(state.case)}{step}{detail}",
            phase=state.phase,
            completed=state.done,
            total=state.total,
            left="" if state.seconds_left is None else f"{duration(state.seconds_left)} left",
        )
        self._live.refresh()


class RunLines:
    """Words the lines of a run that measures, and counts the records."""

    def __init__(self) -> None:
        self._done = 0
        self._total = 0

    def of(self, event: Event) -> str | None:
        """Return the line of an event, None for an event without a line."""
        match event:
            case Planned(run=run, path=path):
                self._total = len(run.plan) * known(run.settings).replicates
                return f"suite {printable(run.suite)}: {self._total} to measure, into {printable(str(path))}"
            case Note(line=line):
                return printable(line)
            case Record():
                self._done += 1
                return f"[{self._done}/{self._total}] {printable(event.case.key)}  {outcome(event)}"
            case Progress() if event.phase != "static cost":
                self._done = event.done  # a resumed run does not begin at 0
        return None


@contextlib.contextmanager
def display(stream: TextIO, lines: Lines | None = None) -> Iterator[Show]:
    """Show the events of a run on `stream`: with a live line on a terminal, a line for every record elsewhere.

    `lines` words the lines; those of a run that measures if None.
    """
    shown: Display = TerminalDisplay(stream, lines=lines) if stream.isatty() else PlainDisplay(stream, lines)
    try:
        yield shown.show
    finally:
        shown.close()


def counted(statics: Iterable[Static], total: int, stream: TextIO) -> list[Static]:
    """Return `statics` as a list, and show the number of counted models on a terminal."""
    from rich.console import Console  # noqa: PLC0415 - --help and list stay fast without it
    from rich.progress import track  # noqa: PLC0415

    console = Console(file=stream)
    hidden = not stream.isatty()
    return list(track(statics, "counting", total, console=console, transient=True, disable=hidden))


def outcome(record: Record) -> str:
    """Return the outcome of a case: ``401 ms ± 0.6 %``, or the status and its cause."""
    if record.status != "ok":
        return printable(f"{record.status}: {record.cause}")
    typical, spread, _ = timings([record])
    latency_s, low_s, high_s = (
        column.item() for column in (typical.latency_s, spread.latency_low_s, spread.latency_high_s)
    )
    if math.isnan(latency_s):
        return "no steady step was measured"
    if math.isnan(low_s):
        return f"{digits(1e3 * latency_s, None)} ms (too few steps for an interval)"
    relative = half_width(latency_s, low_s, high_s)
    unknown = " (its turns differ too much: use a quieter machine)" if is_unknown(relative) else ""
    return f"{digits(1e3 * latency_s, relative)} ms {within(relative)}{unknown}"


def duration(value: float) -> str:
    """Return a waiting time in minutes and seconds: ``4 min 05 s``."""
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
