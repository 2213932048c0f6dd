"""The frames of loading: a row a stage, and a row a path with its workers."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from reports.figures.chart import Source
from results.analysis.loading import LoadingFindings, loading_findings
from results.schema.lines.loading import Loading
from results.statistics.intervals import Interval
from results.text import printable

_STAGE_COLUMNS: Final = ("run", "data", "stage", "image_s", "share", "reason")
_RATE_COLUMNS: Final = (
    *("run", "data", "path", "kind", "images_per_s", "images_low", "images_high", "first_batch_s", "advised"),
    *("network", "network_per_s", "waits", "feeds"),
)


def _findings_of(source: Source) -> Iterator[tuple[str, LoadingFindings]]:
    for file in source.study.records.files:
        for loading in file.bodies("loading"):
            if isinstance(loading, Loading):
                yield file.run.id, loading_findings(loading)


def loading_stage_frame(source: Source) -> pd.DataFrame:
    """Return a row for each stage of each loading; a stage that there is not has a reason in place of a time."""
    rows = [
        (
            run,
            printable(findings.loading.data),
            stage.name,
            None if stage.images_per_s is None else 1 / stage.images_per_s.value,
            stage.share,
            None if stage.reason is None else printable(stage.reason),
        )
        for run, findings in _findings_of(source)
        for stage in findings.stages
    ]
    return pd.DataFrame(rows, columns=list(_STAGE_COLUMNS))


def loading_rate_frame(source: Source) -> pd.DataFrame:
    """Return a row for each path and number of workers of each loading, with the need of the network."""
    rows = []
    for run, findings in _findings_of(source):
        need = findings.network_per_s
        for rate in findings.rates:
            path = rate.path if rate.path == "slices" else f"{rate.workers} workers"
            rows.append(
                (
                    run,
                    printable(findings.loading.data),
                    path,
                    rate.path,
                    *_ends(rate.images_per_s),
                    rate.first_batch_s,
                    "advised" if rate.advised else "",
                    printable(findings.loading.network.model),
                    None if need is None else need.value,
                    None if findings.waits is None else findings.waits.value,
                    rate is findings.feed,
                )
            )
    return pd.DataFrame(rows, columns=list(_RATE_COLUMNS))


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high
