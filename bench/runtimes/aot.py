"""AOTInductor: the exported graph as a shared library, which runs without Python and without a compiler.

The library is a program of this process's own making: never load a package that somebody else made, as it runs code.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any, Final

import torch
from torch._inductor import aoti_compile_and_package, aoti_load_package

from bench.measure.device import Device
from bench.runtimes import FrozenModule, Preparation, Prepared, Runtime
from results.schema.case import Case


class AheadOfTime:
    """Runs the library."""

    def unsupported(self, case: Case) -> str | None:  # noqa: ARG002 - the compiler says so itself
        """Return None: a compiler that is missing shows when it is called."""
        return None

    def prepare(
        self,
        case: Case,  # noqa: ARG002 - the module holds all that is needed
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,
    ) -> Prepared:
        """Return the library, once the first step compiles it into `cache` or reads it from there."""

        def build(preparation: Preparation) -> Callable[[], Any]:
            package = preparation.folder / "network.pt2"
            if not package.exists():
                with preparation.part("export_s"):
                    program = torch.export.export(module, (images,))
                with preparation.part("build_s"):
                    aoti_compile_and_package(program, package_path=str(package), inductor_configs={"freezing": True})
            with preparation.part("load_s"):
                library = aoti_load_package(str(package))
            preparation.artefact_bytes = package.stat().st_size
            return functools.partial(library, images)

        return FrozenModule(module, images, device, build, cache=cache)


RUNTIME: Final[Runtime] = AheadOfTime()
