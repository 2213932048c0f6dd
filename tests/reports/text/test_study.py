import json

import pytest

from reports.text.study import study_text
from results.analysis.study import Study
from results.storage.reader import load


@pytest.fixture
def study(tmp_path, write_run, make_record, make_case, make_static):
    records = [
        make_record(make_case(model=model, layout=layout), baseline_latency_s=None if layout == "nchw" else 0.1)
        for model in ("resnet18", "resnet50")
        for layout in ("nchw", "nhwc")
    ]
    statics = [make_static("resnet18", block="basic", depth=18), make_static()]
    return Study(load(write_run(tmp_path, records, statics)))


def test_people_read_table_pivots_and_findings_in_this_order(study):
    text = study_text(study, "table")
    assert text.index("speed-up") < text.index("images a second by depth") < text.index("reached the target")


def test_programs_read_the_table_only(study):
    assert len(json.loads(study_text(study, "json"))) == 4


def test_the_table_is_that_of_the_study(study, monkeypatch):
    first = study.table
    monkeypatch.setattr(study, "runs", None)  # whoever would compute it again would fail
    assert study_text(study, "csv").count("\n") == len(first) + 1
