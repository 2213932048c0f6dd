"""The rotation: workers of a group live at the same time and are stepped in short turns.

Drift of the machine then affects all workers alike, so that ratios between them are precise even where absolute times
are not. The threads of the previous worker still spin during a worker's first steps, so every turn begins with dropped
steps or, where a step is long, with a pause in which those threads fall asleep. The order of a round is shuffled, and
every second round reverses the order of the previous round, so that both workers of every pair come first equally
often.
"""

import dataclasses
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import structs

from bench.process.protocol import Failed, Turn
from results.schema.case import Case
from results.schema.record import Samples, Stop
from results.schema.run import Settings
from results.statistics import intervals as stats
from results.statistics.steady import Steady, steady

SPIN_S: Final = 0.005
"""Idle OpenMP threads spin for about this time before they sleep (libgomp, measured)."""
LONG_STEP_S: Final = 0.1
"""Length of a step from which a dropped step costs more than the pause that replaces it."""
TURN_S: Final = 0.02
"""Seconds of timed work in a turn, so that the cost of switching workers is small."""
TURNS_TO_STOP: Final = 12
"""Steady turns before a worker may count as precise enough. With 5 turns, 95 % intervals covered the truth in 91 % of
simulations (correlation of 0.3 between turns); with 12, in 95 %."""
MIN_STEPS: Final = 3
"""Least steps of every worker, even where its budget is too small for them."""
PATIENCE: Final = 4
"""How many times its budget a worker may spend to get those steps."""


class Stepper(Protocol):
    """A live worker, as the rotation sees it."""

    def turn(self, *, steps: int, drop: int) -> Turn:
        """Run a turn, or raise `Failed`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    """The shape of a turn."""

    pause_s: float
    drop: int
    steps: int


def plan_turn(step_s: float | None, *, alone: bool) -> TurnPlan:
    """Choose the shape of a turn by the length of a step, None for an unknown length."""
    if step_s is None:
        return TurnPlan(pause_s=0, drop=0, steps=1)
    steps = max(1, round(TURN_S / step_s))
    if alone:
        return TurnPlan(pause_s=0, drop=0, steps=steps)
    if step_s >= LONG_STEP_S:
        return TurnPlan(pause_s=2 * SPIN_S, drop=0, steps=steps)
    return TurnPlan(pause_s=0, drop=max(1, round(SPIN_S / step_s)), steps=steps)


class Seat:
    """A worker in the rotation, and its series so far."""

    def __init__(self, case: Case, stepper: Stepper, *, recorded: bool = True) -> None:
        """Seat a worker; `recorded` is False for a baseline that already has its record."""
        self.case = case
        self.stepper = stepper
        self.recorded = recorded
        self.spent_s = 0.0
        self._phase_s: list[tuple[float, ...]] = []
        self._turn: list[int] = []
        self._wall_s: list[float] = []
        self.medians: list[float] = []
        """The median step of every turn."""
        self._partners: list[tuple[Seat, int] | None] = []
        self._next_look = MIN_STEPS
        self._steady = Steady(start=0, steady=False)
        self._looked_at = -1

    @property
    def steps(self) -> int:
        """Steps recorded so far, warm-up included."""
        return len(self._phase_s)

    @property
    def expected_step_s(self) -> float | None:
        """The latest turn's median step."""
        return self.medians[-1] if self.medians else None

    def take_turn(self, plan: TurnPlan, clock: Callable[[], float]) -> None:
        """Run a turn."""
        began = clock()
        turn = self.stepper.turn(steps=plan.steps, drop=plan.drop)
        self.spent_s += clock() - began
        self._phase_s += turn.phase_s
        self._turn += [len(self.medians)] * len(turn.phase_s)
        self._wall_s.append(turn.wall_s)
        self.medians.append(statistics.median(turn.step_s))

    def set_partner(self, baseline: "Seat | None") -> None:
        """Pair the latest turn with the turn of `baseline` in the same round; None where the round had no baseline."""
        self._partners.append(None if baseline is None else (baseline, len(baseline.medians) - 1))

    def stop(self, settings: Settings, *, out_of_time: bool) -> Stop | None:
        """Return the reason for leaving the rotation now, None for staying."""
        turns = len(self.medians)
        enough = self.steps >= MIN_STEPS or self.spent_s > PATIENCE * settings.budget_s
        if enough and out_of_time:
            return "time-limit"
        if enough and self.spent_s >= settings.budget_s:
            return "budget"
        if turns < self._next_look:
            return None
        self._next_look = turns + max(1, turns // 8)  # looking costs time that grows with the series
        return "target" if self._precise(settings.target) else None

    def _precise(self, target: float) -> bool:
        steady = self._look()
        start = self.first_steady_turn()
        steady_s = self.medians[start:]
        if not steady.steady or len(steady_s) < TURNS_TO_STOP:
            return False
        intervals = [stats.median_interval(steady_s)]
        pairs = [
            base / own for base, own in zip(self._baseline_s()[start:], steady_s, strict=False) if base is not None
        ]
        if len(pairs) >= TURNS_TO_STOP:
            intervals.append(stats.median_interval(pairs))
        return all(interval is not None and interval.relative <= target for interval in intervals)

    def _look(self) -> Steady:
        if self._looked_at != self.steps:
            self._looked_at = self.steps
            self._steady = steady([sum(phases) for phases in self._phase_s])
        return self._steady

    def first_steady_turn(self) -> int:
        """Return the index of the first turn after warm-up, estimated from the turns so far."""
        start = self._look().start
        return self._turn[start] if start < self.steps else len(self.medians)

    def _baseline_s(self) -> list[float | None]:
        """Return the baseline's step by turn; None for rounds without a baseline, and for its warm-up."""
        return [
            baseline.medians[turn] if turn >= baseline.first_steady_turn() else None
            for baseline, turn in (pair or (self, -1) for pair in self._partners)  # no turn is before the first
        ]

    def samples(self, phases: Sequence[str]) -> Samples:
        """Return the whole series; `phases` names the parts of a step, whose fields `WorkerClient` has checked."""
        steady = self._look()
        baseline_s = self._baseline_s()
        paired = any(value is not None for value in baseline_s)
        samples = Samples(
            step_s=tuple(sum(parts) for parts in self._phase_s),
            turn=tuple(self._turn),
            wall_s=tuple(self._wall_s),
            baseline_s=tuple(baseline_s) if paired else (),
            warmup=steady.start,
            steady=steady.steady,
            slowing=steady.slowing,
        )
        if not phases:
            return samples
        columns = zip(phases, zip(*self._phase_s, strict=True), strict=True)
        return structs.replace(samples, **{f"{phase}_s": column for phase, column in columns})


@dataclasses.dataclass(frozen=True, slots=True)
class Stepped:
    """A turn of a seat has ended."""

    seat: Seat


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """A seat has left the rotation with its series."""

    seat: Seat
    stop: Stop


@dataclasses.dataclass(frozen=True, slots=True)
class Lost:
    """A seat has left the rotation because its worker failed."""

    seat: Seat
    failure: Failed


def rotate(
    seats: Sequence[Seat],
    baseline: Seat | None,
    settings: Settings,
    *,
    deadline: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    shuffler: random.Random | None = None,
) -> Iterator[Stepped | Left | Lost]:
    """Step all seats in turn until every seat has left, and yield their events between turns.

    Args:
        seats: live, prepared workers.
        baseline: the member of `seats` with which the others are compared, round by round; it leaves last.
        settings: target and budget of a seat.
        deadline: reading of `clock` at which all seats leave.
        clock: returns seconds.
        sleep: pauses for some seconds.
        shuffler: random numbers for the order of rounds.
    """
    shuffler = shuffler or random.Random(0)  # noqa: S311 - an order, not a secret
    live = list(seats)
    order: list[Seat] = []
    forward = True
    while live:
        if forward or set(order) != set(live):
            order = shuffler.sample(live, len(live))
            forward = False
        else:
            order.reverse()
            forward = True
        turned: list[Seat] = []
        for seat in order:
            failure = _take_turn(seat, clock, sleep, alone=len(live) == 1)
            if failure is None:
                turned.append(seat)
                yield Stepped(seat)
            else:
                live.remove(seat)
                yield Lost(seat, failure)
        for seat in turned:
            seat.set_partner(baseline if baseline in turned and seat is not baseline else None)
        for event in _leavers(live, baseline, settings, out_of_time=clock() >= deadline):
            live.remove(event.seat)
            yield event


def _take_turn(seat: Seat, clock: Callable[[], float], sleep: Callable[[float], None], *, alone: bool) -> Failed | None:
    plan = plan_turn(seat.expected_step_s, alone=alone)
    if plan.pause_s:
        sleep(plan.pause_s)
    try:
        seat.take_turn(plan, clock)
    except Failed as failure:
        return failure
    return None


def _leavers(live: Sequence[Seat], baseline: Seat | None, settings: Settings, *, out_of_time: bool) -> Iterator[Left]:
    """Yield the seats that leave after a round. The baseline leaves last: the others may need it."""
    remaining = len(live)
    for seat in sorted(live, key=lambda seat: seat is baseline):
        if seat is baseline and remaining > 1:
            continue
        stop = seat.stop(settings, out_of_time=out_of_time)
        if stop is None and seat is baseline and not seat.recorded:
            stop = "target"  # it was there for the others
        if stop is not None:
            remaining -= 1
            yield Left(seat, stop)
