import csv
import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text.grid import markdown_table, text_table
from results.text import (
    FORMULA,
    csv_text,
    csv_value,
    digits,
    half_text,
    half_width,
    percent,
    printable,
    span_text,
    within,
)


@pytest.mark.parametrize(
    ("value", "relative", "shown"),
    [
        (12.3456, 0.001, "12.35"),
        (12.3456, 0.01, "12.3"),
        (12.3456, 0.3, "12"),
        (12345.6, 0.01, "12300"),
        (0.00123456, 0.01, "0.00123"),
        (12.3456, None, "12.3"),
        (98.7, 0.02, "99"),
        (9.996, None, "10.0"),
        (-9.994, None, "-9.99"),
        (9.996, 0.01, "10.00"),
        (5.0, 4.0, "5"),
        (0.0, None, "0"),
        (12.3456, 0.0, "12.346"),
    ],
)
def test_a_number_has_the_digits_that_its_interval_deserves(value, relative, shown):
    assert digits(value, relative) == shown


@given(st.floats(1e-9, 1e12), st.floats(1e-6, 2))
def test_rounding_stays_within_the_interval(value, relative):
    assert abs(float(digits(value, relative)) - value) <= 0.5 * max(relative, 1e-4) * value * 1.0001


@given(st.text())
def test_printable_text_has_no_character_that_steers_or_hides(text):
    kinds = {unicodedata.category(char) for char in printable(text)}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_printable_keeps_what_only_spaces_and_writes_out_what_reorders():
    assert printable("12\N{NO-BREAK SPACE}ms é") == "12\N{NO-BREAK SPACE}ms é"
    assert printable("a\u202eb\x1b[0m\u2028") == "a\\u202eb\\x1b[0m\\u2028"


def test_the_half_width_is_that_of_the_larger_half():
    assert half_width(10, 9, 13) == pytest.approx(0.3)
    assert half_width(10, 6, 11) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("half", "text", "sentence"),
    [
        (None, "-", None),
        (0.0123, "1.2", "± 1.2 %"),
        (0.0, "<0.01", "± <0.01 %"),
        (0.00002, "<0.01", "± <0.01 %"),
        (0.5, "50", "± 50 %"),
        (0.51, "unknown", "± unknown"),
        (7.7, "unknown", "± unknown"),
        (19.0, "unknown", "± unknown"),
        (float("inf"), "unknown", "± unknown"),
        (float("nan"), "unknown", "± unknown"),
    ],
)
def test_a_half_width_has_two_digits_and_an_interval_wider_than_the_number_is_unknown(half, text, sentence):
    assert half_text(half) == text
    assert half is None or within(half) == sentence


def test_a_share_that_is_no_half_width_may_be_large():
    assert percent(7.7) == "770"


def test_an_interval_wider_than_the_number_has_no_ends():
    assert span_text(1.0, 0.98, 1.02, 3) == "0.980 to 1.020"
    assert span_text(1.0, 0.05, 20.0, 3) == "unknown"


def test_a_table_sets_numbers_flush_right():
    lines = text_table(["name", "ms", "why"], [["a", "1", "x\x1b"], ["bb", "100", ""]], numbers_from=1, numbers_to=2)
    assert [line.rstrip() for line in lines.splitlines()[2:]] == ["a        1   x\\x1b", "bb     100"]
    assert text_table(["name"], [["a"]]).endswith("a\n")


def test_markdown_cells_are_escaped():
    lines = markdown_table(["a|b", "n"], [["<i>*x*", "1"]], numbers_from=1).splitlines()
    assert lines == ["| a\\|b | n |", "| --- | ---: |", "| &lt;i>\\*x\\* | 1 |"]


def test_csv_runs_nothing_and_is_exact():
    text = csv_text(["=head", "n"], [["=1+1", 0.1], [None, -2], [[1], 3]])
    assert list(csv.reader(io.StringIO(text)))[1:] == [["'=1+1", "0.1"], ["", "-2"], ["[1]", "3"]]


@given(st.text() | st.text(alphabet="'\\\"=xuU0123456789abcdefnrt\n\t\x7f\x85\u202e\U000e0001 ,"))
def test_any_text_comes_back_from_csv_and_is_only_shown(text):
    content = csv_text(["x", "y"], [[text, 1]])
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"} for char in content.replace("\n", ""))
    (_, (cell, _)) = csv.reader(io.StringIO(content))
    assert not cell.startswith(FORMULA)
    assert csv_value(cell) == text


def test_none_and_empty_text_are_told_apart():
    (_, cells) = csv.reader(io.StringIO(csv_text(["x", "y"], [[None, ""]])))
    assert [csv_value(cell) for cell in cells] == [None, ""]


@given(st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_lists_and_dicts_come_back_from_csv_as_json(value):
    content = csv_text(["x"], [[value]])
    assert content.isascii()
    assert "\x7f" not in content
    (_, (cell,)) = csv.reader(io.StringIO(content))
    assert json.loads(cell) == value


@given(st.floats(allow_nan=False))
def test_a_number_comes_back_from_csv_exactly(value):
    (_, (cell,)) = csv.reader(io.StringIO(csv_text(["x"], [[value]])))
    assert float(cell) == value


@pytest.mark.parametrize("cell", ["resnet50", "a\\", "\\x1", "\\Uffffffff", "C:\\users"])
def test_what_is_no_escape_is_read_as_it_is(cell):
    assert csv_value(cell) == cell
