"""A seat in the rotation: a live worker, the shape of its next turn, and its series so far."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import structs

from bench.machine.device_names import is_cpu
from bench.process.messages import Turn
from results.schema.case import Case
from results.schema.lines.record import Samples, Stop
from results.schema.lines.run import Settings
from results.statistics import intervals as stats
from results.statistics.steady import Steady, steady

SPIN_S: Final = 0.005
"""Idle OpenMP threads spin for about this time before they sleep (libgomp, measured)."""
LONG_STEP_S: Final = 0.1
"""Length of a step from which, on the CPU, a dropped step costs more than the pause that replaces it; and on an
accelerator a second timed step more than what it tells."""
LEAD_S: Final = 0.005
"""Seconds of dropped steps on an accelerator, at least a step: the host gets ahead of the device, whose caches fill."""
TURN_S: Final = 0.02
"""Seconds of timed work in a turn, so that the cost of switching workers is small."""
SUSTAINED_TURN_S: Final = 1.0
"""Seconds of a turn in sustained use: the device is idle between turns for some milliseconds."""
TURNS_TO_STOP: Final = 12
"""Steady turns before a worker may count as precise enough. With 5 turns, 95 % intervals covered the truth in 91 % of
simulations (correlation of 0.3 between turns); with 12, in 95 %."""
MIN_STEPS: Final = 3
"""Least steps of every worker, even where its budget is too small for them."""
PATIENCE: Final = 4
"""The most multiples of its budget that a worker may spend on its least steps."""


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


def plan_turn(step_s: float | None, *, alone: bool, accelerator: bool = False) -> TurnPlan:
    """Choose the shape of a turn by the length of a step, None for an unknown length."""
    if accelerator:
        return _plan_queued_turn(step_s)
    if step_s is None:
        return TurnPlan(pause_s=0, drop=0, steps=1)
    steps = max(1, round(TURN_S / step_s))
    if alone:
        return TurnPlan(pause_s=0, drop=0, steps=steps)
    if step_s >= LONG_STEP_S:
        return TurnPlan(pause_s=2 * SPIN_S, drop=0, steps=steps)
    return TurnPlan(pause_s=0, drop=max(1, round(SPIN_S / step_s)), steps=steps)


def _plan_queued_turn(step_s: float | None) -> TurnPlan:
    """Return the shape of a turn on an accelerator, alone or not.

    The steps follow a dropped step on the queue, else the first of them begins with a launch on an idle queue. There
    are two or more, as the end of a step may overlap with the next step.
    """
    if step_s is None:
        return TurnPlan(pause_s=0, drop=1, steps=1)
    steps = max(2 if step_s < LONG_STEP_S else 1, round(TURN_S / step_s))
    return TurnPlan(pause_s=0, drop=max(1, round(LEAD_S / step_s)), steps=steps)


class Seat:
    """A worker in the rotation, and its series so far."""

    def __init__(self, case: Case, stepper: Stepper, *, epoch: float = 0.0) -> None:
        """Seat a worker; `epoch` is the reading of the rotation's clock at which the run began."""
        self.case = case
        self.stepper = stepper
        self.spent_s = 0.0
        self.part = 0
        """The part of the replicate that is measured now."""
        self.medians: list[float] = []
        """The median step of every turn."""
        self._epoch = epoch
        self._phase_s: list[tuple[float, ...]] = []
        self._turn: list[int] = []
        self._wall_s: list[float] = []
        self._queued: list[float] = []
        self._at_s: list[float] = []
        self._part: list[int] = []
        self._next_look = MIN_STEPS
        self._steady = Steady(start=0, steady=False)
        self._looked_at = -1

    @property
    def steps(self) -> int:
        """Steps recorded so far, warm-up included."""
        return len(self._phase_s)

    def plan(self, *, alone: bool) -> TurnPlan:
        """Return the shape of the next turn."""
        return plan_turn(self._step_s, alone=alone, accelerator=not is_cpu(self.case.device))

    @property
    def cost_s(self) -> float:
        """Seconds of the next turn beside others, 0 where the length of a step is unknown."""
        plan = self.plan(alone=False)
        return 0.0 if self._step_s is None else plan.pause_s + (plan.drop + plan.steps) * self._step_s

    @property
    def _step_s(self) -> float | None:
        return self.medians[-1] if self.medians else None

    def take_turn(
        self,
        plan: TurnPlan,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> float:
        """Run a turn and return its seconds, pause included. Raises `Failed`."""
        began = clock()
        if plan.pause_s:
            sleep(plan.pause_s)
        turn = self.stepper.turn(steps=plan.steps, drop=plan.drop)
        ended = clock()
        self.spent_s += ended - began
        self._phase_s += turn.phase_s
        self._turn += [len(self.medians)] * len(turn.phase_s)
        self._wall_s.append(turn.wall_s)
        self._queued += () if turn.queued is None else (turn.queued,)
        self._at_s.append(max(0.0, ended - turn.wall_s * plan.steps / 2 - self._epoch))
        self._part.append(self.part)
        self.medians.append(statistics.median(turn.step_s))
        return ended - began

    def sustain(
        self,
        seconds: float,
        clock: Callable[[], float] = time.perf_counter,
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[float, int]:
        """Step for so many seconds without a pause, and call `tick` after each turn; the series stays.

        Returns:
            The mean step, and the number of all steps. Raises `Failed`.
        """
        steps = max(1, round(SUSTAINED_TURN_S / (self._step_s or SUSTAINED_TURN_S)))
        means, ends_s = list[float](), clock() + seconds
        while not means or clock() < ends_s:
            means.append(statistics.fmean(self.stepper.turn(steps=steps, drop=1).step_s))
            tick()
        return statistics.fmean(means), len(means) * (steps + 1)

    def enough(self, settings: Settings) -> bool:
        """Return whether the worker has its least steps, or has spent too much on them."""
        return self.steps >= MIN_STEPS or self.spent_s > PATIENCE * settings.budget_s

    def stop(self, settings: Settings, *, out_of_time: bool, out_of_budget: bool) -> Stop | None:
        """Return the reason for leaving the rotation now, None for staying."""
        turns = len(self.medians)
        if self.enough(settings) and (out_of_time or out_of_budget):
            return "time-limit" if out_of_time else "budget"
        if turns < self._next_look:
            return None
        self._next_look = turns + max(1, turns // 8)  # looking costs time that grows with the series
        return "target" if self._precise(settings.target) else None

    def _precise(self, target: float) -> bool:
        steady = self._look()
        steady_s = self.medians[self._turn[steady.start] if steady.start < self.steps else len(self.medians) :]
        if not steady.steady or len(steady_s) < TURNS_TO_STOP:
            return False
        interval = stats.median_interval(steady_s)
        return interval is not None and interval.relative <= target

    def _look(self) -> Steady:
        if self._looked_at != self.steps:
            self._looked_at = self.steps
            # A worker warms up in its first part: a drift over later parts must not cost it the turns that link them.
            turns = self._part.count(self._part[0]) if self._part else 0
            steps = [sum(phases) for phases, turn in zip(self._phase_s, self._turn, strict=True) if turn < turns]
            self._steady = steady(steps)
        return self._steady

    def samples(self, phases: Sequence[str]) -> Samples:
        """Return the whole series; `phases` names the parts of a step, whose fields `WorkerClient` has checked."""
        steady = self._look()
        samples = Samples(
            step_s=tuple(sum(parts) for parts in self._phase_s),
            turn=tuple(self._turn),
            wall_s=tuple(self._wall_s),
            queued=tuple(self._queued),
            at_s=tuple(self._at_s),
            part=tuple(self._part),
            warmup=steady.start,
            steady=steady.steady,
            slowing=steady.slowing,
        )
        if not phases:
            return samples
        columns = zip(phases, zip(*self._phase_s, strict=True), strict=True)
        return structs.replace(samples, **{f"{phase}_s": column for phase, column in columns})
