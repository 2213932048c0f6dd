"""A search in progress: races until a right answer is left, then fresh processes that confirm it."""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import structs

from bench.machine.clock import now
from bench.process import ask
from bench.process.caches import Caches
from bench.process.client import WorkerClient
from bench.process.forkserver import ForkServer
from bench.process.protocol import Failed
from bench.schedule.plan import Todo
from bench.schedule.progress import Activity, Progress, Show
from bench.schedule.racing.choice import binding, chosen, disagrees, finalists, may_win, told_apart
from bench.schedule.racing.race import Bounds, Contender, Race, Stable
from bench.schedule.racing.request import SearchRequest
from bench.schedule.replicate import ReplicateRun
from bench.schedule.room import Room, prepare_worker
from results.metrics.reasons import is_wrong
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import Settings
from results.schema.lines.search import Candidate, Search
from results.schema.lines.static import Static, static_key
from results.storage.writer import Writer

RACE_SHARE: Final = 0.75
"""Share of the time limit for the race; the rest confirms in fresh processes."""
CONFIRMATIONS: Final = 2
"""Fresh processes of each finalist after the race: with that of the race as many as an interval needs."""
MOST_CONFIRMATIONS: Final = 6
"""Fresh processes where the fastest two cannot be told apart before."""
MOST_RACES: Final = 3
"""Races, each without the candidates whose results were found wrong in the race before."""
BATCHES: Final = (8, 1, 2, 4, 16, 32)
"""Batches of a search for the best: all settings are tried with the first, and the fastest two with the others."""


class Hunt:
    """A search in progress."""

    def __init__(
        self,
        server: ForkServer,
        request: SearchRequest,
        cases: Sequence[Case],
        *,
        settings: Settings,
        caches: Caches,
        writer: Writer,
        show: Show,
        began: float,
    ) -> None:
        """Prepare a search among `cases`, which began at the reading `began` of `time.perf_counter`."""
        self._server, self._request, self._cases, self._caches = server, request, cases, caches
        self._settings, self._started = settings, now()
        self._writer, self._show, self._began = writer, show, began
        self._room = Room(self._settings.live)
        self._records: list[Record] = []
        self._fates: dict[Case, Candidate] = {}
        self._seconds: dict[Case, float] = {}

    def run(self) -> Search:
        """Race, confirm, and return the search with its answer."""
        self._count()
        replicate, left = 0, self._cases
        while left and replicate < MOST_RACES:
            self._race(left, replicate)
            replicate += 1
            refused = self._refused()
            self._fates |= refused
            if may_win(self._fates.values()) or not refused or self._late():
                break
            left = tuple(case for case in left if self._fates[case].fate == "slower")
        if self._request.batches is None and may_win(self._fates.values()) and not self._late():
            self._race(self._other_batches(), replicate)
            self._fates |= self._refused()
            replicate += 1
        self._confirm(replicate)
        return self._answer()

    def _refused(self) -> dict[Case, Candidate]:
        """Return the candidates that stayed and whose results are wrong, or agree with fp32 too seldom."""
        refused = {}
        for record in self._records:
            fate = self._fates[record.case]
            if fate.fate not in {"stayed", "no-time"} or record.stop == "eliminated":  # it was not checked then
                continue
            if is_wrong(record):
                wrong = "its result differs from that of fp32 in eager"
                refused[record.case] = structs.replace(fate, fate="wrong", reason=wrong)
            elif (why := disagrees(record, self._request.min_agreement)) is not None:
                refused[record.case] = structs.replace(fate, fate="disagrees", reason=why)
        return refused

    def _other_batches(self) -> list[Case]:
        """Return the fastest two settings with each other batch, and with the first once more."""
        stayed = may_win(self._fates.values())
        others = [each.case for each in self._fates.values() if each.fate == "slower"]
        fastest = [*sorted(stayed, key=self._seconds.__getitem__), *sorted(others, key=self._seconds.__getitem__)][:2]
        for case in stayed:
            self._fates[case] = structs.replace(self._fates[case], fate="slower", reason="raced with other batches")
        return [structs.replace(case, batch_size=batch) for case in fastest for batch in BATCHES]

    def _race(self, cases: Sequence[Case], replicate: int) -> None:
        bounds = Bounds(latency_s=self._request.max_latency_s, memory_bytes=self._request.max_memory_bytes)
        race = Race(
            Stable(start=lambda case: self._start(case, replicate), admits=self._admits),
            cases,
            bounds,
            epoch=self._began,
            deadline=self._until(RACE_SHARE),
        )
        with contextlib.closing(race.run()) as events:
            self._take(events, lambda: len(race.fates))
        self._fates |= race.fates
        self._seconds |= {case: known for case in cases if (known := race.seconds(case)) is not None}

    def _start(self, case: Case, replicate: int) -> Contender | Record:
        live = WorkerClient(self._server, case, replicate, self._settings)
        try:
            prepare_worker(live, self._caches, self._room)
        except Failed as failure:
            return live.fail(failure)
        return live

    def _admits(self, case: Case, live: int) -> bool:
        return self._room.admit(case, live=live, compiles=self._caches.cold(case))

    def _confirm(self, first: int) -> None:
        """Measure the finalists in fresh processes, as often as the time allows."""
        final = finalists(self._fates.values(), self._seconds)
        if len(final) < 2:  # no winner, or the baseline alone
            return
        for replicate in range(first, first + MOST_CONFIRMATIONS):
            began = time.perf_counter()
            run = ReplicateRun(
                self._server,
                Todo(replicate=replicate, cases=tuple(final)),
                settings=self._settings,
                caches=self._caches,
                room=self._room,
                epoch=self._began,
                deadline=self._until(),
            )
            with contextlib.closing(run.measure()) as events:
                self._take(events, lambda: len(self._fates))
            enough = replicate + 1 >= first + CONFIRMATIONS and told_apart(final[0], final[1], self._records)
            took_s = time.perf_counter() - began
            if enough or time.perf_counter() + took_s > self._until():
                break

    def _answer(self) -> Search:
        stayed = may_win(self._fates.values())
        winner = chosen(stayed, self._records)
        reason, nearest = None, None
        if winner is None:
            reason, nearest = binding(tuple(self._fates.values()), self._seconds)
        elif any(candidate.fate == "no-time" for candidate in self._fates.values()):
            reason = "the time limit ended the search before it was settled"
        elif len(stayed) > 1:
            reason = f"the last {len(stayed)} candidates are equally fast, as far as it matters"
        else:
            reason = "every other candidate is slower, or cannot win"
        request = self._request
        return Search(
            max_latency_s=request.max_latency_s,
            max_memory_bytes=request.max_memory_bytes,
            min_agreement=request.min_agreement,
            min_accuracy=request.min_accuracy,
            time_limit_s=request.time_limit_s,
            candidates=tuple(self._fates.values()),
            winner=winner,
            reason=reason,
            nearest=nearest,
            started=self._started,
            duration_s=time.perf_counter() - self._began,
        )

    def _count(self) -> None:
        """Write the static cost of each model."""
        for key in dict.fromkeys(map(static_key, self._cases)):
            static = ask.static(self._server, *key, timeout_s=self._settings.timeout_s, deadline=self._until(0.1))
            if isinstance(static, Static):
                self._writer.append(static)
                self._show(static)

    def _take(self, events: Iterable[Activity | Record], done: Callable[[], int]) -> None:
        for event in events:
            if isinstance(event, Record):
                self._records.append(event)
                self._writer.append(event)
                self._show(event)
                continue
            left_s = max(0.0, self._until() - time.perf_counter())
            self._show(
                Progress(
                    phase=event.phase,
                    case=event.case.key,
                    steps=event.steps,
                    done=done(),
                    total=len(self._cases),
                    seconds_left=left_s,
                )
            )

    def _until(self, share: float = 1.0) -> float:
        return self._began + share * self._request.time_limit_s

    def _late(self) -> bool:
        return time.perf_counter() > self._until(RACE_SHARE)
