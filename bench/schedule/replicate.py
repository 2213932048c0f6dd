"""Measure a replicate: a fresh worker of every case, all alive together; every case ends as a `Record`.

Where a replicate has cases of several devices, each device has workers of its own. The devices follow one another, or
are measured at once, each in a thread, as the settings say.

A replicate that memory does not hold is measured in parts. Two or more anchors, the workers of small cases, live
through all parts, so that every case shares rounds with them. A failure of a worker affects its own record only.
"""

import random
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from typing import Final, TypeVar

from bench.process.caches import Caches
from bench.process.client import CheckLater, WorkerClient
from bench.process.forkserver import ForkServer
from bench.process.protocol import Failed
from bench.process.sustained import no_sustained_use
from bench.process.threads import merged
from bench.schedule.plan import Todo
from bench.schedule.progress import Activity
from bench.schedule.room import Room, prepare_worker
from bench.schedule.rotation import Left, Lost, Rotation, Stepped
from bench.schedule.seat import Seat
from bench.schedule.sustain import sustain
from results.schema.case import Case
from results.schema.lines.record import Record, Stop
from results.schema.lines.run import Settings

ANCHORS: Final = 2
"""Workers that live through all parts of a replicate."""

_TOO_LARGE: Final = "measured alone: it did not fit into memory together with others"
_REFUSED: Final = "measured alone: its device admitted no second process"

_Result = TypeVar("_Result")
Steps = Generator[Activity | Record, None, _Result]
"""Yields records and the events between them, and returns a `_Result`."""


class ReplicateRun:
    """Measures a replicate once."""

    def __init__(
        self,
        server: ForkServer,
        todo: Todo,
        *,
        settings: Settings,
        caches: Caches,
        room: Room,
        epoch: float,
        deadline: float = float("inf"),
    ) -> None:
        """Prepare to measure `todo`.

        Args:
            server: the server that forks the workers.
            todo: the cases to measure.
            settings: target, budget and time-out of a worker, and whether devices are measured at once.
            caches: folders that the replicates of a run share.
            room: what is known about the memory of workers; it learns more.
            epoch: reading of `time.perf_counter` at which the run began.
            deadline: reading of `time.perf_counter` after which no further worker starts.
        """
        works = todo.by_device()
        self._at_once = settings.cards == "at-once" and len(works) > 1
        self._devices = [
            DeviceReplicate(
                server, work, settings=settings, caches=caches, room=room, epoch=epoch, deadline=deadline,
                neighbours=self._at_once,
            )
            for work in works
        ]  # fmt: skip

    def measure(self) -> Steps[None]:
        """Measure every case, device after device or all devices at once."""
        try:
            if self._at_once:
                yield from merged([device.measure() for device in self._devices], stop=self._kill)
            for device in self._devices:
                if not self._at_once:
                    yield from device.measure()
                yield from device.measure_crowded()
        finally:
            for device in self._devices:
                device.close()

    def _kill(self) -> None:
        for device in self._devices:
            device.kill()


class DeviceReplicate:
    """Measures the cases of a replicate that belong to a device, as `ReplicateRun` does."""

    def __init__(
        self,
        server: ForkServer,
        todo: Todo,
        *,
        settings: Settings,
        caches: Caches,
        room: Room,
        epoch: float,
        deadline: float,
        neighbours: bool,
    ) -> None:
        """Prepare to measure; `neighbours` says whether workers of other devices live at the same time."""
        self._server = server
        self._replicate = todo.replicate
        self._sustains = todo.sustains
        self._settings = settings
        self._caches = caches
        self._room = room
        self._epoch = epoch
        self._deadline = deadline
        self._neighbours = neighbours
        self._part = todo.first_part
        # Seeded by plan and replicate: orders must differ between replicates, over which results are averaged.
        self._shuffler = random.Random(f"{todo.cases[0].key} {todo.replicate}")  # noqa: S311 - no secret
        self._waiting = list(dict.fromkeys((*todo.anchors, *todo.cases)))
        self._alone: dict[Case, str] = {}
        """Cases that failed beside others and are tried again alone, with the note of their records."""
        self._live: dict[Seat, WorkerClient] = {}
        self._staying: list[Seat] = []
        self._unchecked: list[tuple[Seat, Stop]] = []
        """Workers that have left the rotation, and whose results need the memory of others to be checked."""

    def measure(self) -> Steps[None]:
        """Measure the cases, in as many parts as memory requires."""
        while self._waiting and not self._late():
            yield from self._start()
            yield from self._rotate(self._anchors() if self._waiting else ())
        yield from self._rotate(())  # anchors, if the next part was to begin too late

    def measure_crowded(self) -> Steps[None]:
        """Measure the cases again, alone, that failed where other workers may have been the reason."""
        self._neighbours = False
        for case, note in self._alone.items():
            if not self._late():
                yield from self._measure_alone(case, note)

    def close(self) -> None:
        """End all workers."""
        for live in self._live.values():
            live.close()

    def kill(self) -> None:
        """Kill the workers of this moment; any thread may call it while another thread measures."""
        for live in list(self._live.values()):
            live.kill()

    def _late(self) -> bool:
        return time.perf_counter() >= self._deadline

    def _start(self) -> Steps[None]:
        """Start the waiting workers that memory holds beside the live workers, at least a worker."""
        yield from self._measure_memory()
        started = False
        while self._waiting and not self._late():
            case = self._waiting[0]
            if not self._room.admit(case, live=len(self._live), compiles=self._caches.cold(case)):
                if started:
                    return
                yield from self._make_room()
                continue
            seat = yield from self._seat(self._waiting.pop(0))
            started = started or seat is not None

    def _make_room(self) -> Steps[None]:
        """End the largest anchor, as the next case does not fit beside it."""
        largest = max(self._live, key=lambda seat: self._room.bytes_of(seat.case))
        if largest.enough(self._settings):
            if self._sustains:
                self._live[largest].leave()
                yield from self._sustain(largest)
            yield from self._left(largest, "budget", again=False)
        else:
            yield from self._rotate([seat for seat in self._live if seat is not largest])
        yield from self._measure_memory()

    def _measure_memory(self) -> Steps[None]:
        """Learn again what the live workers take, and what is free: other workers have ended since."""
        for seat, live in list(self._live.items()):
            try:
                self._room.learn(seat.case, live.footprint())
            except Failed as failure:
                yield from self._lost(seat, failure)

    def _anchors(self) -> list[Seat]:
        """Return the live seats that stay for the next part: earlier anchors, then the smallest, but never all."""
        ranked = sorted(self._live, key=lambda seat: (seat not in self._staying, self._room.bytes_of(seat.case)))
        self._staying = ranked[: min(ANCHORS, len(ranked) - 1)]
        return self._staying

    def _seat(self, case: Case) -> Steps[Seat | None]:
        """Prepare a fresh worker and seat it; yield its record instead, and return None, where it fails."""
        yield Activity(phase="preparing", case=case)
        live = WorkerClient(self._server, case, self._replicate, self._settings)
        seat = Seat(case, live, epoch=self._epoch)
        self._live[seat] = live
        try:
            prepare_worker(live, self._caches, self._room)
            if live.restriction is not None:
                self._room.restrict(case.device)
                live.notes.append(f"measured alone: the compute mode of its GPU is {live.restriction}")
        except Failed as failure:
            yield from self._lost(seat, failure)
            return None
        return seat

    def _measure_alone(self, case: Case, note: str) -> Steps[None]:
        seat = yield from self._seat(case)
        if seat is not None:
            self._live[seat].notes.append(note)
            yield from self._rotate(())

    def _rotate(self, staying: Collection[Seat]) -> Steps[None]:
        """Measure a part of the replicate; the seats that are `staying` remain live."""
        seats: Sequence[Seat] = tuple(self._live)
        resting: list[tuple[Seat, Stop]] = []
        for seat in seats:
            seat.part = self._part
        rotation = Rotation(seats, self._settings, staying=staying, deadline=self._deadline, shuffler=self._shuffler)
        for event in rotation.events():
            match event:
                case Stepped(seat):
                    yield Activity(phase="measuring", case=seat.case, steps=seat.steps)
                case Left(seat, stop) if self._sustains:
                    self._live[seat].leave()
                    resting.append((seat, stop))  # not before the rotation has ended: it heats the card for all
                case Left(seat, stop):
                    yield from self._left(seat, stop)
                case Lost(seat, failure):
                    yield from self._lost(seat, failure)
        self._part += 1
        for seat, stop in resting:
            yield from self._sustain(seat)
            yield from self._left(seat, stop)
        while self._unchecked:
            yield from self._left(*self._unchecked.pop(0), again=False)

    def _sustain(self, seat: Seat) -> Steps[None]:
        """Let a worker step alone, first to warm the card up; the others of the card are live and idle."""
        yield Activity(phase="measuring", case=seat.case, steps=seat.steps)
        live = self._live[seat]
        if self._late():
            live.sustained = no_sustained_use("the time for the run was over")
            return
        try:
            live.sustained = sustain(seat, live, self._settings.sustained_s or 0.0, clock=time.perf_counter)
        except Failed as failure:
            live.sustained = no_sustained_use(failure.cause)

    def _left(self, seat: Seat, stop: Stop, *, again: bool = True) -> Iterator[Record]:
        """End a worker; where memory is short, and it may be ended `again`, it waits for the end of the others."""
        live = self._live[seat]
        samples = seat.samples(live.phases)
        try:
            record = live.end(samples, stop, again=again and len(self._live) > 1)
        except CheckLater:
            self._unchecked.append((seat, stop))
            return
        except Failed as failure:
            record = live.fail(failure, samples)
        live.close()
        del self._live[seat]
        self._forget(seat.case)
        yield record

    def _lost(self, seat: Seat, failure: Failed) -> Iterator[Record]:
        crowded = self._neighbours or len(self._live) > 1
        live = self._live.pop(seat)
        if crowded and (failure.device_busy or failure.crowded):
            live.close()
            # The other workers may have been the reason.
            self._alone[seat.case] = _REFUSED if failure.device_busy else _TOO_LARGE
            return
        record = live.fail(failure, seat.samples(live.phases) if seat.steps else None)
        self._forget(seat.case)
        yield record

    def _forget(self, case: Case) -> None:
        """Delete the right results of the case's baseline where no other case needs them."""
        others = (*(seat.case for seat in self._live), *self._waiting, *self._alone)
        if all(other.baseline != case.baseline for other in others):
            self._caches.forget_references(case)
