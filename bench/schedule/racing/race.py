"""A race of live workers: all take turns in rounds, and leave as soon as they cannot win.

Candidates that are prepared fast start together. Those that a compiler prepares start one by one afterwards, and only
where what was measured of others lets them win (`bench.schedule.racing.bounds`).
"""

import dataclasses
import math
import random
import statistics
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final, Protocol

from bench.process.messages import Footprint
from bench.process.protocol import Failed
from bench.schedule.plan import compiling_s
from bench.schedule.progress import Activity
from bench.schedule.racing.bounds import is_heavy, least_s, short_name
from bench.schedule.seat import Seat
from results.schema.case import Case
from results.schema.lines.record import Record, Samples, Stop
from results.schema.lines.search import Candidate, Fate
from results.statistics.intervals import Interval, median_interval
from results.statistics.racing import WARM_ROUNDS, beaten, lags, leader, settled

ALIKE: Final = 0.01
"""Difference below which it does not matter which candidate wins: two processes of a case differ by as much."""
HEAT_ROUNDS: Final = 8
"""Rounds after which further candidates may join: enough to send those away that are slower by a few tenths."""
ALONE_ROUNDS: Final = 6
"""Warm rounds of the last candidate, before its race is over: enough for an interval of its time."""
MOST_ROUNDS: Final = 60
"""Rounds after which candidates that are still live count as equally fast."""
BY_FATE: Final[dict[Fate, Stop]] = {"stayed": "target", "no-time": "time-limit"}
"""Why sampling ended, for candidates that did not leave early."""


class Contender(Protocol):
    """A worker, as the race needs it: `bench.process.client.WorkerClient`."""

    phases: tuple[str, ...]

    def turn(self, *, steps: int, drop: int) -> object:
        """Run a turn, or raise `Failed`."""

    def footprint(self) -> Footprint:
        """Return its memory, or raise `Failed`."""

    def end(self, samples: Samples, stop: Stop, *, check: bool) -> Record:
        """Return its record, or raise `Failed`; `check` its result against fp64."""

    def fail(self, failure: Failed, samples: Samples | None = None) -> Record:
        """Return the record of its failure."""

    def close(self) -> None:
        """End the worker."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a winner must keep to; None where nothing was asked."""

    latency_s: float | None = None
    memory_bytes: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stable:
    """What starts workers."""

    start: Callable[[Case], Contender | Record]
    """Starts a worker and prepares its case, or returns the record of its failure."""
    admits: Callable[[Case, int], bool]
    """Whether a worker of a case fits beside so many live workers."""


class Race:
    """Runs a race once; `fates` says what became of each candidate."""

    def __init__(
        self,
        stable: Stable,
        candidates: Sequence[Case],
        bounds: Bounds,
        *,
        epoch: float,
        deadline: float,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        seed: int = 0,
    ) -> None:
        """Prepare a race of `candidates`, which ends at the reading `deadline` of `clock`."""
        self.fates: dict[Case, Candidate] = {}
        self.rounds = 0
        self._stable, self._bounds = stable, bounds
        self._light = [case for case in candidates if not is_heavy(case)]
        self._heavy = [case for case in candidates if is_heavy(case)]
        self._epoch, self._deadline, self._clock, self._sleep = epoch, deadline, clock, sleep
        self._shuffler = random.Random(seed)  # noqa: S311 - an order, not a secret
        self._live: dict[Case, tuple[Seat, Contender]] = {}
        self._times: dict[Case, dict[int, float]] = {}
        """Seconds an image by round, of candidates that live."""
        self._measured: dict[Case, float] = {}
        """Median seconds an image of all candidates that took part."""
        self._joined = 0
        """The round before which the latest candidates joined."""

    def run(self) -> Generator[Activity | Record, None, None]:
        """Run the race; yield what happens, and a record of each candidate that started."""
        try:
            while (self._light or self._heavy) and not self._late():
                yield from self._admit()
                yield from self._race(HEAT_ROUNDS)
            yield from self._race(MOST_ROUNDS)
            unsettled = len(self._live) > 1 and self._late() and not self._settled()
            for case in list(self._live):
                if not self._live[case][0].medians:  # the time was up before its first turn, and a record needs a time
                    yield from self._turn(case)
                if case in self._live:
                    yield self._end(case, "no-time" if unsettled else "stayed", None)
            for case in (*self._light, *self._heavy):
                self._note(case, "no-time", "the time limit came before it was started")
        finally:
            for _, worker in self._live.values():
                worker.close()

    def seconds(self, case: Case) -> float | None:
        """Return the median seconds an image of a candidate, None if it took part in no round."""
        return self._measured.get(case)

    def _late(self) -> bool:
        return self._clock() >= self._deadline

    def _admit(self) -> Iterator[Activity | Record]:
        """Start all light candidates that fit into memory, or else the next heavy candidate that may win."""
        self._joined = self.rounds
        started = False
        while self._light and not self._late():
            if self._live and not self._stable.admits(self._light[0], len(self._live)):
                if not started:  # all who live stay, so there is no room for more
                    self._note(self._light.pop(0), "too-large", "it does not fit into memory beside the leaders")
                    continue
                return
            started = True
            yield from self._start(self._light.pop(0))
        if not started and self._heavy and (case := self._next_heavy()) is not None:
            yield from self._start(case)

    def _next_heavy(self) -> Case | None:
        """Return the heavy candidate with the lowest bound, unless the leader is faster than the bound; note others."""
        lowest = {case: known[0] for case in self._heavy if (known := least_s(case, self._measured)) is not None}
        case = min(self._heavy, key=lambda case: lowest.get(case, 0.0))
        self._heavy.remove(case)
        known = least_s(case, self._measured)
        best_s = min((self._measured[live] for live in self._live), default=math.inf)
        if known is not None and known[0] > best_s:
            self._note(case, "cannot-win", f"not started: {known[1]}, and the leader {best_s * 1e3:.3g} ms")
            return None
        if self._clock() + compiling_s(case, 1) > self._deadline:
            self._note(case, "no-time", "not started: compiling it may take longer than the time that is left")
            return None
        return case

    def _start(self, case: Case) -> Iterator[Activity | Record]:
        yield Activity(phase="preparing", case=case)
        worker = self._stable.start(case)
        if isinstance(worker, Record):
            unsupported = worker.status == "unsupported"
            self._note(case, "unsupported" if unsupported else "failed", worker.cause)
            yield worker
            return
        self._live[case] = (Seat(case, worker, epoch=self._epoch), worker)  # type: ignore[arg-type]
        self._times[case] = {}
        memory = self._bounds.memory_bytes
        if memory is None:
            return
        try:
            taken = worker.footprint()
        except Failed as failure:
            yield self._lost(case, failure)
            return
        size = taken.host_bytes if taken.device_bytes is None else taken.device_bytes
        if size > memory:
            yield Activity(phase="measuring", case=case)
            yield from self._turn(case)  # a record needs a time
            if case in self._live:
                yield self._end(case, "too-large", f"it takes {size / 1e9:.2f} GB of {memory / 1e9:.2f} GB")

    def _race(self, most: int) -> Iterator[Activity | Record]:
        """Run rounds until all is settled, the time is up, or so many rounds have passed since the latest joined."""
        while self._live and not self._late() and self.rounds - self._joined < most and not self._settled():
            for case in self._shuffler.sample(list(self._live), len(self._live)):
                yield from self._turn(case)
            self.rounds += 1
            yield from self._leavers()

    def _turn(self, case: Case) -> Iterator[Activity | Record]:
        seat, _ = self._live[case]
        try:
            seat.take_turn(seat.plan(alone=False), self._clock, self._sleep)
        except Failed as failure:
            yield self._lost(case, failure)
            return
        self._times[case][self.rounds] = seat.medians[-1] / case.batch_size
        warm = seat.medians[WARM_ROUNDS:] or seat.medians[-1:]
        self._measured[case] = statistics.median(warm) / case.batch_size
        yield Activity(phase="measuring", case=case, steps=seat.steps)

    def _leavers(self) -> Iterator[Record]:
        """End the workers that are over a bound, or slower beyond doubt than a leader that is not."""
        limit_s = math.inf if self._bounds.latency_s is None else self._bounds.latency_s
        for case in list(self._live):
            typical = self._typical(case)
            if typical is not None and typical.low > limit_s:
                text = f"a step takes {typical.value * 1e3:.3g} ms of {limit_s * 1e3:.3g} ms"
                yield self._end(case, "too-slow", text)
        if len(self._times) < 2:
            return
        best = leader(self._times)
        own = self._typical(best)
        if limit_s < math.inf and (own is None or own.high > limit_s):
            return
        known = lags(self._times, best)
        for case in beaten(known):
            lag = known[case]
            more = [f"{math.expm1(end):.0%}" for end in (lag.log, lag.low, lag.high)]
            name = short_name(best, case)
            yield self._end(case, "slower", f"slower than {name} by {more[0]} ({more[1]} to {more[2]})")

    def _typical(self, case: Case) -> Interval | None:
        """Return the median step of a live candidate, None before it has the turns for an interval."""
        return median_interval(self._live[case][0].medians[WARM_ROUNDS:])

    def _settled(self) -> bool:
        """Return whether a single worker is left and well known, or all are equally fast as far as it matters."""
        if len(self._live) < 2:
            return all(len(seat.medians) >= WARM_ROUNDS + ALONE_ROUNDS for seat, _ in self._live.values())
        known = lags(self._times, leader(self._times))
        return len(known) == len(self._live) - 1 and settled(known, ALIKE)

    def _end(self, case: Case, fate: Fate, reason: str | None) -> Record:
        seat, worker = self._live.pop(case)
        self._times.pop(case)
        samples = seat.samples(worker.phases)
        try:
            record = worker.end(samples, BY_FATE.get(fate, "eliminated"), check=fate in BY_FATE)
        except Failed as failure:
            fate, reason = "failed", failure.cause
            record = worker.fail(failure, samples)
        worker.close()
        self._note(case, fate, reason, len(seat.medians))
        return record

    def _lost(self, case: Case, failure: Failed) -> Record:
        seat, worker = self._live.pop(case)
        self._times.pop(case)
        record = worker.fail(failure, seat.samples(worker.phases) if seat.steps else None)
        self._note(case, "failed", failure.cause, len(seat.medians))
        return record

    def _note(self, case: Case, fate: Fate, reason: str | None, rounds: int | None = None) -> None:
        self.fates[case] = Candidate(
            case=case, fate=fate, reason=reason, round=rounds, left_s=max(0.0, self._clock() - self._epoch)
        )
