"""The frames of memory: a row a part of a case's peak, and a row a moment of its step."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from reports.figures.chart import Source
from results.schema.lines.memory import Memory, MemoryParts
from results.text import printable

PARTS: Final = MemoryParts.__struct_fields__
"""Parts of a peak, in the order of bars."""
MOST_MEMORIES: Final = 24
"""Cases of a figure."""
_PART_COLUMNS: Final = ("run", "case", "part", "bytes", "predicted_bytes", "measured_bytes", "error", "where")
_POINT_COLUMNS: Final = ("run", "case", "source", "at", "bytes", "phase", "module")


def memories_of(source: Source) -> Iterator[tuple[str, Memory]]:
    """Yield the memory of cases, with the id of their run."""
    for file in source.study.records.files:
        for memory in file.bodies("memory"):
            if isinstance(memory, Memory):
                yield file.run.id, memory


def part_frame(source: Source) -> pd.DataFrame:
    """Return a row for each part of a predicted peak, with the measured peak and the error of the prediction."""
    rows = []
    for run, memory in list(memories_of(source))[:MOST_MEMORIES]:
        if memory.predicted is None:
            continue
        total, measured = memory.predicted.total, memory.measured_bytes
        own = {
            "run": run,
            "case": printable(memory.case.key),
            "predicted_bytes": total,
            "measured_bytes": measured,
            "error": None if not measured else total / measured - 1,
            "where": " ".join(filter(None, (memory.peak_module, memory.peak_phase))),
        }
        rows += [{**own, "part": name, "bytes": getattr(memory.predicted, name)} for name in PARTS]
    return pd.DataFrame(rows, columns=list(_PART_COLUMNS))


def point_frame(source: Source) -> pd.DataFrame:
    """Return a row for each moment of the predicted and of the measured step."""
    rows = [
        (run, printable(memory.case.key), name, point.at, point.bytes, point.phase, point.module)
        for run, memory in list(memories_of(source))[:MOST_MEMORIES]
        for name, points in (("predicted", memory.points), ("measured", memory.measured_points))
        for point in points
    ]
    return pd.DataFrame(rows, columns=list(_POINT_COLUMNS))
