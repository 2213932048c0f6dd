"""The frames of rooflines: a row a layer and phase, and a row a remedy."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from reports.figures.chart import Source
from results.analysis.profiles.advice import Advice, advice
from results.analysis.profiles.breakdown import step_seconds
from results.analysis.profiles.matching import peaks_of
from results.analysis.profiles.roofline import ROOF_COLUMNS, Roof, case_roof, roofline
from results.schema.lines.peaks import Peaks
from results.schema.lines.profile import Profile
from results.text import printable

REMEDIES: Final = {
    "ideal": "an implementation at the roof",
    "layout": "layout {}",
    "precision": "precision {}",
    "fusion": "a compiler that fuses",
    "batch": "batch {}, for as many images",
}


def roof_layers(source: Source) -> pd.DataFrame:
    """Return a row for each layer and phase of every profile whose device's peaks are known."""
    parts = []
    for run, profile, peaks in _profiles(source):
        rows = roofline(profile, peaks) if peaks is not None else pd.DataFrame(columns=list(ROOF_COLUMNS))
        if peaks is None or profile.case is None or rows.empty:
            continue
        roof, whole = Roof(peaks, profile.case.precision), case_roof(profile, peaks)
        own: dict[str, Any] = {
            "run": run,
            "case": printable(profile.label),
            "rates": [tuple(roof.rates.items())] * len(rows),
            "streams": [tuple(zip(roof.sizes, roof.bandwidths, strict=True))] * len(rows),
            "of_step": whole.share_of_roof if whole is not None else None,
            "mfu": whole.mfu if whole is not None else None,
        }
        parts.append(rows.assign(**own, achieved=rows["flops"] / rows["measured_s"]))
    names = [*ROOF_COLUMNS, "run", "case", "rates", "streams", "of_step", "mfu", "achieved"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def products_only(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the layers with FLOPs: others have no place on a logarithmic axis of rates."""
    return frame[frame["flops"] > 0]


def advice_frame(source: Source) -> pd.DataFrame:
    """Return a row for each remedy of every profile, the largest gain first."""
    rows = [
        {"run": run, "case": printable(profile.label), "step_s": step_seconds(profile), **_remedy(each)}
        for run, profile, peaks in _profiles(source)
        for each in advice(profile, peaks)
    ]
    names = ["run", "case", "step_s", "remedy", "saves_s", "saves_low", "saves_high", "layers"]
    return pd.DataFrame(rows, columns=names)


def _profiles(source: Source) -> Iterator[tuple[str, Profile, Peaks | None]]:
    for file in source.study.records.files:
        for profile in file.bodies("profile"):
            if isinstance(profile, Profile) and profile.status == "ok":
                yield file.run.id, profile, peaks_of(profile, file)


def _remedy(each: Advice) -> dict[str, Any]:
    layers = ", ".join(f"{gain.layer} {gain.phase}" for gain in each.layers[:3] if gain.saves_s > 0)
    return {
        "remedy": REMEDIES[each.what].format(each.value),
        "saves_s": each.saves_s,
        "saves_low": each.low_s,
        "saves_high": each.high_s,
        "layers": layers,
    }
