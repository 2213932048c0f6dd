"""Judge whether this machine is fit to measure, and how small a difference it resolves in a given time.

Checks examine the machine, and an A/A run measures its noise floor.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Final

from bench.doctor import host
from bench.doctor.checks import CHECKS, Check
from bench.doctor.floor import Floor, equal_arms, floor
from bench.doctor.gpu import COMPUTE_MODE, gpu_checks, old_driver
from bench.doctor.variables import variables_check
from bench.machine import nvml
from bench.machine.device_names import is_cpu
from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.schedule.progress import Show, ignore
from results.analysis.ab import Paired
from results.errors import InputError

MODEL: Final = "resnet18"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The verdict on this machine, and its reasons."""

    device: str
    checks: tuple[Check, ...]
    floor: Floor | None

    @property
    def fit(self) -> bool:
        """Whether nothing is bad."""
        return all(check.state != "bad" for check in self.checks)

    @property
    def verdict(self) -> str:
        """The findings in one line."""
        bad = [check.name for check in self.checks if check.state == "bad"]
        warned = sum(check.state == "warn" for check in self.checks)
        if bad:
            return f"not fit: {', '.join(bad)}"
        return f"fit, with {warned} {'warning' if warned == 1 else 'warnings'}" if warned else "fit to measure"


def full_name(device: str) -> str:
    """Return the full name of a device such as ``auto`` or ``cuda``, by a worker: torch here would make a context.

    Raises:
        InputError: there is no such device, or torch does not work.
    """
    if is_cpu(device):
        return device
    with ForkServer() as server:
        try:
            names, _ = ask.environment(server, {device})
        except InputError as error:
            reason = _old_driver(server) if device.startswith("cuda") else None
            if reason is None:
                raise
            raise InputError(f"{error}; {reason}") from None
    return names[0]


def _old_driver(server: ForkServer) -> str | None:
    _, environment = ask.environment(server, {"cpu"})
    return old_driver(environment.torch_build.get("cuda"))


def checks(device: str) -> list[Check]:
    """Run all checks of this machine and of `device`, a full name such as ``cpu`` or ``cuda:0``."""
    seen = host.look()
    checked = [check(seen) for check in CHECKS]
    return checked if is_cpu(device) else [*checked, variables_check(os.environ), *_accelerator_checks(device)]


def _accelerator_checks(device: str) -> list[Check]:
    """Run the checks that ask the driver about the GPU that a worker names."""
    with ForkServer() as server:
        described = ask.description(server, {device})
    return gpu_checks(nvml.find(described.identities[0]), described.environment.torch_build.get("cuda"))


def examine(
    device: str,
    *,
    model: str = MODEL,
    batch_size: int = 1,
    time_s: float = 60.0,
    aa: Callable[..., Paired] | None = None,
    show: Show = ignore,
    look: Callable[[str], Sequence[Check]] = checks,
) -> Findings:
    """Check the machine, and measure its noise floor where `aa` is given.

    Args:
        device: full name of the device.
        model: the model of both arms.
        batch_size: images a step.
        time_s: seconds for the A/A run.
        aa: function that measures the A/A run, such as `bench.ab`; None leaves it out.
        show: takes the events of the A/A run.
        look: function that runs the checks.

    Raises:
        InputError: there is no such model.
    """
    checked = tuple(look(device))
    if aa is None:
        return Findings(device=device, checks=checked, floor=None)
    if any(check.name == COMPUTE_MODE and check.state in {"warn", "bad"} for check in checked):
        alone = Check(name="A/A run", state="unknown", seen="both arms need the GPU at the same time")
        return Findings(device=device, checks=(*checked, alone), floor=None)
    measured = floor(aa, device, axes={"model": model, "batch_size": batch_size}, time_s=time_s, show=show)
    return Findings(device=device, checks=(*checked, equal_arms(measured.judged, measured.reasons)), floor=measured)
