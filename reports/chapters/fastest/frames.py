"""The frame of a search: a row a candidate."""

import math
from typing import Final

import pandas as pd

from reports.figures.chart import Source
from results.analysis.searches.fastest import candidate_rows
from results.text import printable

MOST_CANDIDATES: Final = 60
_COLUMNS: Final = (
    "run",
    "candidate",
    "model",
    "fate",
    "image_s",
    "throughput_img_per_s",
    "speedup",
    "reason",
    "rounds",
)


def candidate_frame(source: Source) -> pd.DataFrame:
    """Return a row for each candidate of the searches of a source, the fastest first; those without a time last."""
    rows = []
    for run in source.study.runs:
        for search in run.file.bodies("search"):
            rows += [
                (
                    run.file.run.id,
                    printable(row.name),
                    printable(row.case.model),
                    "winner" if row.case == search.winner else row.fate,
                    row.image_s,
                    None if row.image_s is None else 1 / row.image_s,
                    row.speedup,
                    None if row.reason is None else printable(row.reason),
                    search.candidates[number].round,
                )
                for number, row in enumerate(candidate_rows(run, search))
            ]
    rows.sort(key=lambda row: (row[0], math.inf if row[4] is None else row[4]))
    return pd.DataFrame(rows[:MOST_CANDIDATES], columns=list(_COLUMNS))
