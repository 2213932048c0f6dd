"""The throw-away metric ``heat_k`` is known everywhere. Runs in a copy: see tests/registries/test_recipes.py."""

import json

import pytest

import reports
import results
from reports.text.cost import metrics_text
from reports.text.findings import study_text
from results.exporters import EXPORTERS
from results.importers.writing import import_files
from results.schema.lines.record import Facts


@pytest.fixture
def study(tmp_path, write_run, make_case, make_record, make_static):
    """A run of a case with a value, and of a case that says why it has none."""
    known = make_record(facts=Facts(heat_k=0.25))
    unknown = make_record(make_case(layout="nhwc"), baseline_latency_s=0.05, nulls={"heat_k": "no counter"})
    return results.Study(results.load(write_run(tmp_path, [known, unknown], [make_static()])))


def test_it_is_listed():
    assert "heat_k" in metrics_text()


def test_people_read_it_in_the_terminal(study):
    lines = [line for line in study_text(study, "table").splitlines() if line.startswith(("model", "resnet50"))]
    heads, *rows = (line.split("   ") for line in lines[:3])
    assert "mJ" in [head.strip() for head in heads]
    assert "250" in [cell.strip() for cell in rows[0]]


def test_programs_read_its_value_or_reason(study):
    known, unknown = json.loads(study_text(study, "json"))
    assert known["heat_k"] == 0.25
    assert unknown["heat_k"] is None
    assert unknown["nulls"]["heat_k"] == "no counter"
    assert study.table.attrs["units"]["heat_k"] == "K"


def test_the_page_has_a_column(study, tmp_path):
    assert "heat" in reports.build(study.records, tmp_path / "page.html").read_text()


@pytest.mark.parametrize("fmt", ["openmetrics", "pytest-benchmark"])
def test_formats_hold_it(study, fmt):
    (content,) = EXPORTERS[fmt](study).parts.values()
    assert "heat" in content


def test_what_is_exported_can_be_imported(study, tmp_path):
    (content,) = EXPORTERS["csv"](study).parts.values()
    (tmp_path / "a.csv").write_text(content)
    (path,) = import_files("csv", [tmp_path / "a.csv"], tmp_path / "imported", tell=pytest.fail)
    assert results.Study(results.load(path)).table["heat_k"].tolist()[0] == 0.25
