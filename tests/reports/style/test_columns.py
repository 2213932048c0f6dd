from types import SimpleNamespace

import pandas as pd
import pytest

from reports.style.columns import CASE_COLUMNS, COLUMNS, _metric_column, metrics_of, table, words
from results.schema.axes import AXES
from results.schema.metric import Metric
from results.schema.metrics import METRICS
from tests.reports.sources import case_frame


def metric(**fields):
    usual = {"name": "joules", "unit": "s", "better": "lower", "label": "energy", "description": "", "combine": "max"}
    return Metric(**usual | fields)


def test_every_axis_and_every_metric_has_a_column():
    assert set(AXES) | set(METRICS) <= set(COLUMNS)
    assert all(column.heading for column in COLUMNS.values())


def test_the_table_of_cases_has_every_axis_and_what_metrics_declare():
    declared = {name for name, metric in METRICS.items() if "cases" in metric.tables}
    assert set(AXES) | declared <= set(CASE_COLUMNS)
    assert len(set(CASE_COLUMNS)) == len(CASE_COLUMNS)


def test_a_metric_that_no_order_names_is_shown_last(monkeypatch):
    monkeypatch.setitem(METRICS, "joules", metric(tables=frozenset({"models"})))
    assert metrics_of("models", early=("macs",))[0] == "macs"
    assert metrics_of("models", early=("macs",))[-1] == "joules"
    assert "joules" not in metrics_of("cases")


@pytest.mark.parametrize(
    ("fields", "text", "note"),
    [
        ({}, "1.50 s", ""),
        ({"unit": "B"}, "1.50 B", ""),
        ({"unit": "1"}, "2", ""),
        ({"unit": "1", "combine": "same"}, "1.50", ""),
        ({"bounds": ("least", "most")}, "1.50 s", "±\N{NO-BREAK SPACE}0.67\N{NO-BREAK SPACE}%"),
    ],
)
def test_a_metric_is_shown_as_its_unit_and_its_bounds_say(fields, text, note):
    row = SimpleNamespace(joules=1.5, least=1.49, most=1.51, nulls={})
    cell = _metric_column(metric(**fields)).make(row)
    assert cell.text.replace("\N{NO-BREAK SPACE}", " ") == text
    assert cell.note == note
    assert cell.sort == 1.5


def test_a_value_that_is_missing_has_its_reason():
    row = SimpleNamespace(joules=float("nan"), nulls={"joules": "no meter"})
    cell = _metric_column(metric()).make(row)
    assert (cell.text, cell.sort, cell.reason) == ("\N{EN DASH}", None, "no meter")


def test_columns_that_no_row_fills_are_left_out_and_a_chapter_may_have_its_own():
    frame = pd.DataFrame({"model": ["a", "b"], "task": [None, None], "own": ["x", "y"]})
    shown = table(frame, ("model", "task", "own"), {"own": words("of its own", "own")})
    assert shown.names == ("model", "own")
    assert shown.heads == ("variant", "of its own")
    assert [[cell.text for cell in row] for row in shown.rows] == [["a", "x"], ["b", "y"]]


def test_an_accuracy_says_its_source_where_sources_differ():
    ((known,), (alone,)) = table(case_frame({"cited": "timm"}, {"cited": ""}), ("imagenet_top1",)).rows
    assert (known.text, known.note) == ("80.00\N{NO-BREAK SPACE}%", "timm")
    assert (alone.text, alone.note) == ("80.00\N{NO-BREAK SPACE}%", "")
