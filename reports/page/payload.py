"""The payload of the page's script: figures and every case, as compressed JSON."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.chapters.tradeoffs.uncertainty import latency_span, relative_span
from reports.figures.chart import Source
from reports.page.commands import reproduce
from reports.style.columns import COLUMNS
from reports.style.rows import CaseView, each
from reports.style.table import Cell, Table
from reports.style.theme import MACHINES, template
from reports.style.units import SCALES, number
from reports.style.views import TRAINING
from results.metrics.rows import plain
from results.schema.axes import SETTINGS, WORKLOAD
from results.schema.lines.record import Record
from results.schema.metrics import METRICS
from results.text import csv_text, printable

_SHORT: Final = {"batch_size": "batch"}
"""Names of facets in the address that differ from their column's."""
FACETS: Final = {_SHORT.get(column, column): column for column in ("machine", "family", *WORKLOAD, *SETTINGS)}
"""What cases are filtered by, and the column of each."""
PICKED: Final = ("imagenet_top1", "latency_s", "throughput_img_per_s", "peak_bytes")
PICK_COLUMNS: Final = (
    *("model", "machine", *WORKLOAD, *SETTINGS),
    *("latency_s", "throughput_img_per_s", "relative", "imagenet_top1"),
)
"""Columns of the variants that fit a reader's bounds; the script adds the task only where a filter asks for it."""
SAMPLES: Final = 30
"""The most steps of a case on the page, as evenly spaced order statistics; the run file holds all steps."""
_LEVEL: Final = 9


def packed_json(content: Mapping[str, Any]) -> str:
    """Return `content` as JSON, packed: a page of many cases is mostly repetition."""
    return packed(json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False))


def packed(text: str) -> str:
    """Return `text` as base64 of raw deflate, which the page's script unpacks."""
    squeezed = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(squeezed.compress(text.encode("utf-8", "replace")) + squeezed.flush()).decode()


def payload(source: Source, listed: Table, charts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the script.

    Args:
        source: the study and cases of the page.
        listed: the table of its cases.
        charts: the views of each figure.
    """
    records, exact = source.study.records, source.study.table
    rows = list(each(source.cases))
    replicates = [tuple(case.values()) for file in records.files for case in file.cases().values()]
    head, *lines = csv_text(list(exact.columns), [list(row.values()) for row in plain(exact)]).rstrip("\n").split("\n")
    return {
        "templates": {mode: template(mode) for mode in ("light", "dark")},
        "scales": SCALES,
        "machine_styles": [{"color": style.color, "symbol": style.symbol, "dash": style.dash} for style in MACHINES],
        "charts": charts,
        "pick_columns": PICK_COLUMNS,
        "training": TRAINING,
        "cases": {
            "columns": [_head(name) for name in listed.names],
            "cells": {name: _cells([line[index] for line in listed.rows]) for index, name in enumerate(listed.names)},
            "facets": {name: [str(getattr(row, column)) for row in rows] for name, column in FACETS.items()},
            "facet_titles": {name: COLUMNS[column].heading for name, column in FACETS.items()},
            "status": [row.status for row in rows],
            "cause": [row.cause if isinstance(row.cause, str) else "" for row in rows],
            "remarks": [remarks(row) for row in rows],
            "commands": [reproduce(records.run(made[0]), made[0].case) for made in replicates],
            "samples": [_samples(made) for made in replicates],
            "spans": _spans(rows),
            "numbers": {name: [number(getattr(row, name)) for row in rows] for name in PICKED},
            "csv": {"head": head, "rows": lines},
        },
    }


def rounded(value: Any) -> Any:
    """Return JSON with five digits of each number, enough for any screen: seventeen digits do not compress."""
    match value:
        case float():
            return float(f"{value:.5g}")
        case list():
            return [rounded(part) for part in value]
        case dict():
            return {name: rounded(part) for name, part in value.items()}
        case _:
            return value


def remarks(row: CaseView) -> list[str]:
    """Return the warnings and notes of a case without duplicates."""
    return [printable(line) for line in dict.fromkeys([*row.warnings, *row.notes])]


def _head(name: str) -> dict[str, Any]:
    metric = METRICS.get(name)
    return {
        "name": name,
        "heading": COLUMNS[name].heading,
        "numeric": COLUMNS[name].numeric,
        "unit": metric.unit if metric else "",
        "title": metric.description if metric else "",
    }


def _cells(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return a column of the table of cases, without parts that no cell has."""
    notes = [cell.note for cell in cells]
    return {
        "text": [printable(cell.text) for cell in cells],
        **({"note": notes} if any(notes) else {}),
        "sort": [cell.sort for cell in cells],
        "reason": {str(index): printable(cell.reason) for index, cell in enumerate(cells) if cell.reason},
    }


def _spans(rows: Sequence[CaseView]) -> dict[str, list[Any]]:
    """Return the 95 % intervals of times, null where unknown, and the number of the run of each case."""
    runs = {run: index for index, run in enumerate(dict.fromkeys(row.run for row in rows))}
    return {
        "run": [runs[row.run] for row in rows],
        "relative": [rounded(list(span)) if (span := relative_span(row)) else None for row in rows],
        "latency_s": [rounded(list(span)) if (span := latency_span(row)) else None for row in rows],
    }


def _samples(replicates: Sequence[Record]) -> list[list[float]] | None:
    """Return some steady steps of each process in seconds, in ascending order."""
    steps = [
        sorted(record.samples.step_s[record.samples.warmup :])
        for record in replicates
        if record.status == "ok" and record.samples is not None
    ]
    steady = [values for values in steps if values]
    return [_thinned(values, max(2, SAMPLES // len(steady))) for values in steady] or None


def _thinned(values: Sequence[float], most: int) -> list[float]:
    """Return at most `most` evenly spaced order statistics, the least and the greatest among them."""
    if len(values) > most:
        values = [values[round(index * (len(values) - 1) / (most - 1))] for index in range(most)]
    return [float(f"{value:.3g}") for value in values]
