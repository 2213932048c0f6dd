"""The frame of attribution: which change gave what, a row a step."""

from typing import TYPE_CHECKING, Any, Final

from reports.style.views import AXES
from results.analysis.study import Study
from results.schema.axes import AXES as CASE_AXES
from results.text import printable

if TYPE_CHECKING:
    import pandas as pd

    from results.metrics.speedups import Chain
    from results.storage.reader import Records

MOST: Final = 60
"""Chains that the page draws."""
_NUMBERS: Final = ("factor", "factor_low", "factor_high", "total", "total_low", "total_high")
_COLUMNS: Final = ("run", "machine", *CASE_AXES, "step", "change", "before", "after", *_NUMBERS, "reason")


def steps(records: "Records", cases: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each step of each chain of `results.metrics.speedups.chains`, and one for each broken chain.

    Of a broken one, ``factor`` and ``total`` are NaN, and ``reason`` says why.
    """
    import pandas as pd  # noqa: PLC0415 (0.4 s, only where a page is built)

    machines = dict(zip(cases["run"], cases["machine"], strict=True))
    rows = [row for chain in Study(records).chains for row in _rows(chain, machines[printable(chain.run)])]
    # As objects, or an unknown number of threads would become NaN, which is not even equal to itself.
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    return frame.astype(dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(("batch_size", "image_size"), "int64"))


def _rows(chain: "Chain", machine: str) -> list[dict[str, Any]]:
    axes = {axis: getattr(chain.case, axis) for axis in CASE_AXES}
    whole = {**axes, "run": printable(chain.run), "machine": machine, "model": printable(chain.case.model)}
    total = chain.total
    if total is None:
        return [{**whole, "step": 1, "reason": printable(chain.reason or "not known")}]
    whole |= {"total": total.value, "total_low": total.low, "total_high": total.high}
    return [
        {
            **whole,
            "step": place,
            "change": step.axis,
            "before": step.before,
            "after": step.after,
            "factor": step.factor.value,
            "factor_low": step.factor.low,
            "factor_high": step.factor.high,
        }
        for place, step in enumerate(chain.steps, 1)
    ]


def largest(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Keep `MOST` chains in the order of their choices: inference first, the largest gain first, broken ones last.

    The best chain of each model, task and machine is kept before any other.
    """
    keys = ["model", *AXES]
    chains = frame.drop_duplicates(keys).sort_values("total", ascending=False, kind="stable")
    place = chains.groupby(["machine", "model", "task"]).cumcount()
    kept = chains.assign(_place=place).sort_values("_place", kind="stable").head(MOST)
    kept = kept.assign(_broken=kept["total"].isna())
    kept = kept.sort_values(["_broken", "task", "total"], ascending=[True, True, False], kind="stable")
    # The place of each chain orders its steps; they stand in order already.
    order = {key: place for place, key in enumerate(kept[keys].itertuples(index=False, name=None))}
    places = [order.get(key, -1) for key in frame[keys].itertuples(index=False, name=None)]
    placed = frame.assign(_order=places)
    return placed[placed["_order"] >= 0].sort_values("_order", kind="stable").drop(columns="_order")
