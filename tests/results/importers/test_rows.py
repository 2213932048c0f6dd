import csv

import pytest

from results.errors import InputError
from results.importers import rows as source_rows
from results.importers.reading import Content
from results.importers.rows import SourceRow, csv_rows, json_rows, row_images


def rows(text):
    heads, found = csv_rows(Content("x.csv", text.encode()))
    return heads, list(found)


def test_rows_know_the_line_on_which_they_begin():
    heads, found = rows('a,b\n1,"x\ny"\n\n2,z\n')
    assert heads == ("a", "b")
    assert [(row.line, row.cells["b"]) for row in found] == [(2, "x\ny"), (5, "z")]


def test_a_long_cell_is_read_and_the_module_is_left_as_it_was():
    before = csv.field_size_limit()
    assert len(rows("a\n" + "x" * 200_000)[1][0].cells["a"]) == 200_000
    assert csv.field_size_limit() == before
    with pytest.raises(InputError, match=r"x\.csv line 2: field larger than field limit"):
        rows("a\n" + "x" * (2**24 + 1))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("cell", ["1", "1.5", "-2", "+.5e-3", " 7 ", "1e3"])
def test_numbers_are_those_of_a_program(cell):
    assert SourceRow(file="x", line=1, cells={"a": cell}).number("a") == float(cell)


@pytest.mark.parametrize("cell", ["1_0", "\u0661", "0x1", "1,5", "nan", "inf", "1e999", "1 2", "=1", "--1", "."])
def test_anything_else_is_no_number(cell):
    with pytest.raises(InputError, match=r"x line 3, a: .* is not a number"):
        SourceRow(file="x", line=3, cells={"a": cell}).number("a")


def test_an_empty_cell_and_a_column_that_is_not_there_are_none():
    row = SourceRow(file="x", line=1, cells={"a": " "})
    assert (row.number("a"), row.whole("a"), row.number("b")) == (None, None, None)


def test_more_rows_than_memory_takes_are_refused(monkeypatch):
    monkeypatch.setattr(source_rows, "MAX_ROWS", 2)
    assert len(rows("a\n1\n2\n")[1]) == 2
    with pytest.raises(InputError, match=r"x\.csv line 4: more than 2 rows; split the file"):
        rows("a\n1\n2\n3\n")


def test_a_number_outside_its_range_is_told_the_range():
    row = SourceRow(file="x", line=2, cells={"a": "0", "b": str(2**31 + 1)})
    with pytest.raises(InputError, match="x line 2, a: '0' is not at least 1 and at most 2147483648"):
        row.whole("a")
    with pytest.raises(InputError, match="is not at least 1 and at most 2147483648"):
        row.whole("b")
    with pytest.raises(InputError, match=r"'0' is not at least 0.5$"):
        row.number("a", 0.5)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_commas_semicolons_and_tabs_separate_cells(separator):
    heads, read = rows(f"a{separator}b\n1{separator}'x,y'\n".replace("'", '"'))
    assert heads == ("a", "b")
    assert read[0].cells == {"a": "1", "b": "x,y"}


def test_what_spreadsheets_and_data_frames_add_is_left_out():
    heads, read = rows("\ufeff, a ,b,\n0,1,2,\n,,,\n  \n,a,b,\n1,3,4,,,\n\n\n")
    assert heads == ("a", "b")
    assert [row.cells for row in read] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_decimal_comma_is_refused_with_a_remedy():
    with pytest.raises(InputError, match=r"'1,5' is not a number; write a point for the comma$"):
        SourceRow(file="x", line=3, cells={"a": "1,5"}).number("a")


def test_objects_of_json_are_rows():
    heads, read = json_rows(Content("x.json", b""), '[{"a": 1.5, "b": null}, {"a": "y", "c": NaN}]')
    assert heads == ("a", "b", "c")
    assert [row.cells for row in read] == [{"a": "1.5", "b": "", "c": ""}, {"a": "y", "b": "", "c": "NaN"}]
    (row,) = json_rows(Content("x.json", b""), '{"a": "z"}')[1]
    assert str(row.error("a", "wrong")) == "x.json entry 1, a: wrong"


@pytest.mark.parametrize("text", ["[1]", "3", "{", '[{"a": 1, "a": 2}]', "[[]]"])
def test_other_json_is_refused(text):
    with pytest.raises(InputError, match=r"^x\.json: "):
        json_rows(Content("x.json", b""), text)


def test_a_cell_states_the_axes_of_its_images():
    row = SourceRow(file="a.csv", line=7, cells={"a": "(1, 224, 160)", "b": " ", "c": "wide"})
    assert row_images(row, "a") == {"image_size": "224x160", "in_channels": 1}
    assert row_images(row, "b") == row_images(row, "missing") == {}
    with pytest.raises(InputError, match="line 7, c: 'wide' is no image size"):
        row_images(row, "c")
