"""Engines that run a network, a module each; the rest of the worker never asks for a runtime by name.

To add a runtime, add its facts to `results.schema.labels.RUNTIMES` and, where no engine fits, a module here that has a
`RUNTIME`. An engine need not be torch: it is given the weights and the images as tensors and keeps its own copies.
"""

import dataclasses
import functools
import importlib
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import torch

from bench.measure.device import Device
from results.schema.case import Case
from results.schema.labels import RUNTIMES
from results.schema.lines.record import Ran

Weights = Mapping[str, torch.Tensor]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeReport:
    """The report of an engine after the last turn."""

    facts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Values by the fields of `results.schema.lines.record.Facts`."""
    nulls: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Reasons of values that the engine cannot have."""
    notes: tuple[str, ...] = ()


NOTHING_COMPILED: Final = RuntimeReport(
    nulls=dict.fromkeys(("graph_breaks", "compile_s", "recompiles"), "nothing is compiled")
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
    """Return the engine that runs `runtime`; only the module of that engine is imported."""
    engine: Runtime = importlib.import_module(f"{__name__}.{RUNTIMES[runtime].engine}").RUNTIME
    return engine


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
