"""Pairs of fresh processes, one of each arm, alive at the same time and stepped in turn, until a look at them tells."""

import dataclasses
import pathlib
import random
import time
from collections.abc import Callable

from msgspec import structs

from bench.process.client import LiveCase
from bench.process.forkserver import SERVE, ForkServer
from bench.schedule.progress import Listener, Phase, Progress
from bench.schedule.rotation import Failed, Hooks, Seat, rotate
from results.analysis.ab import ratio
from results.schema.case import Case
from results.schema.record import Record, Samples, Stop
from results.schema.run import ArmName, Settings
from results.statistics.looks import LOOKS, Judged, judge


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side, ready to be measured."""

    name: ArmName
    server: ForkServer
    case: Case
    cache: pathlib.Path
    """Of its compiler's artefacts: the first pair compiles, the later ones find what it left."""
    target: str = SERVE


class Pairs:
    """The pairs of two arms, one after the other, until a look at them tells."""

    def __init__(
        self,
        a: Arm,
        b: Arm,
        *,
        margin: float,
        settings: Settings,
        recorded: Callable[[Record, Record], None],
        listener: Listener | None = None,
    ) -> None:
        """Say what to measure; `recorded` is called with both records of each pair."""
        self._arms = (a, b)
        self._margin = margin
        self._settings = settings
        self._recorded = recorded
        self._listener = listener
        self._began = time.perf_counter()

    def measure(self) -> Judged:
        """Add pairs until a look at them tells, the looks or the time are over, or a pair comes to nothing."""
        ratios: list[float] = []
        for index in range(max(LOOKS)):
            records = self._pair(index)
            self._recorded(*records)
            found = ratio(*records)
            if found is None:
                break  # it failed, and the next would too
            ratios.append(found)
            late = self._late()
            if index + 1 in LOOKS or late:
                judged = judge(ratios, self._margin)
                if self._listener:
                    self._listener.noted(told(judged))
                if late or judged.verdict != "inconclusive":
                    break
        return judge(ratios, self._margin)

    def _late(self) -> bool:
        limit = self._settings.time_limit_s
        return limit is not None and time.perf_counter() - self._began >= limit

    def _pair(self, index: int) -> tuple[Record, Record]:
        """Measure one pair of fresh processes and return their records."""
        lives: list[LiveCase] = []
        records: dict[ArmName, Record] = {}
        try:
            seats: dict[Seat, tuple[Arm, LiveCase]] = {}
            for arm in self._arms if index % 2 == 0 else reversed(self._arms):  # neither is always the first
                self._progressed("preparing", arm.case, index)
                live = LiveCase(arm.server, arm.case, index, self._settings, arm.target)
                lives.append(live)
                try:
                    live.prepare(str(arm.cache), warm=index > 0)
                except Failed as failure:
                    records[arm.name] = live.fail(failure)
                else:
                    seats[Seat(arm.case, live)] = (arm, live)
            self._rotate(seats, records, index)
        finally:
            for live in lives:
                live.close()
        return records["a"], records["b"]

    def _rotate(self, seats: dict[Seat, tuple[Arm, LiveCase]], records: dict[ArmName, Record], index: int) -> None:
        def left(seat: Seat, stop: Stop) -> None:
            arm, live = seats[seat]
            samples = _as_arm(live.samples(seat))
            try:
                records[arm.name] = live.end(samples, stop)
            except Failed as failure:
                records[arm.name] = live.fail(failure, samples)

        def failed(seat: Seat, failure: Failed) -> None:
            arm, live = seats[seat]
            records[arm.name] = live.fail(failure, _as_arm(live.samples(seat)) if seat.steps else None)

        reference = next((seat for seat, (arm, _) in seats.items() if arm.name == "a"), None)
        rotate(
            tuple(seats),
            reference,
            self._settings,
            Hooks(left=left, failed=failed, turned=lambda seat: self._progressed("measuring", seat.case, index)),
            shuffler=random.Random(index),  # noqa: S311 - an order, not a secret
        )

    def _progressed(self, phase: Phase, case: Case, index: int) -> None:
        if self._listener:
            total = next(look for look in LOOKS if index < look)
            elapsed = time.perf_counter() - self._began
            left = elapsed / index * (total - index) if index else None
            self._listener.progress(Progress(phase=phase, case=case.key, done=index, total=total, seconds_left=left))


def _as_arm(samples: Samples) -> Samples:
    """Put what stood beside this arm where it belongs: the other arm is no baseline."""
    return structs.replace(samples, arm_s=samples.baseline_s, baseline_s=())


def told(judged: Judged) -> str:
    """Return a look in one line."""
    if judged.ratio is None or judged.low is None or judged.high is None:
        return f"{judged.pairs} pairs: {judged.reason}"
    span = f"{judged.low:.4f} to {judged.high:.4f}"
    return f"{judged.pairs} pairs: b / a = {judged.ratio:.4f} ({span}): {judged.verdict}"
