"""Select the cases of a page that cannot hold all."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from reports.style.views import IMAGE_WORK
from results.analysis.study import Study
from results.metrics.reasons import is_wrong
from results.schema.case import Case
from results.schema.record import Record
from results.schema.static import Static, static_key
from results.statistics.intervals import geometric_mean
from results.storage.reader import Records, RunFile

MOST_CASES: Final = 5_000
"""The most cases of a page that shows all."""
FEW_CASES: Final = 1_000
"""The most cases of a page that shows a selection."""


def shown(study: Study, sides: Mapping[str, str]) -> tuple[Study, str]:
    """Return the study of the cases that the page shows, and what to say of the others.

    Of more than `MOST_CASES` cases, only the fastest of each side, variant and task is selected, and of these the
    `FEW_CASES` most accurate. Only their table is computed: the table of all cases takes as long as the page.

    Args:
        study: what the page is made of.
        sides: the side of each run, by its id.
    """
    cases = [(run, case, list(rows.values())) for run in study.runs for case, rows in run.replicates.items()]
    if len(cases) <= MOST_CASES:
        return study, ""
    best: dict[tuple[Any, ...], tuple[float, str, Case]] = {}
    accuracy: dict[tuple[Any, ...], float] = {}
    costs = {run.file.run.id: run.file.static_costs() for run in study.runs}
    for run, case, rows in cases:
        file = run.file
        replicates = [file.records[row] for row in rows]
        key = (sides[file.run.id], case.model, *(getattr(case, axis) for axis in IMAGE_WORK))
        accuracy[key] = max(accuracy.get(key, -1.0), _accuracy(costs[file.run.id].get(static_key(case)), replicates))
        rate = _throughput(replicates, run.latencies[rows].tolist())
        if key not in best or rate > best[key][0]:
            best[key] = (rate, file.run.id, case)
    chosen = sorted(best, key=lambda key: -accuracy[key])[:FEW_CASES]
    shown = {best[key][1:] for key in chosen}
    failed = sum(any(run.file.records[row].status != "ok" for row in rows) for run, _, rows in cases)
    said = (
        f"{len(cases):,} cases are more than a page can show: of each machine, variant, task and image size only the "
        f"fastest setting is here, and of these the {len(shown):,} most accurate; `resnet-bench table` and `export` "
        f"have every one. Of all, {failed:,} failed in at least one process."
    )
    return Study(Records(tuple(_only(run.file, shown) for run in study.runs))), said


def _only(file: RunFile, shown: set[tuple[str, Case]]) -> RunFile:
    """Return the file with the shown cases only; its plan is cut too, because ordering the cases walks all of it."""
    plan = tuple(case for case in file.cases() if (file.run.id, case) in shown)
    among = set(plan)
    records = tuple(record for record in file.records if record.case in among)
    return dataclasses.replace(file, run=structs.replace(file.run, plan=plan), records=records)


def _throughput(replicates: Sequence[Record], latency_s: Sequence[float]) -> float:
    """Return images a second as in the table, 0 for a case that failed, is wrong or has no latency."""
    for record in replicates:
        if record.status != "ok" or is_wrong(record):
            return 0.0
    known = [value for value in latency_s if not math.isnan(value)]
    return replicates[0].case.batch_size / geometric_mean(known) if known else 0.0


def _accuracy(static: Static | None, replicates: Iterable[Record]) -> float:
    if static is not None:
        return static.imagenet_top1 or 0.0
    summaries = [record.summary.metrics for record in replicates if record.summary is not None]
    return max((metrics.get("imagenet_top1", 0.0) for metrics in summaries), default=0.0)
