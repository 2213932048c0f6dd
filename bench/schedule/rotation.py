"""The scheduler: workers of a group live at the same time and are stepped in short turns.

Drift of the machine then hits all of them alike, so that ratios between them are tight even where absolute times are
not. Who comes second in a round would meet the other's threads still spinning, so each turn begins with steps that
are dropped (or, where a step is long, with a pause that lets them fall asleep). The order of each round is shuffled,
and every second round runs the last one backwards, so that each worker precedes each other equally often.
"""

import dataclasses
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from bench.measure.timing import Turn
from results.schema.case import Case
from results.schema.record import Samples, Status, Stop
from results.schema.run import Settings
from results.statistics import intervals as stats
from results.statistics.steady import Steady, steady

SPIN_S: Final = 0.005
"""Idle OpenMP threads spin about this long before they sleep (libgomp, measured)."""
LONG_STEP_S: Final = 0.1
"""From here on a dropped step costs more than the pause that replaces it."""
TURN_S: Final = 0.02
"""A turn keeps about this much work, so that the cost of changing workers stays small."""
MIN_TURNS: Final = 12
"""Steady turns before a worker may count as precise enough. Looking from 5 turns on, it would leave at the first
lucky spread: simulated at a correlation of 0.3 between turns, 91 % of such 95 % intervals hold the truth, and 95 % of
those from 12 turns on."""
MIN_STEPS: Final = 3
"""Steps that a worker is given even where its budget is too small for them."""
PATIENCE: Final = 4
"""How many times its budget a worker may spend to get those steps."""


class Failed(Exception):  # noqa: N818 - an outcome that is recorded
    """A worker's turn came to nothing."""

    def __init__(self, status: Status, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause


class Stepper(Protocol):
    """A live worker, as the rotation sees it."""

    def turn(self, *, steps: int, drop: int) -> Turn:
        """Run a turn, or raise `Failed`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    """The shape of one turn."""

    pause_s: float
    drop: int
    steps: int


def plan_turn(step_s: float | None, *, alone: bool) -> TurnPlan:
    """Choose a turn's shape by the length of a step; None is a worker whose steps are not known yet."""
    if step_s is None:
        return TurnPlan(pause_s=0, drop=0, steps=1)
    steps = max(1, round(TURN_S / step_s))
    if alone:
        return TurnPlan(pause_s=0, drop=0, steps=steps)
    if step_s >= LONG_STEP_S:
        return TurnPlan(pause_s=2 * SPIN_S, drop=0, steps=steps)
    return TurnPlan(pause_s=0, drop=max(1, round(SPIN_S / step_s)), steps=steps)


class Seat:
    """One worker's place in the rotation, and the series it has given so far."""

    def __init__(self, case: Case, stepper: Stepper, *, recorded: bool = True) -> None:
        """Take a seat; `recorded` is False for a baseline that is only there to be compared with."""
        self.case = case
        self.stepper = stepper
        self.recorded = recorded
        self.spent_s = 0.0
        self._phase_s: list[tuple[float, ...]] = []
        self._turn: list[int] = []
        self._wall_s: list[float] = []
        self.medians: list[float] = []
        """The median step of each turn."""
        self._beside: list[tuple[Seat, int] | None] = []
        self._next_look = MIN_STEPS
        self._steady = Steady(start=0, steady=False)
        self._looked_at = -1

    @property
    def steps(self) -> int:
        """Steps kept so far, warm-up included."""
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

    def set_beside(self, baseline: "Seat | None") -> None:
        """Note that the latest turn was in the same round as the latest turn of `baseline`, or of none."""
        self._beside.append(None if baseline is None else (baseline, len(baseline.medians) - 1))

    def stop(self, settings: Settings, *, out_of_time: bool) -> Stop | None:
        """Say whether, and why, it is time to leave."""
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
        kept = self.medians[start:]
        if not steady.steady or len(kept) < MIN_TURNS:
            return False
        intervals = [stats.median_interval(kept)]
        pairs = [base / own for base, own in zip(self._baseline_s()[start:], kept, strict=False) if base is not None]
        if len(pairs) >= MIN_TURNS:
            intervals.append(stats.median_interval(pairs))
        return all(interval is not None and interval.relative <= target for interval in intervals)

    def _look(self) -> Steady:
        if self._looked_at != self.steps:
            self._looked_at = self.steps
            self._steady = steady([sum(phases) for phases in self._phase_s])
        return self._steady

    def first_steady_turn(self) -> int:
        """Return the index of the turn with which warm-up ended, as far as it can be told by now."""
        start = self._look().start
        return self._turn[start] if start < self.steps else len(self.medians)

    def _baseline_s(self) -> list[float | None]:
        """Return the baseline's step for each turn; None where there was none, or it was still warming up itself."""
        return [
            baseline.medians[turn] if turn >= baseline.first_steady_turn() else None
            for baseline, turn in (pair or (self, -1) for pair in self._beside)  # no turn is before the first
        ]

    def samples(self, phases: Sequence[str]) -> Samples:
        """Return the whole series; `phases` names the parts of a step."""
        steady = self._look()
        columns = dict(zip(phases, zip(*self._phase_s, strict=True), strict=True)) if phases else {}
        baseline_s = self._baseline_s()
        paired = any(value is not None for value in baseline_s)
        return Samples(
            step_s=tuple(sum(parts) for parts in self._phase_s),
            turn=tuple(self._turn),
            wall_s=tuple(self._wall_s),
            baseline_s=tuple(baseline_s) if paired else (),
            forward_s=columns.get("forward", ()),
            backward_s=columns.get("backward", ()),
            optimizer_s=columns.get("optimizer", ()),
            warmup=steady.start,
            steady=steady.steady,
            slowing=steady.slowing,
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the rotation calls, between turns."""

    left: Callable[[Seat, Stop], None]
    """A seat left with its series."""
    failed: Callable[[Seat, Failed], None]
    """A seat's worker came to nothing."""
    turned: Callable[[Seat], None]
    """A turn has ended."""


def rotate(
    seats: Sequence[Seat],
    baseline: Seat | None,
    settings: Settings,
    hooks: Hooks,
    *,
    deadline: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    shuffler: random.Random | None = None,
) -> None:
    """Step all seats in turn until each has left. `baseline`, if given, is one of them and leaves last.

    Args:
        seats: live, prepared workers.
        baseline: the seat that the others are compared with, round by round.
        settings: target, budget.
        hooks: what to do with those that leave.
        deadline: reading of `clock` at which everyone leaves.
        clock: seconds.
        sleep: how to pause.
        shuffler: source of the order.
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
            plan = plan_turn(seat.expected_step_s, alone=len(live) == 1)
            if plan.pause_s:
                sleep(plan.pause_s)
            try:
                seat.take_turn(plan, clock)
            except Failed as failure:
                live.remove(seat)
                hooks.failed(seat, failure)
                continue
            turned.append(seat)
            hooks.turned(seat)
        for seat in turned:
            seat.set_beside(baseline if baseline in turned and seat is not baseline else None)
        _let_go(live, baseline, settings, hooks, out_of_time=clock() >= deadline)


def _let_go(live: list[Seat], baseline: Seat | None, settings: Settings, hooks: Hooks, *, out_of_time: bool) -> None:
    for seat in sorted(live, key=lambda seat: seat is baseline):  # the baseline last: the others may need it
        if seat is baseline and len(live) > 1:
            continue
        stop = seat.stop(settings, out_of_time=out_of_time)
        if stop is None and seat is baseline and not seat.recorded:
            stop = "target"  # it was there for the others
        if stop is not None:
            live.remove(seat)
            hooks.left(seat, stop)
