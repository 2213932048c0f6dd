"""What the page's script is given: figures and every case, as compressed JSON."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from reports.page.commands import reproduce
from reports.style.columns import COLUMNS, Cell, Table
from reports.style.theme import template
from reports.style.units import number
from reports.style.views import each
from results.metrics.rows import plain
from results.schema.metrics import METRICS
from results.schema.record import Record
from results.storage.reader import Records
from results.text import csv_text, printable

FACETS: Final = {
    "machine": "machine",
    "task": "task",
    "family": "family",
    "precision": "precision",
    "runtime": "runtime",
    "layout": "layout",
    "batch": "batch_size",
}
"""What cases are filtered by, and the column of each."""
PICKED: Final = ("imagenet_top1", "latency_s", "throughput_img_per_s", "peak_bytes")
SAMPLES: Final = 30
"""Steps of a case that the page shows, as evenly spaced order statistics; the run file holds all."""
_LEVEL: Final = 9


def packed(content: Mapping[str, Any]) -> str:
    """Return `content` as base64 of raw deflate of JSON: a page of many cases is mostly repetition."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    squeezed = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(squeezed.compress(text.encode("utf-8", "replace")) + squeezed.flush()).decode()


def payload(
    records: Records, frame: pd.DataFrame, shown: Table, exact: pd.DataFrame, charts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return everything that the script draws.

    Args:
        records: what the page is made of.
        frame: their cases (`reports.page.cases.cases`).
        shown: their table.
        exact: `results.table` of the records, for the download.
        charts: the views of each figure.
    """
    rows = list(each(frame))
    found = [tuple(one.values()) for file in records.files for one in file.cases().values()]
    head, *lines = csv_text(list(exact.columns), [list(row.values()) for row in plain(exact)]).rstrip("\n").split("\n")
    return {
        "templates": {mode: template(mode) for mode in ("light", "dark")},
        "charts": charts,
        "cases": {
            "columns": [_head(name) for name in shown.names],
            "cells": {name: _cells([line[place] for line in shown.rows]) for place, name in enumerate(shown.names)},
            "facets": {name: [str(getattr(row, column)) for row in rows] for name, column in FACETS.items()},
            "facet_titles": {name: COLUMNS[column].heading for name, column in FACETS.items()},
            "status": [row.status for row in rows],
            "cause": [row.cause if isinstance(row.cause, str) else "" for row in rows],
            "remarks": [remarks(row) for row in rows],
            "commands": [reproduce(records.run(one[0]), one[0].case) for one in found],
            "samples": [_samples(one) for one in found],
            "numbers": {name: [number(getattr(row, name)) for row in rows] for name in PICKED},
            "csv": {"head": head, "rows": lines},
        },
    }


def rounded(value: Any) -> Any:
    """Return JSON with five digits of each number, finer than any screen: seventeen cannot be squeezed."""
    match value:
        case float():
            return float(f"{value:.5g}")
        case list():
            return [rounded(one) for one in value]
        case dict():
            return {name: rounded(one) for name, one in value.items()}
        case _:
            return value


def remarks(row: Any) -> list[str]:
    """Return the warnings and notes of a case, each once."""
    return [printable(line) for line in dict.fromkeys([*row.warnings, *row.notes])]


def table_of(shown: Table) -> dict[str, Any]:
    """Return a figure's data as the script lays it out: heads, and texts with their intervals."""
    return {
        "heads": [column.heading for column in shown.columns],
        "numeric": [column.numeric for column in shown.columns],
        "rows": [[printable(" ".join(filter(None, (cell.text, cell.note)))) for cell in row] for row in shown.rows],
    }


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
    """Return one column of the table of cases, leaving out what no cell has."""
    notes = [cell.note for cell in cells]
    return {
        "text": [printable(cell.text) for cell in cells],
        **({"note": notes} if any(notes) else {}),
        "sort": [cell.sort for cell in cells],
        "reason": {str(place): printable(cell.reason) for place, cell in enumerate(cells) if cell.reason},
    }


def _samples(replicates: Sequence[Record]) -> list[list[float]] | None:
    """Return some steady steps of each process in seconds, in ascending order."""
    steps = [
        sorted(record.samples.step_s[record.samples.warmup :])
        for record in replicates
        if record.status == "ok" and record.samples is not None
    ]
    kept = [one for one in steps if one]
    return [_thinned(one, max(2, SAMPLES // len(kept))) for one in kept] or None


def _thinned(values: Sequence[float], most: int) -> list[float]:
    """Return at most `most` evenly spaced order statistics, the least and the greatest among them."""
    if len(values) > most:
        values = [values[round(place * (len(values) - 1) / (most - 1))] for place in range(most)]
    return [float(f"{value:.3g}") for value in values]
