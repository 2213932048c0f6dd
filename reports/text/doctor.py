"""The findings of the doctor as text.

The classes describe the classes of `bench.doctor`, which this package does not import.
"""

# ruff: noqa: D102 - the properties are documented where they are declared

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from reports.text.comparison import share_text
from reports.text.grid import lines_text, text_table
from results.metrics.rows import json_text
from results.schema.lines.record import Noise
from results.statistics.looks import LOOKS, Judged
from results.text import percent


class Check(Protocol):
    """`bench.doctor.checks.Check`."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def seen(self) -> str: ...
    @property
    def remedy(self) -> str | None: ...


class Resolution(Protocol):
    """`bench.doctor.floor.Resolution`."""

    @property
    def seconds(self) -> float: ...
    @property
    def pairs(self) -> int | None: ...
    @property
    def slower(self) -> float | None: ...
    @property
    def same(self) -> float | None: ...


class Floor(Protocol):
    """`bench.doctor.floor.Floor`."""

    @property
    def case(self) -> str: ...
    @property
    def margin(self) -> float: ...
    @property
    def judged(self) -> Judged: ...
    @property
    def spread_low(self) -> float | None: ...
    @property
    def spread_high(self) -> float | None: ...
    @property
    def resolutions(self) -> Sequence[Resolution]: ...
    @property
    def noise(self) -> Noise: ...
    @property
    def reasons(self) -> Sequence[str]: ...
    @property
    def notices(self) -> Sequence[str]: ...


class Findings(Protocol):
    """`bench.doctor.doctor.Findings`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def verdict(self) -> str: ...
    @property
    def fit(self) -> bool: ...
    @property
    def checks(self) -> Sequence[Check]: ...
    @property
    def floor(self) -> Floor | None: ...


def doctor_text(findings: Findings, form: Literal["table", "json"]) -> str:
    """Return the verdict, the checks and the noise floor as text, ending in a newline."""
    if form == "json":
        return json_text({"verdict": findings.verdict, "fit": findings.fit, **msgspec.to_builtins(findings)})
    rows = [[check.name, check.state, check.seen, check.remedy or ""] for check in findings.checks]
    text = lines_text([findings.verdict, ""], "table") + text_table(["check", "state", "seen", "what to do"], rows)
    return text if findings.floor is None else text + lines_text([""], "table") + _floor_text(findings.floor)


def _floor_text(floor: Floor) -> str:
    lines = [f"A/A run of {floor.case}: {floor.judged.pairs} pairs"]
    spread, low, high = floor.judged.spread, floor.spread_low, floor.spread_high
    if spread is None or low is None or high is None:
        lines.append(f"no noise floor: {floor.judged.reason or 'the spread of the pairs is unknown'}")
    else:
        span = f"{percent(low)} to {percent(high)} %"
        lines.append(f"noise floor: a pair's ratio spreads by {percent(spread)} % (sd; 95 % interval {span})")
    lines += [f"meanwhile: {_meanwhile(floor.noise)}", *floor.notices, *floor.reasons]
    if not floor.resolutions:
        return lines_text(lines, "table")
    lines += ["", f"smallest effects, at a margin of {share_text(floor.margin)}, in 95 % of the runs"]
    heads = ["seconds", "pairs", "slow-down called slower", "margin at which equal is called same"]
    rows = [
        [f"{row.seconds:g}", str(row.pairs or f"less than {min(LOOKS)}"), _share(row.slower), _share(row.same)]
        for row in floor.resolutions
    ]
    return lines_text(lines, "table") + text_table(heads, rows, numbers_from=0)


def _meanwhile(noise: Noise) -> str:
    figures: dict[str, Any] = {
        "other load {:.2f} CPUs": noise.other_cpus,
        "steal {:.2f} CPUs": noise.steal,
        "cpu pressure {:.2f}": noise.cpu_pressure,
        "memory pressure {:.2f}": noise.memory_pressure,
        "stopped by the cpu limit {:.2f} s": noise.throttled_s,
    }
    figures_text = [form.format(value) for form, value in figures.items() if value is not None]
    return ", ".join(figures_text) or "this system counts nothing"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{percent(value)} %"
