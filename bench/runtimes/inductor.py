"""``torch.compile`` with its default backend, in every mode.

Many things can turn the compiler off silently: switches of torch, errors that are suppressed, a graph that is compiled
and never called. So the executions of compiled graphs are counted in every step.
"""

import functools
import importlib
import os
import pathlib
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch._dynamo import config
from torch._dynamo.utils import counters

from bench.machine.device_names import device_type, is_cpu
from bench.measure.device import Device, Unsupported
from bench.runtimes import (
    PREPARATION_PARTS,
    FrozenModule,
    Preparation,
    Prepared,
    PreparedModule,
    Runtime,
    RuntimeReport,
    Weights,
)
from results.schema.case import Case
from results.schema.labels import HEADS, PROMISES, RUNTIMES

_GRAPHS_MODE: Final = "reduce-overhead"
_SWITCHES: Final = re.compile(r"(TORCH_COMPILE|TORCHDYNAMO)_\w+")
"""Variables that may be the cause where no compiled graph runs."""
_OPTIONS: Final = {
    "max_autotune": "TORCHINDUCTOR_MAX_AUTOTUNE",
    "max_autotune_gemm": "TORCHINDUCTOR_MAX_AUTOTUNE_GEMM",
    "max_autotune_pointwise": "TORCHINDUCTOR_MAX_AUTOTUNE_POINTWISE",
    "coordinate_descent_tuning": "TORCHINDUCTOR_COORDINATE_DESCENT_TUNING",
    "triton.cudagraphs": "TORCHINDUCTOR_CUDAGRAPHS",
}
"""Options of inductor that make a mode, and the variables that set them in every mode."""
_SUPPRESS: Final = "TORCHDYNAMO_SUPPRESS_ERRORS"


class Executions:
    """The number of executions of compiled graphs in this process."""

    total = 0
    _watched = False

    @classmethod
    def watch(cls) -> None:
        """Count from now on, by a function around the call of any compiled graph."""
        if cls._watched:
            return
        cls._watched = True
        graph = importlib.import_module("torch._inductor.output_code").CompiledFxGraph
        call = graph.__call__

        @functools.wraps(call)
        def execute(self: Any, inputs: Any) -> Any:
            cls.total += 1
            return call(self, inputs)

        graph.__call__ = execute


class CompiledModule(PreparedModule):
    """A module that dynamo compiles in its first step."""

    _graphs = 0
    _steps = 0
    _eager_steps = 0

    def __init__(
        self,
        module: torch.nn.Module,
        images: torch.Tensor,
        device: Device,
        run: Callable[[torch.Tensor], torch.Tensor] | None = None,
        notes: tuple[str, ...] = (),
        *,
        freezes: bool = False,
    ) -> None:
        """Run `module` on `images`, through `run` if that is given, and count the steps without a compiled graph.

        `notes` are those of the report, whatever the steps show. If the compiler `freezes` the weights, `load` lets it
        compile again.
        """
        super().__init__(module, images, device, run)
        self._notes = notes
        self._freezes = freezes
        plain = self.forward

        def forward() -> torch.Tensor:
            before = Executions.total
            logits = plain()
            self._steps += 1
            self._eager_steps += Executions.total == before
            return logits

        self.forward = forward

    def load(self, weights: Weights) -> None:
        """Copy `weights` into the module's own, and forget the code that holds others."""
        super().load(weights)
        if self._freezes:
            torch.compiler.reset()

    def first_step_ended(self) -> None:
        """Count the graphs of the first compilation, and end the compiler's processes.

        They would start, idle and end beside the timed steps of all workers. A recompilation starts new ones.

        Raises:
            Unsupported: no compiled graph ran.
        """
        importlib.import_module("torch._inductor.async_compile").shutdown_compile_workers()
        self._graphs = _compiled_graphs()
        self._check()

    def report(self) -> RuntimeReport:
        """Return the counts of dynamo and inductor.

        Raises:
            Unsupported: a step ran no compiled graph.
        """
        self._check()
        notes = list(self._notes)
        if skips := counters["inductor"]["cudagraph_skips"]:
            notes.append(f"CUDA graphs were skipped {skips} times: those parts ran as plain compile")
        failed = counters["frames"]["total"] - counters["frames"]["ok"]
        if config.suppress_errors and failed:
            notes.append(f"{failed} functions ran uncompiled, as errors were suppressed: unset {_SUPPRESS}")
        return RuntimeReport(
            facts={
                "graph_breaks": sum(counters["graph_break"].values()),
                "recompiles": _compiled_graphs() - self._graphs,
            },
            nulls=dict.fromkeys(PREPARATION_PARTS, "the compiler does not divide its time")
            | {"artefact_bytes": "its cache is no file of the network"},
            notes=tuple(notes),
        )

    def _check(self) -> None:
        if self._eager_steps:
            what = "nothing was compiled" if self._eager_steps == self._steps else "the compiler gave up"
            counted = f"{self._eager_steps} of {self._steps} steps ran without a compiled graph"
            raise Unsupported(f"{what}: {counted}, so this is no row of compile; {_remedy(os.environ)}")


class Inductor:
    """Compiles the module."""

    def unsupported(self, case: Case) -> str | None:
        """Return why the compiler would break the network into pieces, or silently use another mode on the device."""
        if (dynamic := HEADS[case.head].dynamic) is not None:
            return f"{case.runtime} compiles for fixed shapes, and {case.head} has none: {dynamic}"
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
        """Return the module with a compiler that works in `cache`, once the first step starts it.

        Raises:
            Unsupported: what is compiled into `cache` cannot be loaded, a variable turns the mode into another, or the
                compiler generates no code for the device.
        """
        if cache is not None:
            if os.statvfs(cache).f_flag & getattr(os, "ST_NOEXEC", 0):
                raise Unsupported(
                    "the compiler's folder is on a file system that runs no programs (noexec): set "
                    "TORCHINDUCTOR_CACHE_DIR, or TMPDIR, to a folder of another file system"
                )
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
            os.environ["TRITON_CACHE_DIR"] = str(cache / "triton")  # the user's may be warm
        # Only now, as its processes take over the variables; and not in the first step, which is timed.
        importlib.import_module("torch._inductor.compile_fx")
        for reason in (_no_code(case), _other_mode(case)):
            if reason is not None:
                raise Unsupported(reason)
        Executions.watch()
        if PROMISES[case.precision].quantizes:
            return _quantized(case, module, images, device, cache)
        facts = RUNTIMES[case.runtime]
        # For the whole process: dynamo asks for it too, and the options of torch.compile do not reach dynamo.
        setattr(importlib.import_module("torch._inductor.config"), "freezing", facts.freezes)  # noqa: B010 - mypy knows no options
        compiled = torch.compile(module, mode=facts.mode, dynamic=False)
        return CompiledModule(module, images, device, compiled, _few_processors(case), freezes=facts.freezes)


def _quantized(
    case: Case, module: torch.nn.Module, images: torch.Tensor, device: Device, cache: pathlib.Path | None
) -> Prepared:
    """Return the quantized network, once the first step quantizes and compiles it."""
    quantization = importlib.import_module("bench.quantization.pt2e")  # whose package is an extra

    def build(preparation: Preparation) -> Callable[[], Any]:
        with preparation.part("convert_s"):
            quantized = quantization.quantize_module(module, images)
        compiled = torch.compile(quantized, mode=RUNTIMES[case.runtime].mode, dynamic=False)
        with preparation.part("build_s"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of inductor, about its own copies of zero points
            compiled(images)  # type: ignore[no-untyped-call]
        return functools.partial(compiled, images)

    setattr(importlib.import_module("torch._inductor.config"), "freezing", True)  # noqa: B010 - as in `prepare`
    return FrozenModule(module, images, device, build, cache=cache)


def _compiled_graphs() -> int:
    """Return how many graphs dynamo has compiled in this process; a recompilation is a further one."""
    return int(counters["stats"]["unique_graphs"])


def _no_code(case: Case) -> str | None:
    """Return why nothing can be compiled for the device of the case, None if it can."""
    if is_cpu(case.device):
        return None
    common = importlib.import_module("torch._inductor.codegen.common")
    common.init_backend_registration()
    if common.get_scheduling_for_device(device_type(case.device)) is None:
        return f"torch's compiler has no back-end for {case.device}; run eager there"
    return None


def _few_processors(case: Case) -> tuple[str, ...]:
    """Return a note where max-autotune tries less than it promises, as torch does on GPUs with few processors."""
    mode = RUNTIMES[case.runtime].mode or ""
    if not mode.startswith("max-autotune") or device_type(case.device) != "cuda":
        return ()
    if importlib.import_module("torch._inductor.utils").is_big_gpu(torch.device(case.device)):
        return ()
    return (f"{case.device} has too few multiprocessors for torch: {mode} tries no templates for its matrix products",)


def _other_mode(case: Case) -> str | None:
    """Return why the compiler would work in another mode than that of the case, None if it would not."""
    mode = RUNTIMES[case.runtime].mode
    promised = importlib.import_module("torch._inductor").list_mode_options(mode) if mode else {}
    current = importlib.import_module("torch._inductor.config").get_config_copy()
    for option, variable in _OPTIONS.items():
        # A part of max-autotune is in its promise.
        if current[option] and not any(option.startswith(name) for name in promised):
            return f"{variable} adds {option}, so {case.runtime} would be another mode: unset {variable}"
    return None


def _remedy(variables: Mapping[str, str]) -> str:
    """Return what to do where no compiled graph runs: unset the variables that may be the cause."""
    # torch takes any text of the variable for suppressed errors as true, "0" too.
    chosen = [name for name, value in sorted(variables.items()) if _SWITCHES.fullmatch(name) and value]
    chosen = [name for name in chosen if variables[name] != "0" or name == _SUPPRESS]
    if chosen:
        return f"unset {' '.join(chosen)}" + (", which shows the compiler's error" if _SUPPRESS in chosen else "")
    return "look for torch.compiler.set_stance, torch._dynamo.config or a limit of recompilations that was reached"


RUNTIME: Final[Runtime] = Inductor()
