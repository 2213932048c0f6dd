"""The throw-away chapter ``start`` is on the page. Runs in a copy: see tests/registries/test_recipes.py."""

import re

import pytest

import reports
import results
from reports.page import images


@pytest.fixture
def records(tmp_path, write_run, make_case, make_record, make_static):
    models = ("resnet18", "resnet50")
    made = [make_record(make_case(model=model)) for model in models]
    return results.load(write_run(tmp_path, made, [make_static(model) for model in models]))


def test_the_page_has_its_title_lead_and_sentence(records, tmp_path):
    page = reports.build(records, tmp_path / "page.html").read_text()
    assert "The start" in page
    assert "What the first step takes." in page
    assert "2 models have begun." in page
    assert re.search(r'id="[\w-]*first_steps', page)


def test_its_figure_is_an_image_too(records):
    assert any("first_steps" in name for name, _ in images.figures(results.Study(records)))
