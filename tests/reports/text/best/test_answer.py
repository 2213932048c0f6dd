import csv
import dataclasses
import io
import json

import pytest

from reports.text.best.answer import search_text, sentences
from results.analysis.searches.fastest import fastest
from results.analysis.study import Study
from results.errors import InputError
from tests.searches import made_search, write_search


@pytest.fixture
def study(tmp_path):
    return Study(write_search(tmp_path))


def test_the_answer_comes_first_then_its_gain_its_cost_and_the_runner_up(study):
    lines = search_text(study, "table").splitlines()
    assert lines[0].startswith("the fastest: resnet50 batch 1, amp-bf16, openvino, nchw")
    assert "4.0" in lines[1]
    assert "eager → openvino ×2.0" in lines[1]
    assert "0.300 GB" in lines[2]
    assert lines[3].startswith("the runner-up: fp32 openvino nchw")
    assert lines[3].endswith("beyond doubt")
    assert any("resnet-bench run --model resnet50" in line for line in lines)
    assert any("openvino.convert_model" in line for line in lines)
    assert any("cannot-win" in line and "not started" in line for line in lines)


def test_the_costs_of_8_bits_are_their_agreement_and_the_lost_accuracy(study):
    row = fastest(study).row.copy()
    row["agreement"], row["accuracy_lost"] = 0.9954, -0.0003
    won = dataclasses.replace(fastest(study), row=row)
    assert "it agrees with fp32 on 99.54% of real images and loses -0.03% of accuracy" in sentences(won)[2]


def test_json_has_the_answer_and_every_candidate(study):
    (document,) = json.loads(search_text(study, "json"))
    assert document["winner"].endswith("amp-bf16/openvino/nchw/t2")
    assert document["apart"] is True
    assert len(document["candidates"]) == 5
    assert document["candidates"][3]["image_s"] is None
    compile(document["snippet"], "snippet", "exec")


def test_csv_has_a_row_a_candidate(study):
    rows = list(csv.DictReader(io.StringIO(search_text(study, "csv"))))
    assert [row["fate"] for row in rows] == ["slower", "slower", "slower", "cannot-win", "stayed"]


def test_without_a_winner_the_reason_comes_first(tmp_path):
    none = made_search(winner=None, reason="no candidate keeps to the latency; the nearest is fp32 eager nchw: 80 ms")
    study = Study(write_search(tmp_path, none))
    assert search_text(study, "table").startswith("no candidate keeps to the latency")
    (document,) = json.loads(search_text(study, "json"))
    assert (document["winner"], "snippet" in document) == (None, False)


def test_an_unknown_format_is_bad_input(study):
    with pytest.raises(InputError, match="format"):
        search_text(study, "xml")
