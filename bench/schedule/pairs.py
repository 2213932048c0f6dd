"""Pairs of fresh processes, of both arms, alive at the same time and stepped in turn."""

import contextlib
import dataclasses
import pathlib
import random
import time
from collections.abc import Generator

from bench.process.client import WorkerClient
from bench.process.forkserver import SERVE, ForkServer
from bench.process.protocol import Failed
from bench.schedule.progress import Note, Phase, Progress
from bench.schedule.rotation import Left, Lost, Rotation, Stepped
from bench.schedule.seat import Seat
from results.analysis.ab import ratio
from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import ArmName, Settings
from results.statistics.looks import LOOKS, Judged, judge


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """An arm, ready to be measured."""

    name: ArmName
    server: ForkServer
    case: Case
    cache: pathlib.Path
    """Folder of its compiler's artefacts: the first pair compiles, later pairs use them."""
    target: str = SERVE


Pair = tuple[Record, Record]
"""The records of arm a and of arm b."""


class Pairs:
    """The pairs of two arms, measured until a look at their ratios gives a verdict."""

    def __init__(self, a: Arm, b: Arm, *, margin: float, settings: Settings, deadline: float = float("inf")) -> None:
        """Prepare to measure pairs; after `deadline`, a reading of `time.perf_counter`, only the first would begin."""
        self._arms = (a, b)
        self._margin = margin
        self._settings = settings
        self._deadline = deadline
        self._began = time.perf_counter()

    def measure(self) -> Generator[Progress | Note | Pair, None, None]:
        """Yield pairs until a look gives a verdict, the looks or the time are over, or a pair has no ratio.

        Raises:
            InputError: the device admits a single process only.
        """
        ratios: list[float] = []
        longest_s = 0.0  # of the pairs after the first, in which arms may compile
        for index in range(max(LOOKS)):
            began = time.perf_counter()
            records = yield from self._pair(index)
            yield records
            ratio_of_pair = ratio(*records)
            if ratio_of_pair is None:
                return  # an arm failed, and would fail again in the next pair
            ratios.append(ratio_of_pair)
            if index:
                longest_s = max(longest_s, time.perf_counter() - began)
            late = time.perf_counter() + longest_s >= self._deadline  # a pair that is cut short tells little
            if index + 1 in LOOKS or late:
                judged = judge(ratios, self._margin)
                yield Note(look_text(judged))
                if late or judged.verdict != "inconclusive":
                    return

    def _pair(self, index: int) -> Generator[Progress, None, Pair]:
        """Measure a pair of fresh processes and return their records."""
        records: dict[ArmName, Record] = {}
        with contextlib.ExitStack() as stack:
            seats: dict[Seat, tuple[Arm, WorkerClient]] = {}
            for arm in self._arms if index % 2 == 0 else reversed(self._arms):  # neither is always the first
                yield self._progress("preparing", arm.case, index)
                live = WorkerClient(arm.server, arm.case, index, self._settings, arm.target)
                stack.callback(live.close)
                try:
                    live.prepare(str(arm.cache), warm=index > 0)
                except Failed as failure:
                    if failure.device_busy and seats:
                        raise _exclusive(failure.cause) from failure
                    records[arm.name] = live.fail(failure)
                else:
                    if live.restriction is not None:
                        raise _exclusive(f"its compute mode is {live.restriction}")
                    seats[Seat(arm.case, live, epoch=self._began)] = (arm, live)
            shuffler = random.Random(index)  # noqa: S311 - an order, not a secret
            rotation = Rotation(tuple(seats), self._settings, deadline=self._deadline, shuffler=shuffler)
            for event in rotation.events():
                arm, live = seats[event.seat]
                if isinstance(event, Stepped):
                    yield self._progress("measuring", arm.case, index)
                else:
                    records[arm.name] = _record(live, event)
        return records["a"], records["b"]

    def _progress(self, phase: Phase, case: Case, index: int) -> Progress:
        total = next(look for look in LOOKS if index < look)
        elapsed = time.perf_counter() - self._began
        left = elapsed / index * (total - index) if index else None
        return Progress(phase=phase, case=case.key, done=index, total=total, seconds_left=left)


def _exclusive(why: str) -> InputError:
    return InputError(
        f"both arms must be on the GPU at the same time, and it admits a single process ({why}): "
        "try sudo nvidia-smi -c DEFAULT, or compare two runs"
    )


def _record(live: WorkerClient, event: Left | Lost) -> Record:
    """Return the record of a worker that has left the rotation."""
    if isinstance(event, Lost):
        return live.fail(event.failure, event.seat.samples(live.phases) if event.seat.steps else None)
    samples = event.seat.samples(live.phases)
    try:
        return live.end(samples, event.stop)
    except Failed as failure:
        return live.fail(failure, samples)


def look_text(judged: Judged) -> str:
    """Return the verdict of a look at the pairs as a line of text."""
    if judged.ratio is None or judged.low is None or judged.high is None:
        return f"{judged.pairs} pairs: {judged.reason}"
    span = f"{judged.low:.4f} to {judged.high:.4f}"
    return f"{judged.pairs} pairs: b / a = {judged.ratio:.4f} ({span}): {judged.verdict}"
