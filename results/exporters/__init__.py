"""Exporters: runs in the formats of other programs."""

from collections.abc import Callable
from typing import Final, TypeAlias

from results.analysis.study import Study
from results.errors import InputError, suggestion
from results.exporters.bencher import to_bencher
from results.exporters.csv import to_csv
from results.exporters.files import Files
from results.exporters.github_action import to_github_action_benchmark
from results.exporters.openmetrics import to_openmetrics
from results.exporters.parquet import to_parquet
from results.exporters.pytest_benchmark import to_pytest_benchmark

Exporter: TypeAlias = Callable[[Study], Files]

EXPORTERS: Final[dict[str, Exporter]] = {
    "csv": to_csv,
    "parquet": to_parquet,
    "pytest-benchmark": to_pytest_benchmark,
    "github-action-benchmark": to_github_action_benchmark,
    "bencher": to_bencher,
    "openmetrics": to_openmetrics,
}
"""Every exporter by the name of its format. The same runs give the same content."""


def exporter(fmt: str) -> Exporter:
    """Return the exporter of the format `fmt`, or raise `InputError` where there is no such format."""
    if fmt not in EXPORTERS:
        near = suggestion(fmt, EXPORTERS)
        raise InputError(f"unknown format {fmt!r}{near} (choices: {', '.join(EXPORTERS)})")
    return EXPORTERS[fmt]
