"""The plan of a run: its cases on this machine, and an estimate of its time."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from msgspec import structs

from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.suites.request import GivenCases
from bench.suites.suite import Suite, expand, kind_of
from results.errors import InputError
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.run import Environment, Settings
from results.schema.types import known

WORKER_S: Final = 0.5
"""Start, build, first step and end of a worker, for the estimate: resnet50 on two cores takes 0.4 s."""
COMPILE_S: Final = 30.0
"""A compilation with an empty cache, likewise."""
WARM_COMPILE_S: Final = 3.0
"""A compilation that starts from the cache of an earlier process, likewise."""


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
    compiled = sum(RUNTIMES[case.runtime].compiles for case in cases)
    total = settings.replicates * len(cases) * (WORKER_S + settings.budget_s)
    total += compiled * (COMPILE_S + (settings.replicates - 1) * WARM_COMPILE_S)
    return min(total, settings.time_limit_s or total)


def make_plan(server: ForkServer, request: Suite | GivenCases, device: str) -> Plan:
    """Return the plan of `request` on this machine; a worker of `server` describes the machine.

    Raises:
        InputError: the device does not exist, or contradicts the request.
    """
    if isinstance(request, GivenCases):
        return _plan_of_cases(server, request, device)
    (full_name,), environment = ask.environment(server, {device})
    cases = expand(request, device=full_name, threads=default_threads(environment))
    settings = request.settings[kind_of(full_name)]
    return Plan(suite=request.name, cases=cases, settings=settings, environment=environment)


def default_threads(environment: Environment) -> int:
    """Return the threads of a case that states none: as torch chooses, but no more than the cores that it may use.

    torch knows nothing of a control group's limit, under which further threads would stop all of them.
    """
    return min(known(environment.torch_threads), known(environment.usable_cores))


def _plan_of_cases(server: ForkServer, request: GivenCases, device: str) -> Plan:
    """Complete given cases as a suite does: full names of devices, and the number of threads."""
    devices = {case.device for case in request.cases}
    names = sorted(devices if device == "auto" else {device, *devices})
    described, environment = ask.environment(server, names)
    full_names = dict(zip(names, described, strict=True))
    threads = default_threads(environment)
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
