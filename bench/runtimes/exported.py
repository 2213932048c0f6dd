"""``torch.export``: the graph of the network, which torch runs without the Python of its modules.

Nothing is compiled. The graph holds the casts of autocast where the case has them.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any, Final

import torch

from bench.measure.device import Device
from bench.runtimes import FrozenModule, Preparation, Prepared, Runtime
from results.schema.case import Case


class Exported:
    """Runs the exported graph."""

    def unsupported(self, case: Case) -> str | None:  # noqa: ARG002 - it runs wherever torch runs
        """Return None: it runs all that its declaration allows."""
        return None

    def prepare(
        self,
        case: Case,  # noqa: ARG002 - the module holds all that is needed
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,  # noqa: ARG002 - a graph is exported within a second, and its file would be a pickle
    ) -> Prepared:
        """Return the graph, once the first step exports it."""

        def build(preparation: Preparation) -> Callable[[], Any]:
            with preparation.part("export_s"):
                graph = torch.export.export(module, (images,)).module()
            return functools.partial(graph, images)

        return FrozenModule(module, images, device, build, cache=None)


RUNTIME: Final[Runtime] = Exported()
