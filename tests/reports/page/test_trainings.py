"""A page of trainings, which may hold no case at all."""

import json
import re

import pytest

from reports.chapters import CHAPTERS
from reports.page import page
from reports.page.payload import packed_json
from results.schema.lines.training import Expected
from results.storage.reader import Records, load
from tests.reports.sources import payload
from tests.trainings import made_trainings, training_header, write_trainings

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def trained(tmp_path, make_case, make_run):
    def make(**options):
        lines = list(made_trainings(make_case, **options))
        return load(write_trainings(tmp_path, training_header(make_run), lines))

    return make


def hidden(text):
    return set(re.findall(r'<section id="(\w+)" hidden>', text))


def test_a_page_of_trainings_only_shows_their_chapter_and_no_other(trained):
    text = page.render(trained(seeds=2, joules=3.0))
    assert hidden(text) == {"cases", *CHAPTERS} - {"convergence"}
    assert 'href="#tradeoffs"' not in text
    assert "cifar_resnet20 · fast ends at 93." in re.search(r'<ul class="answer">(.*?)</ul>', text, re.DOTALL)[1]
    charts = payload(text)["charts"]
    assert [view["label"] for view in charts["convergence_accuracy"]] == ["seconds", "images", "epochs", "joules"]
    assert [view["label"] for view in charts["convergence_error"]] == ["seconds", "images", "epochs", "joules"]
    assert charts["convergence_time"]
    assert charts["convergence_final"]


def test_beside_cases_no_chapter_is_hidden(trained, make_record, write_run, tmp_path):
    records = load(write_run(tmp_path / "cases", [make_record()]))
    text = page.render(Records((*records.files, *trained(seeds=1).files)))
    assert hidden(text) == set()
    assert "On fashion-mnist" in text


def test_the_same_trainings_give_the_same_bytes_and_a_page_of_usual_size(trained):
    records = trained(seeds=5, epochs=50)
    text = page.render(records)
    assert text == page.render(records)
    charts = {name: views for name, views in payload(text)["charts"].items() if name.startswith("convergence")}
    assert len(packed_json(charts)) < 60_000


def test_names_cannot_break_the_page(trained):
    expected = Expected(accuracy=0.9, source=f"{HOSTILE}\N{RIGHT-TO-LEFT OVERRIDE}")
    text = page.render(trained(seeds=2, model=HOSTILE, recipe="<b>", data=HOSTILE, expected=expected))
    assert "<script>alert" not in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    drawn = json.dumps(payload(text)["charts"], ensure_ascii=False)
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in drawn
    titles = [trace.get("name", "") for view in payload(text)["charts"]["convergence_time"] for trace in view["data"]]
    assert titles
    assert not any("<" in title for title in titles)
