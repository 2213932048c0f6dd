"""The frames that charts draw, by name: each a function of the records and of the frame of their cases."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from reports import chains, compiling, layers, overtime, pairs
from reports.static import stages

if TYPE_CHECKING:
    import pandas as pd

    from results.schema import Static
    from results.store import Records


def statics(records: "Records") -> "tuple[Static, ...]":
    """Return the static costs of all files."""
    return tuple(static for file in records.files for static in file.statics)


FRAMES: Final[dict[str, Callable[["Records", "pd.DataFrame"], "pd.DataFrame"]]] = {
    "cases": lambda _, cases: cases,
    "chains": chains.steps,
    "break_evens": compiling.break_evens,
    "pairs": pairs.pairs,
    "history": lambda records, _: overtime.runs(records),
    "layers": lambda records, _: layers.layers(statics(records)),
    "stages": lambda records, _: stages(statics(records)),
}
"""What `reports.chart.Chart.frame` names. The second argument is `reports.cases.cases`."""
