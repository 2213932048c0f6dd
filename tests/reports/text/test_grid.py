import pytest

from reports.text.grid import check_format, grid_text, lines_text
from results.errors import InputError


def test_numbers_are_flush_right_and_wide_characters_count_twice():
    lines = grid_text(["name", "ms"], [["表", "1"], ["ab", "10.0"]], "table", numbers_from=1).splitlines()
    assert lines[0] == "name     ms"
    assert lines[2] == "表" + " " * 8 + "1"
    assert lines[3] == "ab     10.0"


def test_markdown_escapes_cells_and_lines():
    table = grid_text(["a|b"], [["<i>"]], "markdown", numbers_from=0).splitlines()
    assert table == ["| a\\|b |", "| ---: |", "| &lt;i> |"]
    assert lines_text(["*x*"], "markdown") == "\\*x\\*\n\n"


def test_an_unknown_format_is_refused_with_the_nearest():
    check_format("csv")
    with pytest.raises(InputError, match="markdown"):
        check_format("markdwn")
