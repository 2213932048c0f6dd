"""Bounds and verdicts: a number that a step measured, the bound it must keep, and the table of all of them.

A number that cannot be had is ``unknown``, with its reason: it is neither kept nor broken.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

from tests.rehearsal.evidence import Evidence
from tests.rehearsal.running import Outcome

State = Literal["kept", "BROKEN", "unknown", "shown", "skipped"]
CODES: Final = {"BROKEN": 1, "unknown": 3}
"""Exit code of the rehearsal by its worst verdict, worst first, as in `selftest`; all others are fine."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A number with the interval in which it must lie; a number without an interval is shown and not judged."""

    what: str
    read: Callable[[Evidence], float]
    """Reads the number. It may raise: the message is the reason why the number is unknown."""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    times: float = 1.0
    """Factor from the number's SI unit to `unit`; `low` and `high` are in `unit`."""

    @property
    def text(self) -> str:
        """The interval for a person."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            exact = self.low == self.high
            return f"{self.low:g}{unit}" if exact else f"{self.low:g} to {self.high:g}{unit}"
        if self.high is not None:
            return f"≤ {self.high:g}{unit}"
        return "" if self.low is None else f"≥ {self.low:g}{unit}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A line of the table."""

    step: str
    what: str
    number: float | None
    unit: str
    bound: str
    state: State
    reason: str = ""
    """Why the number is unknown, or the step skipped or broken."""


def judge(bound: Bound, step: str, evidence: Evidence) -> Verdict:
    """Return the verdict on the number of a bound."""
    reason, number = "", None
    try:
        number = bound.read(evidence) * bound.times
        if math.isnan(number):
            reason, number = "it is not a number", None
    except Exception as error:  # noqa: BLE001 - a damaged file of a step must not cost the whole table
        reason = f"{type(error).__name__}: {error}" if not isinstance(error, LookupError) else str(error.args[0])
    state: State = "unknown"
    if number is not None:
        low = -math.inf if bound.low is None else bound.low
        high = math.inf if bound.high is None else bound.high
        state = "shown" if bound.low is bound.high is None else "kept" if low <= number <= high else "BROKEN"
    elif bound.low is bound.high is None:
        state = "shown"
    return Verdict(
        step=step, what=bound.what, number=number, unit=bound.unit, bound=bound.text, state=state, reason=reason
    )


def judge_step(outcome: Outcome, bounds: Iterable[Bound], evidence: Evidence) -> list[Verdict]:
    """Return the verdict on the end of a step, then those on its numbers; a step that did not run has no numbers."""
    states: dict[str, State] = {"skipped": "skipped", "not started": "unknown", "ended": "kept"}
    end = Verdict(
        step=outcome.step,
        what=outcome.state,
        number=None if outcome.state in {"skipped", "not started"} else outcome.seconds,
        unit="s",
        bound=f"≤ {outcome.limit_s:.0f} s",
        state=states.get(outcome.state, "BROKEN"),
        reason=outcome.reason,
    )
    if outcome.state in {"skipped", "not started"}:
        return [end]
    return [end, *(judge(bound, outcome.step, evidence) for bound in bounds)]


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return 1 if a bound or a step is broken, else 3 if something could not be judged, else 0."""
    states = {verdict.state for verdict in verdicts}
    return next((code for state, code in CODES.items() if state in states), 0)


def figure(verdict: Verdict) -> str:
    """Return the number of a verdict with its unit."""
    if verdict.number is None:
        return "–"
    number = f"{verdict.number:.4g}" if abs(verdict.number) < 1e4 else f"{verdict.number:,.0f}"
    return f"{number} {verdict.unit}".rstrip()


def write_table(verdicts: Sequence[Verdict]) -> None:
    """Write the table to stdout, a line a verdict."""
    rows = [[v.state, v.step, v.what, figure(v), v.bound, v.reason] for v in verdicts]
    write_columns(["", "step", "what", "number", "bound", "reason"], rows)


def write_columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write an empty line and rows of text in columns to stdout."""
    sys.stdout.write("\n")
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()


def as_json(verdicts: Iterable[Verdict], **more: object) -> str:
    """Return the verdicts, and what else belongs to them, as the text of ``verdicts.json``."""
    return json.dumps({**more, "verdicts": [dataclasses.asdict(verdict) for verdict in verdicts]}, indent=1) + "\n"
