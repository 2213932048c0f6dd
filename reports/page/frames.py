"""The frames that charts draw, by name: each a function of the records and of the frame of their cases."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from reports.chapters.history import overtime
from reports.chapters.sides import frame
from reports.chapters.speedups import break_even, chains
from reports.chapters.static import layers
from reports.chapters.static.stages import stages
from results.schema.static import Static
from results.storage.reader import Records


def statics(records: Records) -> tuple[Static, ...]:
    """Return the static costs of all files."""
    return tuple(static for file in records.files for static in file.statics)


FRAMES: Final[dict[str, Callable[[Records, pd.DataFrame], pd.DataFrame]]] = {
    "cases": lambda _, cases: cases,
    "chains": chains.steps,
    "break_evens": break_even.break_evens,
    "pairs": frame.pairs,
    "history": lambda records, _: overtime.runs(records),
    "layers": lambda records, _: layers.layers(statics(records)),
    "stages": lambda records, _: stages(statics(records)),
}
"""What `reports.chapters.chart.Chart.frame` names. The second argument is `reports.page.cases.cases`."""
