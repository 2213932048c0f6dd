"""torch without a compiler: each operator runs as Python calls it.

cuDNN and MIOpen choose the algorithm of a convolution by heuristics, as is torch's default, or try the algorithms
(`results.schema.labels.Runtime.autotune`). Published figures of GPUs are often measured with the latter.
`bench.measure.precision` sets the switch, as the check of the result changes it too.
"""

import pathlib
from typing import Final

import torch

from bench.machine.device_names import device_type
from bench.measure.device import Device
from bench.runtimes import Prepared, PreparedModule, Runtime
from results.schema.case import Case
from results.schema.labels import RUNTIMES


class Eager:
    """Runs the module itself."""

    def unsupported(self, case: Case) -> str | None:
        """Return why no autotuner would choose the kernels, None if it does or the case needs none."""
        if not RUNTIMES[case.runtime].autotune:
            return None
        if device_type(case.device) != "cuda":  # which is torch's name of AMD's GPUs too
            return f"{case.runtime} is the autotuner of cuDNN or MIOpen, which {case.device} has not"
        if not torch.backends.cudnn.is_available():  # type: ignore[no-untyped-call]
            return f"{case.runtime} is the autotuner of cuDNN or MIOpen, without which this torch was built"
        return None

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
