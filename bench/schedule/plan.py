"""The plan of a run: its cases on this machine, an estimate of its time, and the work of a replicate."""

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from typing import Final

from msgspec import structs

from bench.machine.device_names import device_type, is_cpu
from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.suites.request import GivenCases
from bench.suites.suite import Suite, expand, kind_of
from bench.suites.values import Kind
from results.errors import InputError
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.lines.run import Environment, Settings
from results.schema.types import MOST_S, known


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCosts:
    """What a worker takes beside its sampling, in seconds, for estimates."""

    worker_s: float
    """Start, build, first step, check and end."""
    compile_s: float
    """A compilation with an empty cache."""
    autotune_s: float
    """A compilation with an empty cache that times kernels for every layer (max-autotune)."""
    warm_compile_s: float
    """A compilation that starts from the cache of an earlier process."""
    light_s: float
    """A preparation without a compiler: an export, a conversion."""
    warm_light_s: float
    """The same with the artefacts of an earlier process."""


WORKER_COSTS: Final[dict[Kind, WorkerCosts]] = {
    # resnet50 on two cores takes 0.4 s.
    "cpu": WorkerCosts(
        worker_s=0.5, compile_s=30.0, autotune_s=30.0, warm_compile_s=3.0, light_s=5.0, warm_light_s=0.5
    ),
    # Predicted for a data-centre GPU, not measured: most of a worker is its context, the libraries and the check.
    "accelerator": WorkerCosts(
        worker_s=4.0, compile_s=30.0, autotune_s=300.0, warm_compile_s=12.0, light_s=10.0, warm_light_s=2.0
    ),
}
"""Costs of a worker by kind of device. A run learns the true costs from its replicates."""
TRAINING_SUITE: Final = "train"
"""Suite of the runs that train to an accuracy; they have no settings of sampling."""
_AUTOTUNE: Final = "max-autotune"
"""Begins the modes of the compiler that time kernels for every layer."""
_ALL: Final = ":all"
"""Ends the name of all devices of a type."""


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """The cases of a replicate that still need a record."""

    replicate: int
    cases: tuple[Case, ...]
    """In the order in which their workers start, those of a device together."""
    anchors: tuple[Case, ...] = ()
    """Cases that are measured again to join the others with records from before a break."""
    first_part: int = 0
    """The number of the next part."""
    sustains: bool = False
    """Whether cases on an accelerator step alone for `Settings.sustained_s` when they have left the rotation."""

    def by_device(self) -> list["Todo"]:
        """Return the work on each device, in the order in which the cases name the devices."""
        devices = dict.fromkeys(case.device for case in (*self.anchors, *self.cases))
        return [
            dataclasses.replace(
                self,
                cases=tuple(case for case in self.cases if case.device == device),
                anchors=tuple(case for case in self.anchors if case.device == device),
            )
            for device in devices
        ]


def estimate_s(cases: Sequence[Case], settings: Settings) -> float:
    """Return a rough estimate of the seconds that a run of `cases` takes."""

    def case_s(case: Case) -> float:
        sampling_s = settings.replicates * (settings.budget_s + worker_s(case))
        return sampling_s + compiling_s(case, settings.replicates) + sustained_s([case], settings)

    total = max(sum(map(case_s, queue)) for queue in queues(cases, settings))
    return min(total, settings.time_limit_s or total)


def queues(cases: Collection[Case], settings: Settings) -> list[list[Case]]:
    """Return the cases of each device where devices are measured at once, else all cases in a single list."""
    if settings.cards != "at-once":
        return [list(cases)]
    devices = dict.fromkeys(case.device for case in cases)
    return [[case for case in cases if case.device == device] for device in devices]


def worker_s(case: Case) -> float:
    """Return an estimate of the seconds that a worker of `case` takes beside sampling and compiling."""
    return WORKER_COSTS[kind_of(case.device)].worker_s


def compiling_s(case: Case, replicates: int, *, warm: bool = False) -> float:
    """Return an estimate of the seconds that the workers of so many replicates of `case` compile.

    The first begins with an empty cache, unless the cache is `warm`.
    """
    runtime = RUNTIMES[case.runtime]
    if not runtime.compiles:
        return 0.0
    costs = WORKER_COSTS[kind_of(case.device)]
    if runtime.light:
        return (costs.warm_light_s if warm else costs.light_s) + (replicates - 1) * costs.warm_light_s
    cold_s = costs.autotune_s if (runtime.mode or "").startswith(_AUTOTUNE) else costs.compile_s
    return (costs.warm_compile_s if warm else cold_s) + (replicates - 1) * costs.warm_compile_s


def sustained_s(cases: Collection[Case], settings: Settings) -> float:
    """Return the seconds in which `cases` step alone, once in a run."""
    return (settings.sustained_s or 0.0) * max(map(len, queues(cases, settings)))


def make_plan(server: ForkServer, request: Suite | GivenCases, device: str) -> Plan:
    """Return the plan of `request` on this machine; a worker of `server` describes the machine.

    Several devices get the same cases each, and the time limit of a suite each.

    Raises:
        InputError: a device does not exist, contradicts the request, or cannot be measured while others are.
    """
    if isinstance(request, GivenCases):
        return _plan_of_cases(server, request, device)
    devices, environment = _devices(server, device)
    kinds = {kind_of(name) for name in devices}
    if len(kinds) > 1:
        names = ", ".join(devices)
        raise InputError(f"devices {names}: the CPU gets other cases and settings; measure it in another run")
    threads = default_threads(environment)
    # Case by case: a time limit that leaves out the end of the plan leaves out the same cases of each device.
    cases = zip(*(expand(request, device=name, threads=threads) for name in devices), strict=True)
    settings = request.settings[kinds.pop()]
    if settings.time_limit_s is not None and settings.cards == "one-by-one":
        settings = structs.replace(settings, time_limit_s=min(settings.time_limit_s * len(devices), MOST_S))
    plan = tuple(itertools.chain.from_iterable(cases))
    return Plan(suite=request.name, cases=plan, settings=settings, environment=environment)


def _devices(server: ForkServer, text: str) -> tuple[list[str], Environment]:
    """Return the full names of the devices of a text such as ``cuda:0,cuda:1`` or ``cuda:all``, and the machine.

    Raises:
        InputError: a name is empty, or such a device does not exist; the message lists those of this machine.
    """
    asked = {name.strip(): name.strip().removesuffix(_ALL) for name in text.split(",")}
    names = sorted(set(asked.values()))
    if "" in names:
        raise InputError(f"device {text!r}: a name is empty; give names such as cpu, cuda:0 or cuda:all")
    described, environment = ask.environment(server, names)
    full_names = dict(zip(names, described, strict=True))
    devices: dict[str, None] = {}
    for name, first in asked.items():
        devices[full_names[first]] = None
        if name.endswith(_ALL):
            cards = [card.device for card in environment.accelerators]
            devices |= dict.fromkeys(card for card in cards if device_type(card) == device_type(full_names[first]))
    return list(devices), environment


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
    used = {case.device for case in cases}
    if request.settings.cards == "at-once" and len(used) > 1 and any(map(is_cpu, used)):
        listed = ", ".join(sorted(used))
        raise InputError(
            f"devices {listed} at once: work of the CPU disturbs the cards; measure its cases in another run"
        )
    return Plan(suite="cases", cases=tuple(cases), settings=request.settings, environment=environment)


def share_of_limit(began: float, settings: Settings, share: float) -> float:
    """Return the reading of `time.perf_counter` at which that share of a run's time limit is over."""
    return began + share * settings.time_limit_s if settings.time_limit_s else float("inf")
