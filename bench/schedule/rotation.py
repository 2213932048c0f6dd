"""The rotation: the workers of a replicate live at the same time and are stepped in short turns.

Drift of the machine then affects all workers alike, so that ratios between them are precise even where absolute times
are not. The threads of the previous worker still spin during a worker's first steps, so every turn begins with dropped
steps or, where a step is long, with a pause in which those threads fall asleep. The order of a round is shuffled, and
every second round reverses the order of the previous round, so that both workers of every pair come first equally
often.

A round is short against the drift: a worker sits out some rounds, not the same rounds as others of its length. It is
visited in proportion to 1 / sqrt(its turn's length), the allocation that gives a sum of variances its least value at a
given total time (Neyman 1934), and a baseline in proportion to the square root of the number of cases that are compared
with it, the allocation for a control (Dunnett 1955).
"""

import dataclasses
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from bench.process.protocol import Failed
from bench.schedule.seat import Seat
from results.schema.lines.record import Stop
from results.schema.lines.run import Settings

QUANTUM_S: Final = 0.04
"""Length of a turn up to which workers are visited equally often."""


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


RotationEvent = Stepped | Left | Lost


class Rotation:
    """Steps seats in turn until every seat has left, but for those that stay for the next part."""

    def __init__(
        self,
        seats: Sequence[Seat],
        settings: Settings,
        *,
        staying: Collection[Seat] = (),
        deadline: float = float("inf"),
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        shuffler: random.Random | None = None,
    ) -> None:
        """Prepare a rotation.

        Args:
            seats: live, prepared workers.
            settings: target of a seat, and its budget: the seats share the sum of their budgets.
            staying: seats that remain live when the others have left; they do not leave.
            deadline: reading of `clock` at which all seats leave.
            clock: returns seconds.
            sleep: pauses for some seconds.
            shuffler: random numbers for the order of rounds.
        """
        self._live = list(seats)
        self._settings = settings
        self._staying = frozenset(staying)
        self._deadline = deadline
        self._clock = clock
        self._sleep = sleep
        self._shuffler = shuffler or random.Random(0)  # noqa: S311 - an order, not a secret
        self._order: list[Seat] = []
        self._forward = True
        self._left_s = settings.budget_s * len(seats)
        self._spent_s = dict.fromkeys(seats, 0.0)
        self._visits = {seat: index / len(seats) for index, seat in enumerate(seats)}
        compared = Counter(seat.case.baseline for seat in seats)
        self._weights = {seat: math.sqrt(max(1, compared[seat.case] - 1)) for seat in seats}

    def events(self) -> Iterator[RotationEvent]:
        """Step the seats, and yield their events between turns."""
        while any(seat not in self._staying for seat in self._live):
            most = max(map(self._share, self._live))
            for seat in self._round():
                self._visits[seat] += self._share(seat) / most
                if self._visits[seat] >= 1:
                    self._visits[seat] -= 1
                    yield self._step(seat)
            yield from self._leavers()

    def _share(self, seat: Seat) -> float:
        """Return the number of visits of a seat, up to a factor that all seats share."""
        return self._weights[seat] / math.sqrt(max(QUANTUM_S, seat.cost_s))

    def _round(self) -> list[Seat]:
        """Return the live seats in the order of the next round."""
        if self._forward or set(self._order) != set(self._live):
            self._order = self._shuffler.sample(self._live, len(self._live))
            self._forward = False
        else:
            self._order.reverse()
            self._forward = True
        return list(self._order)

    def _step(self, seat: Seat) -> RotationEvent:
        try:
            took_s = seat.take_turn(seat.plan(alone=len(self._live) == 1), self._clock, self._sleep)
        except Failed as failure:
            self._remove(seat)
            return Lost(seat, failure)
        self._spent_s[seat] += took_s
        self._left_s -= took_s
        return Stepped(seat)

    def _leavers(self) -> Iterator[Left]:
        """Yield the seats that leave after a round."""
        out_of_time, out_of_budget = self._clock() >= self._deadline, self._left_s <= 0
        for seat in [seat for seat in self._live if seat not in self._staying]:
            stop = seat.stop(self._settings, out_of_time=out_of_time, out_of_budget=out_of_budget)
            if stop is not None:
                self._remove(seat)
                yield Left(seat, stop)

    def _remove(self, seat: Seat) -> None:
        """Remove a seat from the rotation, and the rest of its budget from the budget of all."""
        self._live.remove(seat)
        self._left_s -= max(0.0, self._settings.budget_s - self._spent_s[seat])
