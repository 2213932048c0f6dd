import importlib
import pathlib
import re

import pytest

from tests.scale import __main__ as scale
from tests.selftest import __main__ as selftest
from tests.selftest import selfbench, session
from tests.selftest.rows import Row

ROOT = pathlib.Path(__file__).parents[2]
ROWS = [
    Row("equal arms", "0.50% [0.40%, 0.60%]", "≤ 1 %", True, "3 steps"),
    Row("equal arms", "0.70% [0.60%, 0.80%]", "≤ 1 %", None, "10 steps"),
    Row("a|b", "1.02 [0.99, 1.05]", "1.00 ± 0.03", False),
]
TEXT = "# Trust\n\n<!-- begin: selftest null -->\nold\n<!-- end: selftest null -->\n\nafter\n"


@pytest.fixture
def documents(tmp_path):
    (tmp_path / "other.md").write_text("nothing\n")
    (tmp_path / "trust.md").write_text(TEXT)
    return tmp_path


def block(documents):
    return re.search(r"<!-- begin: selftest null -->\n(.*)<!-- end: selftest null -->\n", text(documents), re.DOTALL)[1]


def text(documents):
    return (documents / "trust.md").read_text(encoding="utf-8")


def test_figures_replace_all_between_the_markers_and_nothing_else(documents):
    session.write_figures(documents, "selftest", "null", "2 cores of a CPU", ROWS)
    session.write_figures(documents, "selftest", "null", "3 cores of a CPU", ROWS)
    assert text(documents).startswith("# Trust\n\n<!-- begin: selftest null -->\n`null`, on 3 cores of a CPU, 20")
    assert text(documents).endswith("<!-- end: selftest null -->\n\nafter\n")
    assert "old" not in text(documents)


def test_variants_share_a_line_and_its_worst_verdict(documents):
    session.write_figures(documents, "selftest", "null", "a machine", ROWS)
    machine, gap, *table = block(documents).splitlines()
    assert machine.startswith("`null`, on a machine, 20")
    assert machine.endswith(":")
    assert not gap
    assert table[2] == "| equal arms | ≤ 1 % | 3 steps: 0.50%; 10 steps: 0.70% | unsure |"
    assert table[3].startswith("| a/b |")
    assert "broken" in table[3]
    assert {line.count("|") for line in table} == {5}


@pytest.mark.parametrize("text", ["", TEXT + TEXT.replace("selftest", "scale"), TEXT.replace("end", "End")])
def test_markers_must_stand_in_a_single_document(documents, text):
    (documents / "trust.md").write_text(text)
    (documents / "other.md").write_text(text)
    with pytest.raises(ValueError, match="markers"):
        session.write_figures(documents, "selftest", "null", "a machine", ROWS)
    assert (documents / "trust.md").read_text() == text


def test_quick_figures_are_not_written(capsys):
    with pytest.raises(SystemExit):
        session.parsed(["--write", "--quick"], name="selftest", purpose=None, choices=["a", "b"], quick=True)
    assert "--write" in capsys.readouterr().err


def test_every_row_is_measured_where_none_is_named():
    options = session.parsed(["--write"], name="selftest", purpose=None, choices=["a", "b"])
    assert options.names == ["a", "b"]
    assert options.write


@pytest.mark.parametrize(("kept", "status"), [([True], 0), ([True, None], 3), ([None, False], 1)])
def test_the_worst_row_decides_the_exit_code(kept, status, documents, monkeypatch, capsys):
    monkeypatch.setattr(session, "machine", lambda: "a machine")
    rows = [Row("what", "1", "2", verdict) for verdict in kept]
    assert session.finish("selftest", ["null"], lambda name: iter(rows), write=True, documents=documents) == status
    assert len(capsys.readouterr().out.splitlines()) == len(kept)
    assert "on a machine" in text(documents)


@pytest.mark.parametrize("module", ["tests.selftest.__main__", "tests.selftest.selfbench", "tests.scale.__main__"])
def test_every_session_takes_write(module, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module(module).main(["--help"])
    assert "--write" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "rows"), [("selftest", selftest.ROWS), ("bench-self", selfbench.CHECKS), ("scale", scale.PROMISES)]
)
def test_the_documents_have_the_markers_of_every_row(name, rows, tmp_path):
    for path in (ROOT / "docs").glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    for row in rows:
        session.write_figures(tmp_path, name, row, "a machine", ROWS)
    marked = re.findall(rf"<!-- begin: {name} (\S+) -->", (tmp_path / "trust.md").read_text(encoding="utf-8"))
    assert marked == list(rows)


@pytest.mark.parametrize("name", selftest.ROWS)
def test_the_function_of_every_row_exists(name):
    module, function = selftest.ROWS[name].split(":")
    assert callable(getattr(importlib.import_module(module), function))
