"""Engines that run a network, a module each; the rest of the worker never asks for a runtime by name.

To add a runtime, add its facts to `results.schema.labels.RUNTIMES` and, where no engine fits, a module here that has a
`RUNTIME`. An engine need not be torch: it is given the weights and the images as tensors and keeps its own copies.
"""

import contextlib
import dataclasses
import functools
import importlib
import importlib.util
import pathlib
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import torch

from bench.machine.device_names import device_type, is_cpu
from bench.measure.device import Device
from results.schema.case import Case
from results.schema.labels import HEADS, PROMISES, RUNTIMES
from results.schema.lines.record import Ran

Weights = Mapping[str, torch.Tensor]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeReport:
    """The report of an engine after the last turn."""

    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Values by the fields of `results.schema.lines.record.Facts`."""
    nulls: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Reasons of values that the engine cannot have."""
    notes: tuple[str, ...] = ()


PREPARATION_PARTS: Final = ("export_s", "convert_s", "build_s", "load_s")
"""Fields of `Facts` for the parts of a preparation."""
NOTHING_COMPILED: Final = RuntimeReport(
    nulls=dict.fromkeys(
        ("graph_breaks", "compile_s", "recompiles", *PREPARATION_PARTS, "artefact_bytes"), "nothing is compiled"
    )
)
"""Report of an engine that compiles nothing."""


class Prepared(Protocol):
    """A network that is ready to run on its own input."""

    @property
    def device(self) -> Device:
        """The device whose queue holds the work and the marks."""

    @property
    def forward(self) -> Callable[[], Any]:
        """Run the network and return the logits (batch, classes): a tensor, or an input of `torch.as_tensor`."""

    def feed(self, images: torch.Tensor) -> None:
        """Replace the input (batch, 3, height, width) of the following steps, in the same memory."""

    def load(self, weights: Weights) -> None:
        """Replace the weights of the following steps."""

    def first_step_ended(self) -> None:
        """Note that the first step is over: later compilations are recompilations."""

    def report(self) -> RuntimeReport:
        """Return the counts of the engine."""

    def ran(self) -> Ran | str | None:
        """Return what really ran, or why it cannot be observed; None if torch's trace of operators shows it."""


class Runtime(Protocol):
    """An engine."""

    def unsupported(self, case: Case) -> str | None:
        """Return why the engine cannot run the case as its label promises, None if it can."""

    def prepare(
        self,
        case: Case,
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,
    ) -> Prepared:
        """Prepare the network for `Prepared.forward`; slow work may wait for the first step.

        Args:
            case: the case to measure.
            module: the network, with its weights on the device of the case.
            images: its input, on the same device.
            device: the device of the case.
            cache: private folder of the engine's artefacts, None for the engine's usual one.
        """


def engine_of(runtime: str) -> Runtime:
    """Return the engine that runs `runtime`; only the module of that engine is imported.

    That module imports the engine's own packages: ask `absent` before.
    """
    engine: Runtime = importlib.import_module(f"{__name__}.{RUNTIMES[runtime].engine}").RUNTIME
    return engine


def absent(case: Case) -> str | None:
    """Return which packages of a case are not installed, and how to install them; None if it has all it needs."""
    facts = RUNTIMES[case.runtime]
    needed = {facts.extra: facts.packages}
    if PROMISES[case.precision].quantizes:
        needed["int8"] = facts.int8_packages
    for extra, packages in needed.items():
        lacking = [package for package in packages if importlib.util.find_spec(package) is None]
        if lacking:
            return f"{' and '.join(lacking)} is not installed: python -m pip install 'resnet-bench[{extra}]'"
    return None


def beyond(case: Case) -> str | None:
    """Return which setting of a case its runtime cannot obey by its declaration, None if there is none."""
    facts, quantizes = RUNTIMES[case.runtime], PROMISES[case.precision].quantizes
    kind, dynamic = device_type(case.device), HEADS[case.head].dynamic
    reasons = {
        f"{case.runtime} runs on {' and '.join(facts.devices or ())}, not on {case.device}": (
            facts.packages and facts.devices is not None and kind not in facts.devices
        ),
        f"{case.precision} is for CPUs, whose quantizers are here, not for {case.device}": (
            quantizes and not is_cpu(case.device)
        ),
        f"{case.runtime} has no {case.precision}, only {', '.join(facts.precisions or ('what torch computes in',))}": (
            quantizes if facts.precisions is None else case.precision not in facts.precisions
        ),
        f"{case.runtime} takes images in {', '.join(facts.layouts)} and chooses its own layout inside": (
            case.layout not in facts.layouts
        ),
        f"{case.runtime} prepares fixed shapes, and {case.head} has none: {dynamic}": (
            facts.freezes and dynamic is not None
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


class PreparedModule:
    """A torch module, or a function made of one, that runs in torch's own memory."""

    def __init__(
        self,
        module: torch.nn.Module,
        images: torch.Tensor,
        device: Device,
        run: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        """Run `module` on `images`, through `run` if that is given."""
        self.device = device
        self.forward: Callable[[], torch.Tensor] = functools.partial(module if run is None else run, images)
        self._module = module
        self._images = images

    def feed(self, images: torch.Tensor) -> None:
        """Copy `images` into the memory of the input: a compiled graph may have kept its address."""
        with torch.no_grad():
            self._images.copy_(images)

    def load(self, weights: Weights) -> None:
        """Copy `weights` into the module's own: a compiled graph keeps its parameters."""
        self._module.load_state_dict(weights)

    def first_step_ended(self) -> None:
        """Note nothing."""

    def report(self) -> RuntimeReport:
        """Return that nothing was compiled."""
        return NOTHING_COMPILED

    def ran(self) -> None:
        """Leave it to torch's trace of operators."""


class Preparation:
    """What a preparation took, and where it leaves its artefacts."""

    def __init__(self, cache: pathlib.Path | None, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin a preparation with artefacts in `cache`, or in a folder that is deleted with this object."""
        if cache is None:
            cache = pathlib.Path(tempfile.mkdtemp(prefix="resnet-bench-"))
            weakref.finalize(self, shutil.rmtree, cache, ignore_errors=True)
        self.folder = cache
        self.seconds: dict[str, float] = {}
        self.artefact_bytes: int | None = None
        self._clock = clock

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time of this context to the part `name`, of `PREPARATION_PARTS`."""
        began = self._clock()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + self._clock() - began


class FrozenModule:
    """A network that an engine turns into a program with its weights, in the first step and after each `load`."""

    def __init__(
        self,
        module: torch.nn.Module,
        images: torch.Tensor,
        device: Device,
        build: Callable[[Preparation], Callable[[], Any]],
        *,
        cache: pathlib.Path | None,
        ran: Callable[[Any], Ran | str | None] = lambda _: None,
    ) -> None:
        """Prepare nothing yet.

        Args:
            module: the network.
            images: its input, which every step reads anew.
            device: the device of the case.
            build: builds the program from the module as it is then.
            cache: folder of artefacts that earlier processes may have filled from the same weights.
            ran: tells what the built program runs; by default torch's trace of operators shows it.
        """
        self.device = device
        self._module = module
        self._images = images
        self._build = build
        self._ran = ran
        self._program: Callable[[], Any] | None = None
        self._preparation = Preparation(cache)

    def forward(self) -> Any:
        """Run the program, which is built in the first step."""
        if self._program is None:
            # Outside of inference mode, whose tensors no exporter may keep; autocast stays as the case has it.
            with torch.inference_mode(mode=False), torch.no_grad():
                self._program = self._build(self._preparation)
        return self._program()

    def feed(self, images: torch.Tensor) -> None:
        """Copy `images` into the memory of the input."""
        with torch.no_grad():
            self._images.copy_(images)

    def load(self, weights: Weights) -> None:
        """Copy `weights` into the module, and let the next step build a new program, without old artefacts."""
        self._module.load_state_dict(weights)
        self._program = None
        self._preparation = Preparation(None)

    def first_step_ended(self) -> None:
        """Note nothing: the program is built, and does not change."""

    def report(self) -> RuntimeReport:
        """Return what the preparation took."""
        taken = self._preparation
        facts: dict[str, float] = {name: taken.seconds[name] for name in PREPARATION_PARTS if name in taken.seconds}
        if taken.artefact_bytes is not None:
            facts["artefact_bytes"] = taken.artefact_bytes
        nulls = dict.fromkeys(
            (name for name in PREPARATION_PARTS if name not in facts), "not a part of this preparation"
        )
        if "artefact_bytes" not in facts:
            nulls["artefact_bytes"] = "it leaves no file"
        nulls |= dict.fromkeys(("graph_breaks", "recompiles"), "the network is a single graph that does not change")
        return RuntimeReport(facts=facts, nulls=nulls)

    def ran(self) -> Ran | str | None:
        """Return what the program runs."""
        return self._ran(self._program)
