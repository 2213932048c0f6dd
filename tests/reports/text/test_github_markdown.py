import pytest

from reports.text.github_markdown import LONGEST, Part, escaped, fitted, folded, row, table_head


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("resnext50_32x4d", "resnext50_32x4d"),
        ("a@b.c", "a@&#8203;b.c"),
        ("owner/name#3", r"owner/name\#&#8203;3"),
        ("https://x.y", "https:&#8203;//x.y"),
        ("08c6903cd8c0fde9", "08c6&#8203;903cd8c0fde9"),
        ("25557032", "25557032"),
        ("a|b\\|c", r"a\|b\\\|c"),
        ("\ud800", r"\\ud800"),
        ("$x$", "$&#8203;x$&#8203;"),
        ("a\n\n- b", "a - b"),
        ("x" * 1000, "x" * LONGEST + "…"),
    ],
)
def test_escaping(text, shown):
    assert escaped(text) == shown


def test_a_limit_that_holds_not_even_the_head_is_refused():
    with pytest.raises(ValueError, match="bytes are not enough"):
        fitted("x" * 100, [Part(what="lines", lines=["y\n"], count=1, rank=0)], 150)


def test_parts_without_a_line_are_not_there():
    before, after = folded("nothing")
    assert fitted("head\n", [Part(what="lines", before=before, lines=[], count=0, after=after, rank=0)]) == "head\n"


def test_the_lowest_rank_gets_the_room_and_the_order_stays():
    parts = [
        Part(what="lasts", lines=["b\n"] * 100, count=100, rank=1),
        Part(what="firsts", lines=["a\n"] * 100, count=100, rank=0),
    ]
    text = fitted("", parts, 420)
    assert text.count("a\n") == 100
    assert text.count("b\n") < 100
    assert text.index("b\n") < text.index("more lasts are left out") < text.index("a\n")
    assert f"{100 - text.count(chr(98) + chr(10))} more lasts are left out" in text
    assert len(text) <= 420


def test_no_line_is_read_for_which_there_is_no_room():
    def lines():
        yield "x" * 500
        pytest.fail("read further than there is room")

    assert "2 more lines are left out" in fitted("", [Part(what="lines", lines=lines(), count=2, rank=0)], 300)


def test_a_table_has_its_numbers_flush_right():
    assert table_head(["a", "b", "c"], numbers_from=1, numbers_to=-1) == "| a | b | c |\n| --- | ---: | --- |\n"
    assert row(["x|y", "1"]) == "| x\\|y | 1 |\n"
