"""Findings under a table: attribution of speed-ups, break-even of compiling, and cases that reached the target."""

import math
from collections.abc import Sequence
from typing import Final

from reports.text.comparison import share_text
from reports.text.grid import check_format, lines_text
from reports.text.table import format_table, pivots_text
from results.analysis.study import Study
from results.metrics.breakeven import BreakEven, Steps
from results.metrics.speedups import Chain, Factor, setting
from results.metrics.table import worst_stop
from results.schema.axes import AXES, BASELINE, CONDITIONS, SETTINGS, axis_text
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import Settings
from results.storage.reader import Records, RunFile
from results.text import UNKNOWN, UNKNOWN_MEANING, digits, half_width, within

MOST_NAMED: Final = 5
"""The most cases that are named; the others are counted."""

_ALWAYS: Final = tuple(
    name
    for name, axis in AXES.items()
    if axis.role == "model" or (axis.role == "workload" and axis.key != "{}" and not axis.silent_default)
)
"""Axes that stand in the name of a case even where all cases agree on them: the model, and what of the workload its
key marks, as ``b8`` does."""
_ENDS: Final = {
    "budget": "ran out of budget",
    "time-limit": "were cut by the time limit",
    "eliminated": "left the search as others were faster",
    "failed": "failed",
    "unmeasured": "were not measured",
    "unsaid": "do not say why they ended",
}
"""Reasons why cases did not reach the target."""


def findings_text(study: Study, fmt: str) -> str:
    """Return the findings for people, with titles; empty for ``json`` and ``csv``.

    Raises:
        InputError: The format does not exist.
    """
    check_format(fmt)
    if fmt in {"json", "csv"}:
        return ""
    names, files = _Names(study.records), study.records.files
    titled = {
        "which change gave what": [_chain(chain, names) for chain in study.chains],
        "when compiling pays": [_break_even(even, names) for even in study.break_evens],
        "precision": [
            _reached(file, file.run.settings, names) for file in files if file.run.plan and file.run.settings
        ],
        "unchecked results": [line for file in files if (line := _unchecked(file, names))],
    }
    return "".join(lines_text(["", title, *lines, *_remedy(lines)], fmt) for title, lines in titled.items() if lines)


def _remedy(lines: Sequence[str]) -> list[str]:
    """Return what makes the intervals known, where any of these lines has an unknown half-width."""
    return [UNKNOWN_MEANING] if any(f"± {UNKNOWN}" in line for line in lines) else []


class _Names:
    """Short names of cases: `_ALWAYS`, and the axes on which the cases differ."""

    def __init__(self, records: Records) -> None:
        cases = {case for file in records.files for case in file.run.plan} | {record.case for record in records}
        self._many_runs = len(records.files) > 1
        self._varying = {name for name in AXES if len({getattr(case, name) for case in cases}) > 1}

    def run(self, run: str) -> str:
        """Return the name of the run as the beginning of a line, empty for a single run."""
        return f"{run}: " if self._many_runs else ""

    def workload(self, case: Case) -> str:
        """Return the name of the workload: ``resnet18 b1``, with task, size, device and threads if they vary."""
        always = [AXES[name].key.format(getattr(case, name)) for name in _ALWAYS]
        return " ".join([*always, *self._where_varying(case, CONDITIONS)])

    def case(self, case: Case) -> str:
        """Return the name of the workload with the settings that vary."""
        return " ".join([self.workload(case), *self._where_varying(case, SETTINGS)])

    def _where_varying(self, case: Case, axes: Sequence[str]) -> list[str]:
        shown = [name for name in axes if name in self._varying and name not in _ALWAYS]
        return [axis_text(name, getattr(case, name)) for name in shown]


def _chain(chain: Chain, names: _Names) -> str:
    workload = f"{names.run(chain.run)}{names.workload(chain.case)}"
    if chain.total is None:
        return f"{workload}: no chain to {setting(chain.case)}: {chain.reason}"
    steps = [f"{step.before} → {step.after} {_times(step.factor)}" for step in chain.steps]
    return f"{workload}: {', '.join(steps)}: {_times(chain.total)}"


def _times(factor: Factor) -> str:
    if factor.low is None or factor.high is None:
        return f"×{digits(factor.value, None)}"
    half = half_width(factor.value, factor.low, factor.high)
    return f"×{digits(factor.value, half)} {within(half)}"


def _break_even(even: BreakEven, names: _Names) -> str:
    name = f"{names.run(even.run)}{names.case(even.case)}"
    if even.cold is None or even.compile_s is None or even.ratio is None:
        return f"{name}: not known: {even.reason}"
    warm = "" if even.warm is None else f", with a warm cache {_pays(even.warm)}"
    took = f"{digits(even.compile_s, None)} s of compilation"
    return f"{name}: {_times(even.ratio)} over {BASELINE['runtime']}, {took}: {_pays(even.cold)}{warm}"


def _pays(steps: Steps) -> str:
    if math.isinf(steps.value):
        best = f" (at best after {_count(steps.low)} steps)" if steps.low is not None and steps.low < math.inf else ""
        return f"never pays{best}"
    bounds = (
        f" ({_count(steps.low)} to {_count(steps.high)})" if steps.low is not None and steps.high is not None else ""
    )
    return f"pays after {_count(steps.value)} steps{bounds}"


def _count(steps: float) -> str:
    """Return a number of steps with two digits: its interval justifies no more."""
    return "never" if math.isinf(steps) else f"{float(f'{steps:.2g}'):,.0f}"


def _reached(file: RunFile, settings: Settings, names: _Names) -> str:
    """Return the number of planned cases that reached the target, and the reasons of the others."""
    cases = file.cases()
    ends: dict[str, list[Case]] = {}
    for case in dict.fromkeys([*file.run.plan, *cases]):
        ends.setdefault(_end(list(cases.get(case, {}).values())), []).append(case)
    reached = f"{len(ends.get('target', []))} of {sum(map(len, ends.values()))} cases reached the target"
    others = [f"{len(ends[end])} {reason} ({_named(ends[end], names)})" for end, reason in _ENDS.items() if end in ends]
    return ", ".join([f"{names.run(file.run.id)}{reached} of ±{share_text(settings.target)}", *others])


def _unchecked(file: RunFile, names: _Names) -> str:
    """Return the number of measured cases whose result was not compared with their baseline's, empty for none."""
    if file.run.source is not None:  # an import has what its source states
        return ""
    measured = {
        case: list(replicates.values())
        for case, replicates in file.cases().items()
        if case != case.baseline and any(record.status == "ok" for record in replicates.values())
    }
    cases = [case for case, records in measured.items() if all(record.equality is None for record in records)]
    if not cases:
        return ""
    return f"{names.run(file.run.id)}{len(cases)} of {len(measured)} results were not checked ({_named(cases, names)})"


def _end(replicates: Sequence[Record]) -> str:
    if not replicates:
        return "unmeasured"
    if any(record.status != "ok" for record in replicates):
        return "failed"
    return worst_stop(replicates) or "unsaid"


def _named(cases: Sequence[Case], names: _Names) -> str:
    more = [f"{len(cases) - MOST_NAMED} more"] if len(cases) > MOST_NAMED else []
    return ", ".join([*(names.case(case) for case in cases[:MOST_NAMED]), *more])


def study_text(study: Study, fmt: str) -> str:
    """Return the table of a study, with pivots and findings for people; see `format_table` for the formats.

    Raises:
        InputError: The format does not exist.
    """
    return format_table(study.table, fmt) + pivots_text(study.table, fmt) + findings_text(study, fmt)
