"""torch without a compiler: each operator runs as Python calls it."""

import pathlib
from typing import Final

import torch

from bench.measure.device import Device
from bench.runtimes import Prepared, PreparedModule, Runtime
from results.schema.case import Case


class Eager:
    """Runs the module itself."""

    def unsupported(self, case: Case) -> None:
        """Return None: torch runs every case."""

    def prepare(
        self,
        case: Case,  # noqa: ARG002 - the module holds all that is needed
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,  # noqa: ARG002 - nothing is kept
    ) -> Prepared:
        """Return the module as it is."""
        return PreparedModule(module, images, device)


RUNTIME: Final[Runtime] = Eager()
