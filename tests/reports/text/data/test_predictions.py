import json

import pytest

from reports.text.data.predictions import predictions_text
from results.errors import InputError

ROWS = [("a.png", 1, "bag", 0.91234), ("a.png", 2, "boot", 0.05), ("b|c.png", 1, "boot", 1.0)]


def test_a_table_names_an_image_once():
    lines = predictions_text(ROWS, "table").splitlines()
    assert lines[0].split() == ["image", "class", "probability"]
    assert [line.split() for line in lines[2:]] == [
        ["a.png", "bag", "91.2%"],
        ["boot", "5.0%"],
        ["b|c.png", "boot", "100.0%"],
    ]


def test_json_and_csv_are_exact():
    assert json.loads(predictions_text(ROWS, "json"))[0] == {
        "image": "a.png",
        "rank": 1,
        "class": "bag",
        "probability": 0.91234,
    }
    assert predictions_text(ROWS, "csv").splitlines()[:2] == ["image,rank,class,probability", "a.png,1,bag,0.91234"]


def test_markdown_is_escaped():
    assert r"b\|c.png" in predictions_text(ROWS, "markdown")


def test_an_unknown_format_is_refused():
    with pytest.raises(InputError, match="unknown format 'xml'"):
        predictions_text(ROWS, "xml")
