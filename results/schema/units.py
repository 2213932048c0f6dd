"""The units of stored values, declared once, with their names for people and other programs."""

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit in which values are stored: an SI base unit, or a count of something."""

    scales: tuple[tuple[float, str], ...]
    """Factors and names of the units that people read, the largest first."""
    suffix: str = ""
    """Ending of the names of metrics in this unit."""
    words: str = ""
    """The unit spelled out, for OpenMetrics."""


UNITS: Final[dict[str, Unit]] = {
    "s": Unit(scales=((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")), suffix="s", words="seconds"),
    "B": Unit(scales=((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")), suffix="bytes", words="bytes"),
    "img/s": Unit(scales=((1.0, "img/s"),), suffix="img_per_s", words="images_per_second"),
    "FLOP/s": Unit(
        scales=((1e12, "TFLOP/s"), (1e9, "GFLOP/s"), (1e6, "MFLOP/s")), suffix="flops_per_s", words="flops_per_second"
    ),
    "FLOP": Unit(scales=((1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP")), suffix="flops", words="flops"),
    "FLOP/B": Unit(scales=((1.0, "FLOP/B"),), suffix="flops_per_byte", words="flops_per_byte"),
    "MAC": Unit(scales=((1e9, "GMAC"), (1e6, "MMAC")), suffix="macs", words="macs"),
    "J": Unit(scales=((1e3, "kJ"), (1.0, "J"), (1e-3, "mJ")), suffix="j", words="joules"),
    "img/J": Unit(scales=((1.0, "img/J"),), suffix="img_per_j", words="images_per_joule"),
    "W": Unit(scales=((1.0, "W"),), suffix="w", words="watts"),
    "1": Unit(scales=((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))),
}
"""Every unit of a metric by its symbol; ``1`` is the unit of ratios and counts."""
