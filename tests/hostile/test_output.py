"""Sound records with hostile words in them, drawn as table, JSON, CSV and Markdown: words stay words."""

import csv
import io
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import results
from reports.text.grid import markdown_escaped, markdown_table, text_table
from reports.text.table import format_table, pivots_text
from results.text import csv_text, csv_value, digits, printable

FUNCTION_SCOPED = [HealthCheck.function_scoped_fixture]
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

FRAGMENTS = (
    "<xss a=1>",
    '"><xss>',
    "' xss='",
    '" xss="',
    "</script><xss>",
    "</title><xss>",
    "</style><xss>",
    "<!--",
    "-->",
    "]]>",
    "&lt;xss&gt;",
    "&#60;xss&#62;",
    "\\u003cxss\\u003e",
    "javascript:alert(1)",
    "{{ 7*7 }}",
    "{% raw %}",
    "%{y}",
    "<br>",
    "<b>",
    "|",
    "\\",
    "`",
    "*_~#",
    "=1+1",
    "+",
    "-",
    "@",
    "\t",
    "\r\n",
    '"',
    ",",
    ";",
    "\x1b[31m",
    "\x9b",
    "\u202e",
    "\u2066",
    "\u2028",
    "\ud800",
    "\N{PILE OF POO}",
    "e\u0301",
    "resnet50",
    " ",
)
WORDS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), max_size=5).map("".join)
NAMES = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), min_size=1, max_size=5).map(
    lambda parts: "".join(filter(str.isprintable, "".join(parts)))[:128] or "x"
)


def rendered(records, form):
    frame = results.table(records)
    return format_table(frame, form) + pivots_text(frame, form)


@settings(max_examples=25, suppress_health_check=FUNCTION_SCOPED)
@given(name=NAMES, word=WORDS)
def test_any_word_in_a_table_is_only_shown(drawn, name, word):
    text = rendered(drawn(name, word), "table")
    assert not STEERING.search(text)
    assert "…" not in text.replace(name, "").replace(word, "")


@settings(max_examples=25, suppress_health_check=FUNCTION_SCOPED)
@given(name=NAMES, word=WORDS)
def test_any_word_comes_back_from_json_and_csv(drawn, name, word):
    records = drawn(name, word)
    text = rendered(records, "json")
    assert text.isascii()
    rows = json.loads(text, parse_constant=pytest.fail)
    assert [row["model"] for row in rows] == [name] * 3
    assert rows[0]["notes"] == [word]
    assert rows[2]["cause"] == (word or "no cause given")
    text = rendered(records, "csv")
    assert not STEERING.search(text)
    (heads, *cells) = csv.reader(io.StringIO(text))
    assert len(cells) == 3
    assert all(len(line) == len(heads) for line in cells)
    found = [dict(zip(heads, line, strict=True)) for line in cells]
    assert [csv_value(row["model"]) for row in found] == [name] * 3
    assert csv_value(found[2]["cause"]) == (word or "no cause given")
    assert json.loads(found[0]["notes"]) == [word]
    for cell in (cell for line in cells for cell in line):
        assert not cell.startswith(FORMULA) or is_number(cell)


def is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


@settings(max_examples=25, suppress_health_check=FUNCTION_SCOPED)
@given(name=NAMES, word=WORDS)
def test_any_word_in_markdown_breaks_out_of_no_cell(drawn, name, word):
    text = rendered(drawn(name, word), "markdown")
    assert not STEERING.search(text)
    assert "<" not in text
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert tables
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table.splitlines()}
        assert len(widths) == 1


@given(st.text() | WORDS)
def test_markdown_gives_back_what_was_escaped(text):
    escaped = markdown_escaped(text)
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped).replace("&lt;", "<").replace("&amp;", "&")
    assert plain == printable(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*\[\]~#<]", escaped)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("resnext50_32x4d", "resnext50_32x4d"),
        ("_x_ __init__", r"\_x\_ \_\_init\_\_"),
        ("# head", r"\# head"),
        ("> quote", r"\> quote"),
        ("a > b", "a > b"),
        ("- item", r"\- item"),
        ("---", r"\---"),
        ("-", "-"),
        ("-5", "-5"),
        ("~~~", r"\~\~\~"),
        ("![x](http://example.org)", r"!\[x\](http://example.org)"),
        ("a\nb|c", r"a\\nb\|c"),
        ("<b>&amp;", "&lt;b>&amp;amp;"),
    ],
)
def test_markdown_shows_text_as_it_stands(text, escaped):
    assert markdown_escaped(text) == escaped


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1", "'\uff1d1"),
        ("'quoted'", "''quoted'"),
        ("", "'"),
        ("a\\b", "a\\\\b"),
        ("\t=1", "\\t=1"),
        ("\r\n=1", "\\r\\n=1"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e", "\\u202e"),
        (-1, "-1"),
        (-1e-300, "-1e-300"),
        ("a=1", "a=1"),
        ('"quoted", cell', '"quoted", cell'),
        (["=1", "\n"], '["=1", "\\n"]'),
    ],
)
def test_a_cell_of_csv_runs_nothing_and_steers_nothing(value, cell):
    assert [*csv.reader(io.StringIO(csv_text(["x"], [[value]])))] == [["x"], [cell]]


@settings(max_examples=150)
@given(rows=st.lists(st.tuples(WORDS, WORDS), max_size=4))
def test_a_table_of_any_words_has_a_line_for_each_row(rows):
    text = text_table(["a", "b"], rows)
    assert not STEERING.search(text)
    filled = [row for row in rows if any(printable(cell).strip() for cell in row)]
    assert len(text.splitlines()) == 2 + len(filled)
    assert len(markdown_table(["a", "b"], rows).splitlines()) == 2 + len(rows)


def test_a_long_cell_takes_no_room_from_the_others():
    long = "\U000e0001" * 4096
    text = text_table(["model", "why"], [["resnet50", long], ["resnet18", "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 9_000]])
    assert printable(long) in text
    assert "…" not in text


@given(st.floats(allow_nan=False), st.none() | st.floats(min_value=0))
def test_every_number_can_be_shown(value, relative):
    shown = digits(value, relative)
    assert shown
    assert "…" not in shown
    float(shown)
