"""What a case does in sustained use: its step, and the energy of its images."""

import dataclasses

from msgspec import structs

from bench.machine.device_names import is_cpu
from bench.machine.energy.meter import EnergyMeter, card_counters, cpu_counters
from results.schema.case import Case
from results.schema.lines.record import Facts
from results.schema.lines.run import Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SustainedUse:
    """A case in sustained use; a value that is None has its reason in `nulls`."""

    step_s: float | None
    image_j: float | None
    idle_w: float | None
    nulls: dict[str, str]
    """Reasons by the names of facts."""

    def added_to(self, facts: Facts) -> Facts:
        """Return `facts` with the values."""
        return structs.replace(facts, sustained_s=self.step_s, image_j=self.image_j, idle_w=self.idle_w)


def no_sustained_use(reason: str) -> SustainedUse:
    """Return what is known of a case that was not in sustained use."""
    nulls = dict.fromkeys(("sustained_s", "image_j", "idle_w"), reason)
    return SustainedUse(step_s=None, image_j=None, idle_w=None, nulls=nulls)


def before_sustained_use(settings: Settings) -> SustainedUse:
    """Return what is known of a case unless the schedule lets it be in sustained use."""
    return no_sustained_use("not asked for" if settings.sustained_s is None else "measured in the last replicate")


def energy_meter(case: Case, identity: str | None) -> EnergyMeter:
    """Return a meter of the energy of a case's device; `identity` is the UUID of its GPU."""
    return EnergyMeter(cpu_counters() if is_cpu(case.device) else card_counters(identity))
