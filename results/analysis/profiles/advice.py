"""What would help a case, in seconds of its step, best first, each with an interval.

``layout``, ``precision`` and ``batch`` rest on measurements: each layer was timed alone in both settings. A layer alone
does not know its neighbours, so the interval has a share of the step on both sides. ``fusion`` and ``ideal`` rest on
the roof.
"""

import dataclasses
import statistics
from collections import defaultdict
from typing import Final, Literal

import pandas as pd

from results.analysis.profiles.breakdown import layer_sums, rows_of, step_seconds
from results.analysis.profiles.roofline import roofline
from results.schema.labels import RUNTIMES
from results.schema.lines.peaks import Peaks
from results.schema.lines.profile import LayerProbe, Profile

Remedy = Literal["ideal", "layout", "precision", "fusion", "batch"]
NEIGHBOURS: Final = 0.1
"""Share of a step by which neighbours may change what layers alone promise: conversions, caches, other threads. With
0.05 the gain of another layout lay in its interval in 8 of 12 cases on two cores of a shared host."""
REMEDIES: Final[dict[str, Remedy]] = {"layout": "layout", "precision": "precision", "batch_size": "batch"}
"""The remedy of each axis in which layers are tried."""
ELEMENTWISE: Final = frozenset({"normalisation", "activation", "addition"})
FUSED_LOW: Final = 0.0
FUSED_HIGH: Final = 1.5
"""A compiler may gain nothing, or half as much again as element-wise layers take, as it also chooses other layouts."""
LEAST_SHARE: Final = 0.01
"""Share of a step below which advice is not given."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerGain:
    """What a layer would gain in a phase."""

    layer: str
    phase: str
    saves_s: float
    low_s: float | None = None
    """Ends of its interval, by the quartiles of the turns in which the layer was timed alone; None where it was not."""
    high_s: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What would help, and by how much: seconds of a step, negative where it would harm."""

    what: Remedy
    value: str
    """The setting, such as ``nhwc``; ``compile`` of fusion; the batch; ``the roof``."""
    saves_s: float
    low_s: float
    high_s: float
    layers: tuple[LayerGain, ...]
    """The largest gain first; empty where it is not known by layer."""


def advice(profile: Profile, peaks: Peaks | None) -> tuple[Advice, ...]:
    """Return what would help a profiled case, the largest gain first; without peaks what needs no roof."""
    if profile.case is None or profile.status != "ok":
        return ()
    made = _from_probes(profile)
    if not RUNTIMES[profile.case.runtime].compiles:
        made.append(_fusion(profile))
    layers = None if peaks is None else roofline(profile, peaks)
    if layers is not None and not layers.empty:
        made.append(_ideal(profile, layers))
    least_s = LEAST_SHARE * step_seconds(profile)
    return tuple(sorted((each for each in made if each.high_s > least_s), key=lambda each: -each.saves_s))


def _layer_seconds(profile: Profile) -> dict[tuple[str, str], float]:
    """Return the seconds of the operators of each layer and phase, without the host's time between them."""
    rows = rows_of(profile)
    return layer_sums(rows[rows["kind"] != "overhead"])


def _from_probes(profile: Profile) -> list[Advice]:
    """Return the advice on other settings, from layers that were timed alone."""
    by_setting: dict[tuple[Remedy, str], list[LayerProbe]] = defaultdict(list)
    for probe in profile.probes:
        remedy = REMEDIES.get(probe.axis, "precision")
        by_setting[remedy, probe.value].append(probe)
    seconds, slack = _layer_seconds(profile), NEIGHBOURS * step_seconds(profile)
    between = float(rows_of(profile).query("kind == 'overhead'")["self_s"].sum())
    made = []
    for (remedy, value), probes in by_setting.items():
        shared = between if remedy == "batch" else 0.0  # the host's time between operators is that of twice the images
        gains, low, high = [], 0.0, shared
        for probe in probes:
            middle, least, most = _ratio(probe)
            for layer in probe.layers:
                took = seconds.get((layer, probe.phase), 0.0)
                ends = took * (1 - most), took * (1 - least)
                saved = took * (1 - middle)
                gains.append(LayerGain(layer=layer, phase=probe.phase, saves_s=saved, low_s=ends[0], high_s=ends[1]))
                low += ends[0]
                high += ends[1]
        gains.sort(key=lambda gain: -gain.saves_s)
        saves = sum(gain.saves_s for gain in gains) + shared / 2
        made.append(
            Advice(what=remedy, value=value, saves_s=saves, low_s=low - slack, high_s=high + slack, layers=tuple(gains))
        )
    return made


def _ratio(probe: LayerProbe) -> tuple[float, float, float]:
    """Return the median of a probe's ratios, and their quartiles: single rounds are disturbed on shared hosts."""
    ordered = sorted(probe.ratios)
    quarter = len(ordered) // 4
    return statistics.median(ordered), ordered[quarter], ordered[len(ordered) - 1 - quarter]


def _fusion(profile: Profile) -> Advice:
    """Return what a compiler may save of element-wise layers and of the host's time between operators."""
    rows = rows_of(profile)
    inside = rows[rows["kind"].isin(ELEMENTWISE) & rows["phase"].isin(["forward", "backward"])]
    gains = _gains(inside)
    between = float(rows.loc[rows["kind"].eq("overhead"), "self_s"].sum())
    total = float(inside["self_s"].sum()) + between
    return Advice(
        what="fusion", value="compile", saves_s=0.7 * total, low_s=FUSED_LOW * total, high_s=FUSED_HIGH * total,
        layers=gains,
    )  # fmt: skip


def _ideal(profile: Profile, layers: pd.DataFrame) -> Advice:
    """Return what an implementation at the roof of `layers` would save, fused or not."""
    layers = layers.assign(self_s=layers["measured_s"] - layers["roof_s"], module=layers["name"])
    step_s = step_seconds(profile)
    plain, fused = float(layers["roof_s"].sum()), float(layers["fused_roof_s"].sum())
    return Advice(
        what="ideal",
        value="the roof",
        saves_s=max(0.0, step_s - plain),
        low_s=max(0.0, step_s - 1.1 * plain),
        high_s=max(0.0, step_s - 0.9 * fused),
        layers=_gains(layers),
    )


def _gains(rows: pd.DataFrame) -> tuple[LayerGain, ...]:
    sums = sorted(layer_sums(rows).items(), key=lambda pair: -pair[1])
    return tuple(LayerGain(layer=module, phase=phase, saves_s=seconds) for (module, phase), seconds in sums)
