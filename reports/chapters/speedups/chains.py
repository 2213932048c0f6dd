"""Attribution of speed-ups to changes: the frame, a row a step, and the sentence."""

from typing import Any, Final

import pandas as pd

from reports.figures.chart import Source
from reports.figures.waterfall import StepView, kind_of
from reports.style.columns import Column, estimate, whole, words
from reports.style.rows import each
from reports.style.units import TIMES, quantity
from reports.style.views import BASELINE_TEXT, CONTEXT, TRAINING, axis_types, setting
from results.metrics.speedups import Chain
from results.schema.axes import AXES
from results.text import printable

MOST_CHAINS: Final = 60
"""The most chains that the page draws."""
_NUMBERS: Final = ("factor", "factor_low", "factor_high", "total", "total_low", "total_high")
_COLUMNS: Final = ("run", "machine", *AXES, "step", "change", "before", "after", *_NUMBERS, "reason")

CHAIN_COLUMNS: Final[dict[str, Column]] = {
    "step": whole("step", "step"),
    "change": words("change", "change"),
    "before": words("from", "before"),
    "after": words("to", "after"),
    "factor": estimate("factor", "factor", TIMES),
    "total": estimate("together", "total", TIMES),
}
"""Columns of a chain's steps."""


def chain_steps(source: Source) -> pd.DataFrame:
    """Return a row for each step of each chain of `results.metrics.speedups.chains`, and a row for each broken chain.

    The ``factor`` and ``total`` of a broken chain are NaN, and ``reason`` says why.
    """
    machines = source.machines
    rows = [
        row
        for chain in source.study.chains
        for row in _rows(chain, machines[printable(chain.run), printable(chain.case.device)])
    ]
    # As objects, or an unknown number of threads would become NaN, which is not equal to itself.
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    return frame.astype(dict.fromkeys(_NUMBERS, "float64") | axis_types(frame))


def _rows(chain: Chain, machine: str) -> list[dict[str, Any]]:
    axes = {axis: getattr(chain.case, axis) for axis in AXES}
    whole = {**axes, "run": printable(chain.run), "machine": machine, "model": printable(chain.case.model)}
    total = chain.total
    if total is None:
        return [{**whole, "step": 1, "reason": printable(chain.reason or "not known")}]
    whole |= {"total": total.value, "total_low": total.low, "total_high": total.high}
    return [
        {
            **whole,
            "step": index,
            "change": step.axis,
            "before": step.before,
            "after": step.after,
            "factor": step.factor.value,
            "factor_low": step.factor.low,
            "factor_high": step.factor.high,
        }
        for index, step in enumerate(chain.steps, 1)
    ]


def largest(frame: pd.DataFrame) -> pd.DataFrame:
    """Select `MOST_CHAINS` chains in the order of the page's choices: inference, largest gain, broken chains last.

    The best chain of each model, task and machine is selected first.
    """
    keys = ["model", *CONTEXT]
    chains = frame.drop_duplicates(keys).sort_values("total", ascending=False, kind="stable")
    rank = chains.groupby(["machine", "model", "task"]).cumcount()
    shown = chains.assign(_rank=rank).sort_values("_rank", kind="stable").head(MOST_CHAINS)
    shown = shown.assign(_broken=shown["total"].isna(), _trains=shown["task"].isin(TRAINING))
    ranks = ["_broken", "_trains", "task", "total"]
    shown = shown.sort_values(ranks, ascending=[True, True, True, False], kind="stable")
    # The steps of a chain stand in order already.
    order = {key: index for index, key in enumerate(shown[keys].itertuples(index=False, name=None))}
    ordered = frame.assign(_order=[order.get(key, -1) for key in frame[keys].itertuples(index=False, name=None)])
    return ordered[ordered["_order"] >= 0].sort_values("_order", kind="stable").drop(columns="_order")


def of_chain(frame: pd.DataFrame) -> str:
    """Say what the whole chain gives, and which step gives most of it."""
    rows: list[StepView] = list(each(frame))
    first = rows[0]
    if isinstance(first.reason, str):
        return f"The speed-up of {first.model} in {setting(first)} cannot be attributed: {first.reason}."
    best = max(rows, key=lambda row: row.factor)
    total = f"{quantity(first.total, TIMES, first.total_low, first.total_high)} as fast as {BASELINE_TEXT}"
    said = f"{first.model} is {total} in {setting(first)}"
    if kind_of(best) != "faster":
        return f"{said}; none of the changes was shown to make it faster."
    most = (
        f"{best.before} → {best.after} gives most ({quantity(best.factor, TIMES, best.factor_low, best.factor_high)})"
    )
    slower = [row for row in rows if kind_of(row) == "slower"]
    if not slower:
        return f"{said}: {most}."
    worst = min(slower, key=lambda row: row.factor)
    cost = quantity(worst.factor, TIMES, worst.factor_low, worst.factor_high)
    return f"{said}: {most}, {worst.before} → {worst.after} costs ({cost})."
