"""The agenda of a run: what is left to measure, and the time for it."""

import dataclasses
import datetime
import statistics
import time
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from msgspec import structs

from bench.schedule.plan import Todo, compiling_s, estimate_s, queues, share_of_limit, sustained_s, worker_s
from bench.schedule.progress import Activity, Progress
from bench.schedule.replicate import ANCHORS
from bench.schedule.room import Room
from results.schema.case import Case
from results.schema.labels import TASKS
from results.schema.lines.record import Record
from results.schema.lines.run import RunHeader, Settings
from results.schema.lines.static import Static, StaticKey, static_key
from results.schema.types import known
from results.storage.reader import RunFile

LEAST_BUDGET_S: Final = 0.3
"""Least budget of a worker, even where little time is left."""
LEAST_REPLICATES: Final = 3
"""Replicates that an interval needs to be of use: with 2, Student's t is 12.7."""


class Allotment(NamedTuple):
    """The work that the time of a run holds."""

    replicates: int
    cases: int
    """Cases of the plan, from its start."""
    budget_s: float
    """Budget of a worker."""


def allot(settings: Settings, *, cases: int, begun: int, worker_s: float, left_s: float) -> Allotment:
    """Return the work that `left_s` seconds hold: less sampling first, then fewer replicates, then fewer cases.

    The replicates never become fewer than an interval needs.

    Args:
        settings: the sampling that was asked for.
        cases: cases of a replicate.
        begun: replicates that are measured already.
        worker_s: seconds of a worker beside its sampling.
        left_s: seconds for the rest of the run.
    """
    budget_s = left_s / (cases * (settings.replicates - begun)) - worker_s
    if budget_s >= LEAST_BUDGET_S:
        return Allotment(settings.replicates, cases, min(budget_s, settings.budget_s))
    least_s = min(LEAST_BUDGET_S, settings.budget_s)
    needed = max(0, min(LEAST_REPLICATES, settings.replicates) - begun)
    held = int(left_s // (cases * (worker_s + least_s)))
    if held >= needed or begun:
        return Allotment(min(settings.replicates, begun + max(held, needed)), cases, least_s)
    return Allotment(needed, min(cases, max(1, int(left_s // (needed * (worker_s + least_s))))), least_s)


class Agenda:
    """The remaining work of a run, and its time."""

    def __init__(self, run: RunHeader, before: RunFile | None = None, *, began: float) -> None:
        """Make the agenda of a run.

        Args:
            run: the header of the run.
            before: the file of an interrupted run that is resumed.
            began: reading of `time.perf_counter` at which the time limit begins.
        """
        self.run = run
        self.settings = known(run.settings)
        self.room = Room(self.settings.live)
        self.epoch = began - _age_s(before) if before else began
        """Reading of `time.perf_counter` at which the run began."""
        self._records = {(record.case, record.replicate): record for record in before.records} if before else {}
        self._statics = {static_key(static): static for static in before.statics} if before else {}
        self._uncountable: dict[StaticKey, str] = {}
        self._began = began
        self._cases = run.plan
        self._ended = 0
        """Replicates that were measured since `began`."""
        self._worker_s = statistics.fmean(map(worker_s, run.plan))
        lacking = 1 - len(self._records) / (len(run.plan) * self.settings.replicates)
        self._estimate_s = lacking * estimate_s(run.plan, self.settings)

    @property
    def complete(self) -> bool:
        """Whether no work is left."""
        return len(self._records) == len(self.run.plan) * self.settings.replicates

    def until(self, share: float = 1.0) -> float:
        """Return the reading of `time.perf_counter` at which that share of the run's time limit is over."""
        return share_of_limit(self._began, self.settings, share)

    def next_replicate(self, replicate: int) -> tuple[Todo, Settings] | None:
        """Return the work on a replicate and the sampling of its workers, None where nothing is left or allotted."""
        lacking = [case for case in self._cases if (case, replicate) not in self._records]
        left_s = self.until() - time.perf_counter()
        if not lacking or left_s <= 0:
            return None
        left_s -= min(left_s / 2, sustained_s(lacking, self.settings))
        worker_s = self._worker_s + self._compiling_s(lacking, self.settings.replicates - replicate)
        devices = queues(lacking, self.settings)
        most = max(map(len, devices))
        allotment = allot(self.settings, cases=most, begun=replicate, worker_s=worker_s, left_s=left_s)
        if replicate >= allotment.replicates:
            return None
        chosen = {case for own in devices for case in own[: allotment.cases]}
        self._cases = tuple(case for case in self._cases if case in chosen or (case, replicate) in self._records)
        todo = self._todo(replicate, chosen)
        sustains = self.settings.sustained_s is not None and replicate == allotment.replicates - 1
        todo = dataclasses.replace(todo, sustains=sustains)
        return todo, structs.replace(self.settings, budget_s=allotment.budget_s)

    def replicate_ended(self, todo: Todo, budget_s: float, took_s: float) -> None:
        """Learn from a replicate what a worker takes beside its sampling."""
        self._ended += 1
        if self._ended > 1:  # the first also fills the compilers' caches
            workers = {*todo.anchors, *todo.cases}
            took_s -= sustained_s(workers, self.settings) if todo.sustains else 0.0
            self._worker_s = max(0.0, took_s / max(map(len, queues(workers, self.settings))) - budget_s)

    def _compiling_s(self, cases: Sequence[Case], replicates: int) -> float:
        """Return an estimate of a worker's mean seconds of compiling, as far as no worker has shown it."""
        if self._ended > 1:
            return 0.0
        return sum(compiling_s(case, replicates, warm=self._ended > 0) for case in cases) / (len(cases) * replicates)

    def _todo(self, replicate: int, cases: Collection[Case]) -> Todo:
        """Return the work on `cases`: of each device two small cases first, as possible anchors, then the heaviest."""
        ordered = sorted(cases, key=lambda case: (self._weight(case), case.key))
        devices = dict.fromkeys(case.device for case in self.run.plan if case in cases)
        by_device = [[case for case in ordered if case.device == device] for device in devices]
        before = [record for (_, index), record in self._records.items() if index == replicate]
        usable = sorted((record.case for record in before if record.status == "ok"), key=self._weight)
        parts = [part for record in before if record.samples is not None for part in record.samples.part]
        return Todo(
            replicate=replicate,
            cases=tuple(case for own in by_device for case in (*own[:ANCHORS], *reversed(own[ANCHORS:]))),
            anchors=tuple(
                case for device in devices for case in [case for case in usable if case.device == device][:ANCHORS]
            ),
            first_part=max(parts, default=-1) + 1,
        )

    def _weight(self, case: Case) -> tuple[int, int]:
        """Return the size of a case's worker: its bytes where a worker has run, else its work."""
        static = self._statics.get(static_key(case))
        macs = 0 if static is None else static.macs
        return self.room.bytes_of(case), macs * case.batch_size * (1 + 2 * TASKS[case.task].trains)

    def models_to_count(self) -> list[StaticKey]:
        """Return the models of the plan whose static cost is unknown and can be counted."""
        models = dict.fromkeys(map(static_key, self.run.plan))
        return [model for model in models if model not in self._statics and model not in self._uncountable]

    def count(self, static: Static) -> None:
        """Note the static cost of a model."""
        self._statics[static_key(static)] = static

    def give_up_counting(self, model: StaticKey, reason: str) -> None:
        """Note why a model cannot be counted; its records will state the reason."""
        self._uncountable[model] = f"its static cost could not be counted: {reason}"[:4096]

    def finish(self, record: Record) -> Record:
        """Remove the case of a record from the agenda, and return the record with the notes about its model."""
        note = self._uncountable.get(static_key(record.case))
        record = structs.replace(record, notes=(*record.notes, note)) if note else record
        self._records[record.case, record.replicate] = record
        return record

    def progress(self, activity: Activity) -> Progress:
        """Return the state of the run while a replicate is measured."""
        elapsed_s = time.perf_counter() - self._began
        return Progress(
            phase=activity.phase,
            case=activity.case.key,
            steps=activity.steps,
            done=len(self._records),
            total=len(self.run.plan) * self.settings.replicates,
            seconds_left=max(0.0, self._estimate_s - elapsed_s),
        )


def _age_s(before: RunFile) -> float:
    """Return the seconds since a run began by the clock on the wall, which may be wrong: at least its latest turn."""
    began = datetime.datetime.fromisoformat(known(before.run.started))
    turns = (at_s for record in before.records if record.samples is not None for at_s in record.samples.at_s[-1:])
    return max((datetime.datetime.now(datetime.UTC) - began).total_seconds(), *turns, 0.0)
