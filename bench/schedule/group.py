"""Measure one group: fresh workers for cases that share a baseline, alive together, each ending as a `Record`.

A group that the machine's memory does not hold is measured in parts, each with a worker of the baseline in it. Whatever
happens to a worker happens to its record alone.
"""

import dataclasses
import pathlib
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence

from bench.process.client import LiveCase
from bench.process.forkserver import ForkServer
from bench.schedule.progress import Phase
from bench.schedule.rotation import Failed, Hooks, Seat, rotate
from results.schema.case import Case
from results.schema.record import Record, Stop
from results.schema.run import Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases that share a baseline, and which of them still want a record."""

    cases: tuple[Case, ...]
    """Those to be recorded, in the order of the plan."""
    baseline: Case | None
    """Measured beside them all; None where the plan does not hold it."""


def groups(plan: Iterable[Case], wanted: Callable[[Case], bool]) -> list[Group]:
    """Divide a plan into groups, leaving out cases that are not wanted and groups without any."""
    by_baseline: dict[Case, list[Case]] = {}
    for case in plan:
        by_baseline.setdefault(case.baseline, []).append(case)
    return [
        Group(cases=kept, baseline=baseline if baseline in cases else None)
        for baseline, cases in by_baseline.items()
        if (kept := tuple(case for case in cases if wanted(case)))
    ]


class GroupRun:
    """Measures one group once."""

    def __init__(
        self,
        server: ForkServer,
        group: Group,
        *,
        replicate: int,
        settings: Settings,
        cache: pathlib.Path,
        deadline: float,
        recorded: Callable[[Record], None],
        progressed: Callable[[Phase, Case, int], None],
    ) -> None:
        """Say what to measure and whom to tell.

        Args:
            server: where workers come from.
            group: what to measure.
            replicate: index of this pass.
            settings: target, budget and time-out of each worker.
            cache: a private folder for compilers' artefacts.
            deadline: reading of `time.perf_counter` after which nothing new begins.
            recorded: is called with each record as it arrives.
            progressed: is called between turns with the phase, the case and its steps so far.
        """
        self._server = server
        self._group = group
        self._replicate = replicate
        self._settings = settings
        self._cache = cache
        self._deadline = deadline
        self._recorded = recorded
        self._progressed = progressed
        # Of the group and the pass, so that orders differ between replicates, which are what is averaged over; whoever
        # reads the records can derive it.
        self._shuffler = random.Random(f"{group.cases[0].baseline.key} {replicate}")  # noqa: S311 - no secret
        self._alone: list[Case] = []
        self._live: dict[Seat, LiveCase] = {}

    def measure(self) -> None:
        """Measure every case of the group, in as many parts as memory asks for."""
        baseline = self._group.baseline
        queue = [case for case in self._group.cases if case != baseline]
        first = baseline in self._group.cases
        try:
            while (queue or first) and not self._late():
                queue, baseline = self._part(queue, baseline, record_baseline=first)
                first = False
            for case in self._alone:
                if not self._late():
                    self._measure_alone(case)
        finally:
            for live in self._live.values():
                live.close()
            for kept in self._cache.glob("*.safetensors"):  # what its results were compared with may be gigabytes
                kept.unlink()

    def _late(self) -> bool:
        return time.perf_counter() >= self._deadline

    def _part(
        self, queue: Sequence[Case], baseline: Case | None, *, record_baseline: bool
    ) -> tuple[list[Case], Case | None]:
        """Measure as many of `queue` as fit beside the baseline; return the rest, and the baseline if it lives."""
        waiting = list(queue)
        reference: Seat | None = None
        if baseline is not None:
            reference = self._seat(baseline, recorded=record_baseline)
            baseline = None if reference is None else baseline
        room: int | None = None
        if reference is not None:
            room = self._room(reference, waiting)
            reference = reference if reference in self._live else None
        while waiting and not self._late() and (room is None or len(self._live) <= room):
            seat = self._seat(waiting.pop(0))
            if room is None and seat is not None:
                room = self._room(seat, waiting)
        if waiting and reference is not None and len(self._live) == 1:
            self._alone += waiting  # not even one fits beside the baseline
            waiting = []
        self._rotate(reference)
        return waiting, baseline

    def _seat(self, case: Case, *, recorded: bool = True) -> Seat | None:
        """Prepare a fresh worker and give it a seat, or record why there is none."""
        self._progressed("preparing", case, 0)
        live = LiveCase(self._server, case, self._replicate, self._settings)
        seat = Seat(case, live, recorded=recorded)
        self._live[seat] = live
        cache = tempfile.mkdtemp(dir=self._cache)
        try:
            live.prepare(cache)
            if case.runtime != "eager" and not self._replicate:
                live.prepare_again(cache, late=self._late())
        except Failed as failure:
            self._failed(seat, failure)
            return None
        return seat

    def _room(self, seat: Seat, waiting: Sequence[Case]) -> int | None:
        """Return how many of `waiting` fit beside `seat`; None where its worker died of the question."""
        try:
            return self._live[seat].room_for_more(compiling=any(case.runtime != "eager" for case in waiting))
        except Failed as failure:
            self._failed(seat, failure)
            return None

    def _measure_alone(self, case: Case) -> None:
        seat = self._seat(case)
        if seat is not None:
            self._live[seat].notes.append("measured alone: memory did not hold it beside its group")
            self._rotate(None)

    def _rotate(self, reference: Seat | None) -> None:
        rotate(
            tuple(self._live),
            reference,
            self._settings,
            Hooks(
                left=self._left,
                failed=self._failed,
                turned=lambda seat: self._progressed("measuring", seat.case, seat.steps),
            ),
            deadline=self._deadline,
            shuffler=self._shuffler,
        )

    def _left(self, seat: Seat, stop: Stop) -> None:
        live = self._live[seat]
        if seat.recorded:
            samples = live.samples(seat)
            try:
                record = live.end(samples, stop)
            except Failed as failure:
                record = live.fail(failure, samples)
            self._recorded(record)
        live.close()
        del self._live[seat]

    def _failed(self, seat: Seat, failure: Failed) -> None:
        crowded = len(self._live) > 1
        live = self._live.pop(seat)
        if failure.status == "out-of-memory" and crowded and seat.recorded:
            live.close()
            self._alone.append(seat.case)  # beside others it may have lacked what they took
            return
        record = live.fail(failure, live.samples(seat) if seat.steps else None)
        if seat.recorded:
            self._recorded(record)
