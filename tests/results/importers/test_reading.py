import csv
import os

import msgspec
import pytest

from results.errors import InputError
from results.importers import reading
from results.importers.reading import Content, read_content, unknown_environment
from results.schema.run import Environment
from results.schema.validation import validated
from results.storage.reader import check_run_id


def test_a_file_that_is_none_or_too_large_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no file"):
        read_content(tmp_path / "nothing")
    with pytest.raises(InputError, match="is no regular file"):
        read_content(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no regular file"):
        read_content(tmp_path / "pipe")
    with pytest.raises(InputError, match="cannot read"):
        read_content("a\0b")
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 4)
    (tmp_path / "large").write_text("12345")
    with pytest.raises(InputError, match="is larger than"):
        read_content(tmp_path / "large")
    (tmp_path / "large").write_text("1234")
    assert read_content(tmp_path / "large").data == b"1234"


@pytest.mark.parametrize("name", ["a.csv", "a b\nc.csv", "x" * 200 + ".csv", "é.csv", "---.csv"])
def test_any_name_gives_a_run_id_and_a_source(tmp_path, name):
    content = Content(tmp_path / name, b"1")
    check_run_id(content.run_id())
    assert content.run_id() == Content(tmp_path / "elsewhere" / name, b"1").run_id()
    assert content.run_id() != Content(tmp_path / name, b"2").run_id()
    assert content.source("csv").file.isprintable()


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


def test_what_is_not_known_of_a_machine_has_its_reason():
    environment = unknown_environment(cpu="AMD", accelerators={"cuda:0": "H100"}, cuda="12.4")
    assert validated(msgspec.to_builtins(environment), Environment) == environment
    values = msgspec.to_builtins(environment)
    assert set(environment.nulls) == {name for name, value in values.items() if value is None}
    assert environment.accelerators[0].memory_bytes is None


def test_more_rows_than_memory_takes_are_refused(monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
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
