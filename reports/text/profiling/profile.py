"""Profiles as text: the answer first, then where the time goes, how far from the roof, and what would help."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from reports.style.rows import each
from reports.text.grid import check_format, grid_text, lines_text
from results.analysis.profiles.advice import Advice, advice
from results.analysis.profiles.breakdown import by_kind, by_operator, rows_of, slow_down, step_seconds
from results.analysis.profiles.matching import memory_of, peaks_of
from results.analysis.profiles.roofline import CaseRoof, case_roof, roof_warnings, roofline
from results.metrics.rows import json_text
from results.schema.lines.peaks import Peaks
from results.schema.lines.profile import STEP_PHASES, Profile
from results.storage.reader import RunFile
from results.text import csv_text, digits

MOST_LAYERS: Final = 12
MOST_OPERATORS: Final = 8
MOST_GAINS: Final = 8
BOUNDS: Final = {"compute": "by arithmetic", "memory": "by memory traffic", "overhead": "by what calling it costs"}


def profiles_text(file: RunFile, fmt: str) -> str:
    """Return the profiles of a run file as ``table``, ``json``, ``csv`` or ``markdown``, ending in a newline.

    ``csv`` has a row for each operator, module, phase and shape, with the seconds of a step.

    Raises:
        InputError: the format does not exist.
    """
    check_format(fmt)
    profiles = [profile for profile in file.bodies("profile") if isinstance(profile, Profile)]
    sound = [profile for profile in profiles if profile.status == "ok"]
    if fmt == "json":
        return json_text([_document(profile, file) for profile in profiles])
    if fmt == "csv":
        frames = [rows_of(profile).assign(case=profile.label) for profile in sound]
        heads = list(frames[0].columns) if frames else ["case"]
        return csv_text(heads, [list(row) for frame in frames for row in frame.itertuples(index=False)])
    return lines_text([""], fmt).join(_sections(profile, file, fmt) for profile in sound)


def _document(profile: Profile, file: RunFile) -> dict[str, Any]:
    peaks = peaks_of(profile, file)
    roof = None if peaks is None else case_roof(profile, peaks)
    memory = memory_of(profile, file)
    return {
        "profile": msgspec.to_builtins(profile),
        "roof": None if roof is None else dataclasses.asdict(roof),
        "layers": [] if peaks is None else roofline(profile, peaks).to_dict("records"),
        "advice": [dataclasses.asdict(given) for given in advice(profile, peaks)],
        "warnings": [] if peaks is None else list(roof_warnings(profile, peaks)),
        "memory": None if memory is None else msgspec.to_builtins(memory),
    }


def _sections(profile: Profile, file: RunFile, fmt: str) -> str:
    peaks = peaks_of(profile, file)
    parts = [lines_text(_answer(profile, peaks), fmt), _kinds(profile, fmt)]
    if peaks is not None and profile.works:
        parts.append(_layers(profile, peaks, fmt))
    parts += [_operators(profile, fmt), _advice(profile, peaks, fmt), lines_text(_notes(profile, file, peaks), fmt)]
    return lines_text([""], fmt).join(part for part in parts if part)


def _answer(profile: Profile, peaks: Peaks | None) -> list[str]:
    step_s = step_seconds(profile)
    kinds = by_kind(profile).groupby("kind")["self_s"].sum().sort_values(ascending=False)
    largest = str(kinds.index[0])
    first = f"a step takes {_ms(step_s)} ms, of which {largest} takes {float(kinds.iloc[0]) / step_s:.0%}"
    roof = None if peaks is None else case_roof(profile, peaks)
    lines = [profile.label, first + (_of_roof(roof) if roof else "")]
    best = next((given for given in advice(profile, peaks) if given.what != "ideal" and given.low_s > 0), None)
    if best is not None:
        lines.append(f"most would help: {_remedy(best)}, which would save {_interval(best)}")
    return lines


def _of_roof(roof: CaseRoof) -> str:
    used = "" if roof.mfu is None else f"; {roof.mfu:.0%} of the best product's FLOP/s"
    return f"; at the roof it would take {_ms(roof.roof_s)} ms ({roof.share_of_roof:.0%} of it){used}"


def _kinds(profile: Profile, fmt: str) -> str:
    by: dict[str, dict[str, float]] = {}
    for row in each(by_kind(profile)):
        by.setdefault(row.kind, {})[row.phase] = row.self_s
    phases = [phase for phase in STEP_PHASES if any(phase in seconds for seconds in by.values())]
    step_s = step_seconds(profile)
    rows = [
        [kind, *(_ms(seconds.get(phase, 0.0)) for phase in phases), _ms(total), f"{total / step_s:.1%}"]
        for kind, seconds in sorted(by.items(), key=lambda pair: -sum(pair[1].values()))
        if (total := sum(seconds.values())) or kind == "unexplained"
    ]
    return grid_text(["class", *(f"{phase} ms" for phase in phases), "ms", "share"], rows, fmt, numbers_from=1)


def _layers(profile: Profile, peaks: Peaks, fmt: str) -> str:
    frame = roofline(profile, peaks).sort_values("measured_s", ascending=False).head(MOST_LAYERS)
    rows = [
        [row.name, row.type, row.phase, _ms(row.measured_s), _ms(row.roof_s), f"{row.share_of_roof:.0%}",
         digits(row.intensity, None), row.bound]
        for row in each(frame)
    ]  # fmt: skip
    heads = ["slowest layers", "type", "phase", "ms", "roof ms", "of the roof", "FLOP/B", "bound by"]
    return grid_text(heads, rows, fmt, numbers_from=3, numbers_to=7)


def _operators(profile: Profile, fmt: str) -> str:
    rows = [
        [_cut(row.name, 72), row.kind, _cut(row.shapes), str(row.calls), _ms(row.self_s), f"{row.share:.1%}"]
        for row in each(by_operator(profile).head(MOST_OPERATORS))
    ]
    heads = ["slowest operators", "class", "shapes", "calls", "ms", "share"]
    return grid_text(heads, rows, fmt, numbers_from=3)


def _advice(profile: Profile, peaks: Peaks | None, fmt: str) -> str:
    given = advice(profile, peaks)
    if not given:
        return ""
    step_s = step_seconds(profile)
    rows = [
        [_remedy(remedy), _ms(remedy.saves_s), f"{_ms(remedy.low_s)} to {_ms(remedy.high_s)}",
         f"{remedy.saves_s / step_s:.0%}", _where(remedy)]
        for remedy in given
    ]  # fmt: skip
    heads = ["what would help", "saves ms", "interval", "of a step", "most of all in"]
    return grid_text(heads, rows, fmt, numbers_from=1, numbers_to=4) + _gaining_layers(given, fmt)


def _gaining_layers(given: Sequence[Advice], fmt: str) -> str:
    """Return the layers that would gain most by a change that was timed on them, each with its interval."""
    gains = [
        (remedy, gain, gain.low_s, gain.high_s)
        for remedy in given
        for gain in remedy.layers
        if gain.low_s is not None and gain.high_s is not None and gain.saves_s > 0
    ]
    if not gains:
        return ""
    gains.sort(key=lambda each: -each[1].saves_s)
    rows = [
        [f"{gain.layer} {gain.phase}", _remedy(remedy), _ms(gain.saves_s), f"{_ms(low)} to {_ms(high)}"]
        for remedy, gain, low, high in gains[:MOST_GAINS]
    ]
    heads = ["layer", "what would help", "saves ms", "interval"]
    return lines_text([""], fmt) + grid_text(heads, rows, fmt, numbers_from=2)


def _remedy(remedy: Advice) -> str:
    texts = {
        "ideal": "an implementation at the roof",
        "layout": f"layout {remedy.value}",
        "precision": f"precision {remedy.value}",
        "fusion": "a compiler that fuses (--runtime compile)",
        "batch": f"batch {remedy.value}, for as many images",
    }
    return texts[remedy.what]


def _where(remedy: Advice) -> str:
    return ", ".join(f"{gain.layer} {gain.phase}" for gain in remedy.layers[:2] if gain.saves_s > 0)


def _interval(remedy: Advice) -> str:
    return f"{_ms(remedy.saves_s)} ms ({_ms(remedy.low_s)} to {_ms(remedy.high_s)}) of a step"


def _notes(profile: Profile, file: RunFile, peaks: Peaks | None) -> Sequence[str]:
    lines = []
    slower = slow_down(profile)
    if slower is not None:
        lines.append(f"the profiled step took {slower:.2f} times as long as steps without the profiler")
    if profile.launch_bound is not None:
        lines.append(
            f"the device waited for the host to launch a kernel in {profile.launch_bound:.0%} of its idle time"
        )
    memory = memory_of(profile, file)
    if memory is not None and memory.predicted is not None:
        measured = "" if memory.measured_bytes is None else f", measured {memory.measured_bytes / 1e6:,.1f} MB"
        where = " ".join(filter(None, (memory.peak_module, memory.peak_phase)))
        lines.append(f"peak memory: predicted {memory.predicted.total / 1e6:,.1f} MB{measured}, in {where}")
    if profile.trace is not None:
        lines.append(f"trace for Perfetto: {profile.trace} ({(profile.trace_bytes or 0) / 1e3:,.0f} kB)")
    lines += [f"{name}: {reason}" for name, reason in profile.nulls.items() if name not in {"launch_bound", "trace"}]
    lines += [] if peaks is None else [f"warning: {warning}" for warning in roof_warnings(profile, peaks)]
    return [*lines, *profile.notes]


def _ms(seconds: float) -> str:
    return digits(1e3 * seconds, None)


def _cut(text: str, most: int = 44) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
