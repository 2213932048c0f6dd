"""How far each layer is from what its device can do (Williams 2009).

The roof of a layer is the longest of three times: its FLOPs at the best rate of its kind and precision, the bytes that
must move at the bandwidth of its working set, and what calling its operators costs. Which of them it is says what
bounds the layer.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from results.analysis.profiles.breakdown import layer_sums, rows_of, step_seconds
from results.schema.lines.peaks import Peaks
from results.schema.lines.profile import LayerWork, Profile

ROOF_COLUMNS: Final = (
    *("name", "type", "stage", "phase", "flops", "bytes", "fused_bytes", "intensity"),
    *("roof_s", "fused_roof_s", "measured_s", "share_of_roof", "bound"),
)
OVERHEAD_SHARE: Final = 0.5
"""Share of its measured time that calling its operators must take for a layer to be bound by overhead."""
SPREAD: Final = 0.1
"""How far a layer may be above the roof without a warning, besides the spread of the peaks: on a shared host medians
have about this spread themselves."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaseRoof:
    """A case and its roof."""

    flops: int
    bytes: int
    roof_s: float
    """Sum of the roofs of its layers."""
    step_s: float
    mfu: float | None
    """Model FLOP utilisation (Chowdhery 2022): its FLOPs over those that the best product does in its time."""
    share_of_roof: float


class Roof:
    """What a device can do, for a precision."""

    def __init__(self, peaks: Peaks, precision: str) -> None:
        """Take the rates of `precision`; where it was not measured, those of fp32."""
        known = {(peak.operator, peak.precision): statistics.median(peak.flops_per_s) for peak in peaks.compute}
        self.rates = {operator: rate for (operator, each), rate in known.items() if each == precision}
        self.precise = bool(self.rates)
        self.rates = self.rates or {operator: rate for (operator, each), rate in known.items() if each == "fp32"}
        by_size: dict[int, list[float]] = {}
        for each in peaks.bandwidths:
            by_size.setdefault(each.working_set_bytes, []).append(statistics.median(each.bytes_per_s))
        self.sizes = sorted(by_size)
        self.bandwidths = [max(by_size[size]) for size in self.sizes]
        self.dispatch_s = statistics.median(peaks.dispatch_s) if peaks.dispatch_s else 0.0

    @property
    def best_rate(self) -> float | None:
        """FLOP/s of the fastest product."""
        return max(self.rates.values(), default=None)

    def rate(self, layer: str) -> float | None:
        """Return the FLOP/s of a kind of layer: of convolutions the better of both products, as some are products."""
        return self.best_rate if layer.startswith("Conv") else self.rates.get("matmul", self.best_rate)

    def bandwidth(self, working_set: float) -> float | None:
        """Return the bytes a second of a working set, between those that were measured."""
        if not self.sizes:
            return None
        logarithms = np.interp(
            math.log(max(1.0, working_set)), [math.log(size) for size in self.sizes], np.log(self.bandwidths)
        )
        return float(np.exp(logarithms))

    def seconds(self, work: LayerWork, moved: int, calls: int) -> tuple[float, str]:
        """Return the least seconds of a layer that moves so many bytes, and what bounds it."""
        # What a layer takes is what the layer before has just written: half of it may lie in a cache already.
        rate, bandwidth = self.rate(work.type), self.bandwidth(work.bytes / 2)
        times = {
            "compute": work.flops / rate if rate else 0.0,
            "memory": moved / bandwidth if bandwidth else 0.0,
            "overhead": calls * self.dispatch_s,
        }
        bound = max(times, key=times.__getitem__)
        return times[bound], bound


def roofline(profile: Profile, peaks: Peaks) -> pd.DataFrame:
    """Return a row for each layer and phase with its roof, its measured seconds, and what bounds it.

    A layer with a roof of less than a hundredth of what calling it costs has no row.
    """
    if profile.case is None:
        return pd.DataFrame(columns=list(ROOF_COLUMNS))
    roof = Roof(peaks, profile.case.precision)
    rows = rows_of(profile)
    measured, overhead = layer_sums(rows), layer_sums(rows[rows["kind"] == "overhead"])
    out = []
    for work in profile.works:
        seconds = measured.get((work.name, work.phase), 0.0)
        if not seconds:
            continue
        least_s, bound = roof.seconds(work, work.bytes, 1)
        fused_s, _ = roof.seconds(work, work.fused_bytes, 0)
        called_s = overhead.get((work.name, work.phase), 0.0) + roof.dispatch_s
        if called_s > OVERHEAD_SHARE * seconds:
            bound = "overhead"
        out.append(
            (work.name, work.type, work.stage, work.phase, work.flops, work.bytes, work.fused_bytes,
             work.flops / work.bytes if work.bytes else 0.0, least_s, fused_s, seconds, least_s / seconds, bound)
        )  # fmt: skip
    return pd.DataFrame(out, columns=list(ROOF_COLUMNS))


def case_roof(profile: Profile, peaks: Peaks) -> CaseRoof | None:
    """Return a case with its roof, None for a trace that was made elsewhere and where no work is known."""
    layers = roofline(profile, peaks)
    if profile.case is None or layers.empty:
        return None
    step_s, best = step_seconds(profile), Roof(peaks, profile.case.precision).best_rate
    flops, roof_s = int(layers["flops"].sum()), float(layers["roof_s"].sum())
    return CaseRoof(
        flops=flops,
        bytes=int(layers["bytes"].sum()),
        roof_s=roof_s,
        step_s=step_s,
        mfu=flops / (best * step_s) if best else None,
        share_of_roof=roof_s / step_s,
    )


def roof_warnings(profile: Profile, peaks: Peaks) -> tuple[str, ...]:
    """Return what contradicts a roof: layers above it, a sum of roofs above the step, a precision without a rate."""
    layers = roofline(profile, peaks)
    if profile.case is None or layers.empty:
        return ()
    warnings = []
    above = layers[layers["share_of_roof"] > 1 + SPREAD + _spread(peaks)]
    if not above.empty:
        worst = above.sort_values("share_of_roof").iloc[-1]
        warnings.append(
            f"{len(above)} layers are above the roof, {worst['name']} {worst['phase']} by a factor of "
            f"{worst['share_of_roof']:.2g}: the peaks were measured while something else ran, or are no peaks"
        )
    total, step_s = float(layers["roof_s"].sum()), step_seconds(profile)
    if total > step_s * (1 + SPREAD):
        warnings.append(f"the roofs of all layers take {total / step_s:.0%} of the measured step")
    if not Roof(peaks, profile.case.precision).precise:
        warnings.append(f"no rate of {profile.case.precision} was measured: its roof is that of fp32")
    return tuple(warnings)


def _spread(peaks: Peaks) -> float:
    """Return the largest half range of a rate, over its median."""
    every: list[Sequence[float]] = [peak.flops_per_s for peak in peaks.compute]
    every += [each.bytes_per_s for each in peaks.bandwidths]
    return max(((max(v) - min(v)) / 2 / statistics.median(v) for v in every), default=0.0)
