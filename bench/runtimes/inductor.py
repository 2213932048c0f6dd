"""``torch.compile`` with its default backend, in every mode."""

import importlib
import os
import pathlib
from typing import Final

import torch
from torch._dynamo.utils import counters

from bench.measure.device import Device
from bench.runtimes import Prepared, PreparedModule, Runtime, RuntimeReport
from results.schema.case import Case
from results.schema.labels import RUNTIMES

_GRAPHS_MODE: Final = "reduce-overhead"


class CompiledModule(PreparedModule):
    """A module that dynamo compiles in its first step."""

    _graphs = 0

    def first_step_ended(self) -> None:
        """Count the graphs of the first compilation."""
        self._graphs = _compiled_graphs()

    def report(self) -> RuntimeReport:
        """Return the counts of dynamo and inductor."""
        skips = counters["inductor"]["cudagraph_skips"]
        note = f"CUDA graphs were skipped {skips} times: those parts ran as plain compile"
        return RuntimeReport(
            facts={
                "graph_breaks": sum(counters["graph_break"].values()),
                "recompiles": _compiled_graphs() - self._graphs,
            },
            notes=(note,) if skips else (),
        )


class Inductor:
    """Compiles the module."""

    def unsupported(self, case: Case) -> str | None:
        """Return why the compiler would silently use another mode on the device of the case."""
        if RUNTIMES[case.runtime].mode == _GRAPHS_MODE and not case.device.startswith("cuda"):
            return f"{_GRAPHS_MODE} is CUDA graphs, which {case.device} has not: it would run as plain compile"
        return None

    def prepare(
        self,
        case: Case,
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,
    ) -> Prepared:
        """Return the module with a compiler that works in `cache`, once the first step starts it."""
        if cache is not None:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
            os.environ["TRITON_CACHE_DIR"] = str(cache / "triton")  # the user's may be warm
        # Only now, as its processes take over the variables; and not in the first step, which is timed.
        importlib.import_module("torch._inductor.compile_fx")
        compiled = torch.compile(module, mode=RUNTIMES[case.runtime].mode, dynamic=False)
        return CompiledModule(module, images, device, compiled)


def _compiled_graphs() -> int:
    """Return how many graphs dynamo has compiled in this process; a recompilation is a further one."""
    return int(counters["stats"]["unique_graphs"])


RUNTIME: Final[Runtime] = Inductor()
