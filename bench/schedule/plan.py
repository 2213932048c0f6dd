"""The plan of a run, and its agenda: remaining cases, an estimate of time, and budgets."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Final

from msgspec import structs

from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.schedule.group import Activity, Group, groups
from bench.schedule.progress import Progress
from bench.suites.request import GivenCases
from bench.suites.suite import Suite, expand, kind_of
from results.errors import InputError
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.record import Record
from results.schema.run import Environment, RunHeader, Settings
from results.schema.static import StaticKey, static_key
from results.schema.types import known
from results.storage.reader import RunFile

_WORKER_S: Final = 1.5
"""Start, build and first steps of a worker, for the estimate: a small ResNet on two cores."""
_COMPILE_S: Final = 30.0
"""A compilation, likewise."""
_LEAST_BUDGET_S: Final = 0.3
"""Least budget of a worker, even where little time is left."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan of a run."""

    suite: str
    cases: tuple[Case, ...]
    settings: Settings
    environment: Environment

    @property
    def estimate_s(self) -> float:
        """Rough estimate of the run's seconds."""
        return estimate_s(self.cases, self.settings)


def estimate_s(cases: Sequence[Case], settings: Settings) -> float:
    """Return a rough estimate of the seconds that a run of `cases` takes."""
    total = settings.replicates * sum(
        _WORKER_S + settings.budget_s + _COMPILE_S * RUNTIMES[case.runtime].compiles for case in cases
    )
    return min(total, settings.time_limit_s or total)


def make_plan(server: ForkServer, request: Suite | GivenCases, device: str) -> Plan:
    """Return the plan of `request` on this machine; a worker of `server` describes the machine.

    Raises:
        InputError: the device does not exist, or contradicts the request.
    """
    if isinstance(request, GivenCases):
        return _plan_of_cases(server, request, device)
    (full_name,), environment = ask.environment(server, {device})
    cases = expand(request, device=full_name, threads=known(environment.torch_threads))
    settings = request.settings[kind_of(full_name)]
    return Plan(suite=request.name, cases=cases, settings=settings, environment=environment)


def _plan_of_cases(server: ForkServer, request: GivenCases, device: str) -> Plan:
    """Complete given cases as a suite does: full names of devices, and torch's number of threads."""
    devices = {case.device for case in request.cases}
    names = sorted(devices if device == "auto" else {device, *devices})
    described, environment = ask.environment(server, names)
    full_names = dict(zip(names, described, strict=True))
    threads = known(environment.torch_threads)
    cases = dict.fromkeys(
        structs.replace(case, device=full_names[case.device], threads=case.threads or threads) for case in request.cases
    )
    for case in cases:
        if device != "auto" and case.device != full_names[device]:
            raise InputError(f"device {device!r} is not that of the case {case.key}; leave it out, or change the case")
    return Plan(suite="cases", cases=tuple(cases), settings=request.settings, environment=environment)


def share_of_limit(began: float, settings: Settings, share: float) -> float:
    """Return the reading of `time.perf_counter` at which that share of a run's time limit is over."""
    return began + share * settings.time_limit_s if settings.time_limit_s else float("inf")


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
        self._done = {(record.case, record.replicate) for record in before.records} if before else set()
        self._counted = set(map(static_key, before.statics)) if before else set()
        self._uncountable: dict[StaticKey, str] = {}
        self._before = len(self._done)
        self._began = began
        self._total = len(run.plan) * self.settings.replicates
        self._estimate_s = estimate_s(run.plan, self.settings)

    @property
    def complete(self) -> bool:
        """Whether no work is left."""
        return len(self._done) == self._total

    def groups(self, replicate: int) -> list[Group]:
        """Return the groups of the cases without a record of the replicate."""
        return groups(self.run.plan, lambda case: (case, replicate) not in self._done)

    def until(self, share: float = 1.0) -> float:
        """Return the reading of `time.perf_counter` at which that share of the run's time limit is over."""
        return share_of_limit(self._began, self.settings, share)

    def late(self) -> bool:
        """Return whether the time limit is over."""
        return time.perf_counter() >= self.until()

    def shared_settings(self) -> Settings:
        """Return the settings, with a budget that divides the remaining time among the remaining measurements."""
        compiling = sum(RUNTIMES[case.runtime].compiles for case in self.run.plan) * self.settings.replicates
        compiling -= sum(RUNTIMES[case.runtime].compiles for case, _ in self._done)
        left_s = self.until() - time.perf_counter() - _COMPILE_S * compiling
        share_s = left_s / (self._total - len(self._done)) - _WORKER_S
        budget_s = min(self.settings.budget_s, max(share_s, _LEAST_BUDGET_S))
        return structs.replace(self.settings, budget_s=budget_s)

    def models_to_count(self) -> list[StaticKey]:
        """Return the models of the plan whose static cost is unknown and can be counted."""
        models = dict.fromkeys(map(static_key, self.run.plan))
        return [model for model in models if model not in self._counted and model not in self._uncountable]

    def count(self, model: StaticKey) -> None:
        """Note that the static cost of a model is known."""
        self._counted.add(model)

    def give_up_counting(self, model: StaticKey, reason: str) -> None:
        """Note why a model cannot be counted; its records will state the reason."""
        self._uncountable[model] = f"its static cost could not be counted: {reason}"[:4096]

    def finish(self, record: Record) -> Record:
        """Remove the case of a record from the agenda, and return the record with the notes about its model."""
        self._done.add((record.case, record.replicate))
        note = self._uncountable.get(static_key(record.case))
        return structs.replace(record, notes=(*record.notes, note)) if note else record

    def progress(self, activity: Activity) -> Progress:
        """Return the state of the run while a group is measured."""
        done = len(self._done) - self._before
        elapsed_s = time.perf_counter() - self._began
        # The plan's estimate, until the records of this run allow a better estimate.
        left_s = elapsed_s / done * (self._total - len(self._done)) if done else self._estimate_s - elapsed_s
        return Progress(
            phase=activity.phase,
            case=activity.case.key,
            steps=activity.steps,
            done=len(self._done),
            total=self._total,
            seconds_left=max(0.0, left_s),
        )
