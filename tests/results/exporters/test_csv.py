import csv
import io
import json

import results
from results.analysis.study import Study
from results.exporters.csv import to_csv
from results.metrics.rows import plain
from results.schema.metrics import BOUNDS, METRICS
from results.text import csv_value

_NUMBERS = {*METRICS, *BOUNDS, "batch_size", "image_size", "in_channels", "threads", "depth"}
_NUMBERS |= {"replicates", "failed_replicates"}
_JSON = {"warnings", "notes", "nulls"}


def told(name, cell):
    if name in _JSON:
        return json.loads(cell)
    if name not in _NUMBERS:
        return csv_value(cell)
    return float(cell) if cell else None


def test_every_value_of_the_table_comes_back(measured):
    heads, *lines = csv.reader(io.StringIO(to_csv(Study(measured)).content().decode()))
    frame = results.table(measured)
    assert heads == list(frame.columns)
    assert [{name: told(name, cell) for name, cell in zip(heads, line, strict=True)} for line in lines] == plain(frame)


def test_an_imported_run_comes_back_with_its_nulls(imported):
    (row,) = csv.DictReader(io.StringIO(to_csv(Study(imported)).content().decode()))
    assert row["latency_s"] == "0.04"
    assert row["threads"] == row["speedup"] == ""
    assert json.loads(row["warnings"]) == []
