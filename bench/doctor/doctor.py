"""Is this machine fit to measure, and how small a difference can it show in a given time?

The checks look at the machine, and an A/A run at its noise floor.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from bench.device_names import is_cpu
from bench.doctor import host
from bench.doctor.checks import CHECKS, Check
from bench.doctor.floor import Floor, equal_arms, floor
from bench.doctor.gpu import gpu_checks
from bench.process import ask
from bench.process.forkserver import ForkServer
from bench.schedule.progress import Show, ignore
from results.analysis.ab import Paired

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
    """Return the full name of ``auto``, ``cuda``… A worker says it: torch in this process would make a context.

    Raises:
        InputError: there is no such device, or torch does not work.
    """
    if is_cpu(device):
        return device
    with ForkServer() as server:
        names, _ = ask.environment(server, {device})
    return names[0]


def checks(device: str) -> list[Check]:
    """Look for a moment at this machine and at `device`, a full name such as ``cpu`` or ``cuda:0``."""
    seen = host.look()
    return [*(check(seen) for check in CHECKS), *([] if is_cpu(device) else gpu_checks(device))]


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
        model: what both arms are; with `batch_size` images.
        batch_size: images a step.
        time_s: seconds for the A/A run.
        aa: measures it, as `bench.ab` does; None leaves it out.
        show: takes the events of the A/A run.
        look: how to check the machine.

    Raises:
        InputError: there is no such model.
    """
    checked = tuple(look(device))
    if aa is None:
        return Findings(device=device, checks=checked, floor=None)
    measured = floor(aa, device, axes={"model": model, "batch_size": batch_size}, time_s=time_s, show=show)
    return Findings(device=device, checks=(*checked, equal_arms(measured.judged, measured.reasons)), floor=measured)
