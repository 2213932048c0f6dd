"""What runs show beneath their tables: which change gave what, when compiling pays, and what was precise enough."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from reports.text.table import check_format, lines_text, percent
from results.analysis.study import Study
from results.metrics.breakeven import BreakEven, Steps
from results.metrics.speedups import Chain, Factor, setting
from results.metrics.table import worst_stop
from results.schema.axes import AXES
from results.schema.case import Case
from results.schema.record import Record
from results.schema.run import Settings
from results.storage.reader import Records, RunFile
from results.text import digits, half_width

NAMED: Final = 5
"""Cases that are named before the rest is only counted."""

_ENDS: Final = {
    "budget": "ran out of budget",
    "time-limit": "were cut by the time limit",
    "failed": "failed",
    "unmeasured": "were not measured",
    "unsaid": "do not say why they ended",
}
"""What became of cases that did not reach the target."""


def findings_text(records: Records, fmt: str) -> str:
    """Return the findings for people, each kind with a title; empty for ``json`` and ``csv``.

    Raises:
        InputError: There is no such format.
    """
    check_format(fmt)
    if fmt in {"json", "csv"}:
        return ""
    name, study = _Names(records), Study(records)
    titled = {
        "which change gave what": [_chain(one, name) for one in study.chains],
        "when compiling pays": [_break_even(one, name) for one in study.break_evens],
        "precision": [
            _reached(file, file.run.settings, name) for file in records.files if file.run.plan and file.run.settings
        ],
    }
    return "".join(lines_text(["", title, *lines], fmt) for title, lines in titled.items() if lines)


class _Names:
    """Names cases as briefly as tells them apart."""

    def __init__(self, records: Records) -> None:
        cases = {case for file in records.files for case in file.run.plan} | {record.case for record in records}
        self._many_runs = len(records.files) > 1
        self._varying = {axis for axis in AXES if len({getattr(case, axis) for case in cases}) > 1}

    def run(self, run: str) -> str:
        """Name the run in front of a line, where there are several."""
        return f"{run}: " if self._many_runs else ""

    def workload(self, case: Case) -> str:
        """Name what was computed: ``resnet18 b1``, with task, size, device and threads where they vary."""
        shown = {
            "task": case.task,
            "image_size": f"{case.image_size} px",
            "device": case.device,
            "threads": "unknown threads" if case.threads is None else f"{case.threads} threads",
        }
        return " ".join([case.model, f"b{case.batch_size}", *self._where_varying(shown)])

    def case(self, case: Case) -> str:
        """Name the workload and how it was run, as far as that varies."""
        shown = {axis: str(getattr(case, axis)) for axis in ("precision", "runtime", "layout")}
        return " ".join([self.workload(case), *self._where_varying(shown)])

    def _where_varying(self, shown: Mapping[str, str]) -> list[str]:
        return [text for axis, text in shown.items() if axis in self._varying]


def _chain(chain: Chain, name: _Names) -> str:
    workload = f"{name.run(chain.run)}{name.workload(chain.case)}"
    if chain.total is None:
        return f"{workload}: no chain to {setting(chain.case)}: {chain.reason}"
    steps = [f"{step.before} → {step.after} {_times(step.factor)}" for step in chain.steps]
    return f"{workload}: {', '.join(steps)}: {_times(chain.total)}"


def _times(factor: Factor) -> str:
    if factor.low is None or factor.high is None:
        return f"×{digits(factor.value, None)}"
    half = half_width(factor.value, factor.low, factor.high)
    return f"×{digits(factor.value, half)} ± {percent(half)} %"


def _break_even(even: BreakEven, name: _Names) -> str:
    who = f"{name.run(even.run)}{name.case(even.case)}"
    if even.cold is None or even.compile_s is None or even.ratio is None:
        return f"{who}: not known: {even.reason}"
    warm = "" if even.warm is None else f", with a warm cache {_pays(even.warm)}"
    took = f"{digits(even.compile_s, None)} s of compilation"
    return f"{who}: {_times(even.ratio)} over eager, {took}: {_pays(even.cold)}{warm}"


def _pays(steps: Steps) -> str:
    if math.isinf(steps.value):
        best = f" (at best after {_count(steps.low)} steps)" if steps.low is not None and steps.low < math.inf else ""
        return f"never pays{best}"
    bounds = (
        f" ({_count(steps.low)} to {_count(steps.high)})" if steps.low is not None and steps.high is not None else ""
    )
    return f"pays after {_count(steps.value)} steps{bounds}"


def _count(steps: float) -> str:
    """Return a number of steps with two digits, which is as much as its interval leaves it."""
    return "never" if math.isinf(steps) else f"{float(f'{steps:.2g}'):,.0f}"


def _reached(file: RunFile, settings: Settings, name: _Names) -> str:
    """Say how many planned cases became as precise as asked for, and what became of the others."""
    cases = file.cases()
    ends: dict[str, list[Case]] = {}
    for case in dict.fromkeys([*file.run.plan, *cases]):
        ends.setdefault(_end(list(cases.get(case, {}).values())), []).append(case)
    reached = f"{len(ends.get('target', []))} of {sum(map(len, ends.values()))} cases reached the target"
    others = [f"{len(ends[end])} {told} ({_named(ends[end], name)})" for end, told in _ENDS.items() if end in ends]
    return ", ".join([f"{name.run(file.run.id)}{reached} of ±{100 * settings.target:g} %", *others])


def _end(replicates: Sequence[Record]) -> str:
    if not replicates:
        return "unmeasured"
    if any(record.status != "ok" for record in replicates):
        return "failed"
    return worst_stop(replicates) or "unsaid"


def _named(cases: Sequence[Case], name: _Names) -> str:
    more = [f"{len(cases) - NAMED} more"] if len(cases) > NAMED else []
    return ", ".join([*(name.case(case) for case in cases[:NAMED]), *more])
