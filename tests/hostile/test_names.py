"""Names and texts in sound run files that were made to hurt whoever shows them."""

import copy
import html

import pytest

NAMES = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\uff1d1+1",
    "|pipe|",
    "`code`",
    "[x](javascript:alert(1))",
    "![x](http://example.org/x.png)",
    "&lt;b&gt;",
    "{{ 7*7 }}{% raw %}",
    "%{customdata}",
    "../../etc/passwd",
    "# heading",
    "---",
    "e\u0301\u0327 combining",
    "\N{PILE OF POO}\N{BEER MUG}",
    "\N{ARABIC LETTER ALEF}\N{HEBREW LETTER ALEF}",
    "x" * 128,
    "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 128,
)
"""Names that the schema lets pass, so that whatever shows them must cope."""
NOT_NAMES = ("", "x" * 129, "\x1b[31m", "a\0b", "\u202egnp.exe", "a\nb", "\ud800", "\u2028", "\x9b2J", "\u2067")


def written(folder, contents, sealed, name="run.jsonl"):
    path = folder / name
    path.write_bytes(b"".join(map(sealed, contents)))
    return path


def named(run_lines, name):
    """The run with `name` wherever a name or a text may stand."""
    changed = copy.deepcopy(run_lines)
    header = changed[0]["body"]
    header["suite"] = header["started"] = name
    header["environment"] |= {"cpu": name, "os": name, "torch": name, "variables": {name: name}, "nulls": {name: name}}
    changed[1]["body"] |= {"model": name, "family": name, "block": name, "uncounted": [name]}
    for line in changed[2:-1]:
        line["body"]["notes"] = [name]
        line["body"]["nulls"] |= {"compile_s": name, "speedup": name}
    changed[4]["body"]["cause"] = name
    for case in (*header["plan"], *(line["body"]["case"] for line in changed[2:-1])):
        case["model"] = name
    return changed


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_reaches_every_output_and_steers_none(call, folder, run_lines, sealed, name):
    path = written(folder, named(run_lines, name), sealed)
    for form in ("table", "json", "csv", "markdown"):
        called = call("table", path, "--format", form)
        assert (called.code, called.err) == (0, "")
    other = named(run_lines, name)
    other[0]["body"]["id"] = "another"
    assert call("compare", path, written(folder, other, sealed, "other.jsonl")).code == 3


def test_all_hostile_names_on_one_page(call_writing, folder, run_lines, sealed):
    changed = named(run_lines, NAMES[0])
    end = changed.pop()
    for name in NAMES[1:]:
        changed += [
            {**line, "line": len(changed) + place} for place, line in enumerate(named(run_lines, name)[1:-1], 1)
        ]
    end["line"], end["body"]["records"] = len(changed) + 1, 3 * len(NAMES)
    path = written(folder, [*changed, end], sealed)
    called = call_writing("report", path, "-o", folder / "page.html")
    assert (called.code, called.err) == (0, "")
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert all(html.escape(name).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page for name in NAMES)
    assert sorted(entry.name for entry in folder.iterdir()) == ["page.html", "run.jsonl"]


@pytest.mark.parametrize("name", NOT_NAMES)
def test_what_is_no_name_is_refused_in_the_plan_and_left_out_elsewhere(call, refused, folder, run_lines, sealed, name):
    changed = copy.deepcopy(run_lines)
    changed[2]["body"]["case"]["model"] = name
    called = call("table", written(folder, changed, sealed))
    assert called.code == 0
    assert "line 3: " in called.err
    run_lines[0]["body"]["plan"][0]["model"] = name
    refused("line 1: its header is damaged", "table", written(folder, run_lines, sealed))


@pytest.mark.parametrize(
    "text", ["\x1b[31m", "\u202e\u2066", "a\nb\r\nc", "\0", "x" * 4096, "\U000e0001" * 4096, "\x9b"]
)
def test_a_text_may_hold_what_a_name_may_not_and_only_shows(call, call_writing, folder, run_lines, sealed, text):
    for line in run_lines[2:-1]:
        line["body"] |= {"notes": [text], "cause": text}
    path = written(folder, run_lines, sealed)
    for form in ("table", "json", "csv", "markdown"):
        assert call("table", path, "--format", form).code == 0
    assert "crash: " in call("table", path).out
    assert "resnet50" in call("table", path).out  # nothing else had to make room for it
    assert call_writing("report", path, "-o", folder / "page.html").code == 0
