"""Measure a group: fresh workers for the cases that share a baseline, alive together; every case ends as a `Record`.

A group that does not fit into memory is measured in parts, and every part has a worker of the baseline.
A failure of a worker affects its own record only.
"""

import dataclasses
import pathlib
import random
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TypeVar

from bench.process.client import WorkerClient
from bench.process.forkserver import ForkServer
from bench.process.protocol import Failed
from bench.schedule.progress import Phase
from bench.schedule.rotation import Left, Lost, Seat, Stepped, rotate
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.record import Record, Stop
from results.schema.run import Settings

_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases that share a baseline."""

    cases: tuple[Case, ...]
    """Cases that still need a record, in the order of the plan."""
    baseline: Case | None
    """The baseline, measured in every part of the group; None where the plan lacks it."""


def groups(plan: Iterable[Case], wanted: Callable[[Case], bool]) -> list[Group]:
    """Divide a plan into groups of the cases that are `wanted`, without empty groups."""
    by_baseline: dict[Case, list[Case]] = {}
    for case in plan:
        by_baseline.setdefault(case.baseline, []).append(case)
    return [
        Group(cases=chosen, baseline=baseline if baseline in cases else None)
        for baseline, cases in by_baseline.items()
        if (chosen := tuple(case for case in cases if wanted(case)))
    ]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The case at work in a group."""

    phase: Phase
    case: Case
    steps: int = 0
    """Steps of the case so far."""


Steps = Generator[Activity | Record, None, _Result]
"""Yields records and the events between them, and returns a `_Result`."""


class GroupRun:
    """Measures a group once."""

    def __init__(
        self,
        server: ForkServer,
        group: Group,
        *,
        replicate: int,
        settings: Settings,
        cache: pathlib.Path,
        deadline: float,
    ) -> None:
        """Prepare to measure `group`.

        Args:
            server: the server that forks the workers.
            group: the cases to measure.
            replicate: index of the replicate.
            settings: target, budget and time-out of a worker.
            cache: a private folder for compilers' artefacts.
            deadline: reading of `time.perf_counter` after which no further case begins.
        """
        self._server = server
        self._group = group
        self._replicate = replicate
        self._settings = settings
        self._cache = cache
        self._deadline = deadline
        # Seeded by group and replicate: orders must differ between replicates, over which results are averaged, and
        # can be derived from the records.
        self._shuffler = random.Random(f"{group.cases[0].baseline.key} {replicate}")  # noqa: S311 - no secret
        self._alone: list[Case] = []
        self._live: dict[Seat, WorkerClient] = {}

    def measure(self) -> Steps[None]:
        """Measure every case of the group, in as many parts as memory requires."""
        baseline = self._group.baseline
        queue = [case for case in self._group.cases if case != baseline]
        first = baseline in self._group.cases
        try:
            while (queue or first) and not self._late():
                queue, baseline = yield from self._part(queue, baseline, record_baseline=first)
                first = False
            for case in self._alone:
                if not self._late():
                    yield from self._measure_alone(case)
        finally:
            for live in self._live.values():
                live.close()
            for reference in self._cache.glob("*.safetensors"):  # the reference results may take gigabytes
                reference.unlink()

    def _late(self) -> bool:
        return time.perf_counter() >= self._deadline

    def _part(
        self, queue: Sequence[Case], baseline: Case | None, *, record_baseline: bool
    ) -> Steps[tuple[list[Case], Case | None]]:
        """Measure the cases of `queue` that fit into memory with the baseline; return the rest and the baseline."""
        waiting = list(queue)
        reference: Seat | None = None
        if baseline is not None:
            reference = yield from self._seat(baseline, recorded=record_baseline)
            baseline = None if reference is None else baseline
        room: int | None = None
        if reference is not None:
            room = yield from self._room(reference, waiting)
            reference = reference if reference in self._live else None
        while waiting and not self._late() and (room is None or len(self._live) <= room):
            seat = yield from self._seat(waiting.pop(0))
            if room is None and seat is not None:
                room = yield from self._room(seat, waiting)
        if waiting and reference is not None and len(self._live) == 1:
            self._alone += waiting  # no case fits into memory with the baseline
            waiting = []
        yield from self._rotate(reference)
        return waiting, baseline

    def _seat(self, case: Case, *, recorded: bool = True) -> Steps[Seat | None]:
        """Prepare a fresh worker and seat it; yield its record instead, and return None, where it fails."""
        yield Activity(phase="preparing", case=case)
        live = WorkerClient(self._server, case, self._replicate, self._settings)
        seat = Seat(case, live, recorded=recorded)
        self._live[seat] = live
        cache = tempfile.mkdtemp(dir=self._cache)
        try:
            live.prepare(cache)
            if RUNTIMES[case.runtime].compiles and not self._replicate:
                live.prepare_again(cache, late=self._late())
        except Failed as failure:
            yield from self._lost(seat, failure)
            return None
        return seat

    def _room(self, seat: Seat, waiting: Sequence[Case]) -> Steps[int | None]:
        """Return how many cases of `waiting` fit into memory with `seat`; None where its worker failed to answer."""
        try:
            return self._live[seat].room_for_more(compiling=any(RUNTIMES[case.runtime].compiles for case in waiting))
        except Failed as failure:
            yield from self._lost(seat, failure)
            return None

    def _measure_alone(self, case: Case) -> Steps[None]:
        seat = yield from self._seat(case)
        if seat is not None:
            self._live[seat].notes.append("measured alone: it did not fit into memory together with its group")
            yield from self._rotate(None)

    def _rotate(self, reference: Seat | None) -> Steps[None]:
        events = rotate(tuple(self._live), reference, self._settings, deadline=self._deadline, shuffler=self._shuffler)
        for event in events:
            match event:
                case Stepped(seat):
                    yield Activity(phase="measuring", case=seat.case, steps=seat.steps)
                case Left(seat, stop):
                    yield from self._left(seat, stop)
                case Lost(seat, failure):
                    yield from self._lost(seat, failure)

    def _left(self, seat: Seat, stop: Stop) -> Iterator[Record]:
        live = self._live[seat]
        if seat.recorded:
            samples = seat.samples(live.phases)
            try:
                record = live.end(samples, stop)
            except Failed as failure:
                record = live.fail(failure, samples)
            yield record
        live.close()
        del self._live[seat]

    def _lost(self, seat: Seat, failure: Failed) -> Iterator[Record]:
        crowded = len(self._live) > 1
        live = self._live.pop(seat)
        if failure.status == "out-of-memory" and crowded and seat.recorded:
            live.close()
            self._alone.append(seat.case)  # it may have lacked the memory of the other workers
            return
        record = live.fail(failure, seat.samples(live.phases) if seat.steps else None)
        if seat.recorded:
            yield record
