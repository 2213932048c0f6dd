import base64
import dataclasses
import hashlib
import html
import html.parser
import re

import pytest
from msgspec import structs
from plotly.offline import get_plotlyjs

import reports
from reports.chapters import CHAPTERS, FIGURES
from reports.page import page
from results.errors import InputError
from results.schema.lines.record import Noise
from results.storage import reader
from tests.profiles import memory, peaks, profile
from tests.reports.sources import payload, unpacked
from tests.trainings import write_trainings

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '<a href="javascript:alert(1)">click</a>',
    "{{ 7*7 }}{% raw %}",
    "%{customdata} <b>bold</b> &lt;",
    "evil\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\x1b[31mred",
)


PACKED = "application/octet-stream;base64"
SCRIPTS = [{}, {"type": PACKED, "id": "payload"}, {"type": PACKED, "id": "plotly"}, {}]
"""Attributes of the page's own scripts."""


class Tags(html.parser.HTMLParser):
    """What a browser would make of a page: its tags with attributes, and its scripts."""

    def __init__(self):
        super().__init__()
        self.tags = []
        self.scripts = []
        self._inside = None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        self._inside = None


def parse(text):
    tags = Tags()
    tags.feed(text)
    return tags


@pytest.fixture
def text(make_records, tmp_path):
    return page.render(make_records(tmp_path))


def test_build_writes_one_file_and_returns_its_path(make_records, tmp_path):
    records = make_records(tmp_path / "runs")
    (tmp_path / "out").mkdir()
    path = reports.build(records, tmp_path / "out" / "report.html")
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>\n")


def test_same_records_give_the_same_bytes(make_records, tmp_path):
    records = make_records(tmp_path / "runs")
    first = reports.build(records, tmp_path / "a.html").read_bytes()
    assert reports.build(records, tmp_path / "b.html").read_bytes() == first


def test_an_unwritable_place_is_one_line(make_records, tmp_path):
    with pytest.raises(InputError, match=r"^cannot write .*nowhere.*choose another path for the page$"):
        reports.build(make_records(tmp_path), tmp_path / "nowhere" / "report.html")


def test_the_page_asks_for_nothing_else(text):
    tags = parse(text).tags
    for tag, attributes in tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        assert not {"src", "srcset", "action", "data", "poster"} & attributes.keys(), tag
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    # An SVG element cannot be made without the name of its kind, which is no address.
    assert not re.search(r"url\(|@import|https?://", text.replace("http://www.w3.org/2000/svg", ""))


def test_the_policy_allows_exactly_the_scripts_of_the_page(text):
    parsed = parse(text)
    policy = next(a["content"] for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    kinds = [a.get("id") for tag, a in parsed.tags if tag == "script"]
    (guard, _, plotly, last) = parsed.scripts
    assert kinds == [None, "payload", "plotly", None]
    scripts = [guard, unpacked(plotly), last]  # Plotly sleeps until the page's own script wakes it
    assert scripts[1] == get_plotlyjs()
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert hashes
    assert f"script-src {' '.join(hashes)};" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_every_case_and_every_failure_is_shown(text, make_records, tmp_path):
    records = make_records(tmp_path / "again")
    given = payload(text)["cases"]
    assert len(given["status"]) == len({record.case for record in records})
    assert sum(status != "ok" for status in given["status"]) == sum(record.status != "ok" for record in records)
    for record in records:
        if record.status != "ok":
            assert record.cause in given["cause"]
    assert ["this CPU emulates bf16"] in given["remarks"]


def test_every_figure_is_drawn_with_takeaway_and_data(text):
    drawn = payload(text)["charts"]
    assert set(drawn) == set(FIGURES)
    assert sum(len(chapter.charts) for chapter in CHAPTERS.values()) == len(FIGURES)  # no name stands twice
    for name, views in drawn.items():
        assert len({view["slug"] for view in views}) == len(views)
        for view in views:
            assert view["data"] or view["layout"]["annotations"], name
            assert view["takeaway"].endswith(".")
            assert "template" in view["layout"]
            assert view["table"]["rows"]
            assert {len(row) for row in view["table"]["rows"]} == {len(view["table"]["heads"])}
        assert (f'id="chart-{name}"' in text) == bool(views)
        assert views or FIGURES[name].absent in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_only_shows(name, make_case, make_record, make_static, make_run, tmp_path):
    case, other, failed = (make_case(model=name, **axes) for axes in ({}, {"layout": "nhwc"}, {"runtime": "compile"}))
    made = (
        make_record(case),
        make_record(other, latency_s=0.04, baseline_latency_s=0.05, notes=(name,)),
        make_record(failed, status="error", cause=name),
    )
    # Not through the writer, which refuses some of these names: the page must not rely on that.
    file = reader.RunFile(
        path=tmp_path / "run.jsonl",
        run=make_run(plan=(case, other, failed), suite=name),
        statics=(make_static(name, family=name, block=name),),
        records=made,
        complete=True,
        problems=(name,),
    )
    text = page.render(reader.Records((file,)))
    tags = parse(text).tags
    assert [attributes for tag, attributes in tags if tag == "script"] == SCRIPTS
    assert not any(tag == "img" or "onerror" in a or "onmouseover" in a for tag, a in tags)
    assert all(a["href"].startswith("#") for tag, a in tags if tag == "a")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert "\x1b" not in text
    assert html.escape(name).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text or not name.isprintable()
    given = payload(text)
    assert not any("\N{RIGHT-TO-LEFT OVERRIDE}" in words or "\x1b" in words for words in _strings(given))
    for words in _strings([view["data"] for views in given["charts"].values() for view in views]):
        assert not re.search(r"<(?!/?b>|br>|extra>|/extra>)", words), words


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def test_a_page_of_failures_only(make_case, make_record, write_run, tmp_path):
    record = make_record(make_case(), status="crash", cause="killed by signal 11")
    text = page.render(reader.load(write_run(tmp_path, [record])))
    assert "1 crash (resnet50)" in text
    assert "killed by signal 11" in text
    drawn = payload(text)["charts"]
    assert not any(drawn.values())
    assert all(html.escape(chart.absent) in text for chart in FIGURES.values())


def test_a_page_of_no_record_at_all(write_run, tmp_path):
    text = page.render(reader.load(write_run(tmp_path)))
    assert "These files hold no case." in text


def test_problems_of_the_files_are_shown(make_record, write_run, tmp_path):
    records = reader.load(write_run(tmp_path, [make_record()], status=None))
    assert records.problems
    assert "Problems of the files" in page.render(records)


def test_notes_on_the_files_are_shown(make_record, write_run, tmp_path):
    (file,) = reader.load(write_run(tmp_path, [make_record()])).files
    records = reader.Records((dataclasses.replace(file, more={"<profile>": ({}, {})}),))
    text = page.render(records)
    assert "Notes on the files" in text
    assert "2 lines of kind &#39;&lt;profile&gt;&#39;" in text
    assert "Notes on the files" not in page.render(reader.Records((file,)))


def heads(text):
    return [column["heading"] for column in payload(text)["cases"]["columns"]]


def column(text, name):
    """The texts of one column of the table of cases."""
    return payload(text)["cases"]["cells"][name]["text"]


def test_the_table_of_cases_has_the_columns_that_any_case_fills(text):
    shown = heads(text)
    assert {"variant", "task", "batch", "precision", "runtime", "layout", "status"} < set(shown)
    assert shown[0] == "variant"
    assert shown.index("layout") < shown.index("status") < shown.index("latency")
    assert not {"machine", "device", "threads", "pixels"} & set(shown)  # all cases share them
    assert {"latency", "p50", "speed-up", "peak resident", "first step", "compile", "graph breaks"} < set(shown)
    assert not {"p99", "peak allocated"} & set(shown)


def test_without_a_script_every_case_stands_in_a_table(text, make_records, tmp_path):
    records = make_records(tmp_path / "again")
    plain = text[text.index("<noscript>\n<div") :]
    assert plain.count('<td class="status"') == len({record.case for record in records})
    assert all(record.cause in plain for record in records if record.status != "ok")


def test_a_page_of_an_accelerator_shows_the_memory_that_it_has(make_case, make_record, write_run, tmp_path):
    record = make_record(make_case(device="cuda:0"), turns=200)
    shown = heads(page.render(reader.load(write_run(tmp_path, [record]))))
    assert "peak allocated" in shown
    assert "peak resident" not in shown
    assert "p99" in shown


def test_operators_that_the_counter_does_not_know_are_named(make_record, make_static, write_run, tmp_path):
    statics = [make_static(uncounted=("aten::add_", "aten::max_pool2d"))]
    text = page.render(reader.load(write_run(tmp_path, [make_record()], statics)))
    assert "aten::add_, aten::max_pool2d" in text


def test_a_wrong_result_is_marked_and_drawn_as_no_speed_up(make_case, make_record, make_equality, write_run, tmp_path):
    case = make_case(layout="nhwc")
    record = make_record(case, latency_s=0.01, baseline_latency_s=0.05, equality=make_equality("wrong"))
    text = page.render(reader.load(write_run(tmp_path, [make_record(), record])))
    told = "output, error 0.3 where 1e-05 is allowed; it is no speed-up"
    assert payload(text)["cases"]["status"] == ["ok", "wrong result"]
    assert payload(text)["cases"]["cause"] == ["", told]
    assert f"<li>resnet50, fp32 · eager · nhwc: {told}</li>" in text
    assert "resnet50, fp32 · eager · nchw: " not in text
    assert "The best speed-up" not in text


def test_noise_and_unsteady_steps_are_remarks(make_record, make_case, write_run, tmp_path):
    record = make_record(signs=Noise(other_cpus=1.5))
    record = structs.replace(record, samples=structs.replace(record.samples, steady=False, slowing=True))
    text = page.render(reader.load(write_run(tmp_path, [record])))
    (remarks,) = payload(text)["cases"]["remarks"]
    assert "busy: other processes kept 1.5 CPUs busy" in remarks
    assert any(line.startswith("slowing: steps grew ever slower") for line in remarks)
    assert column(text, "state") == ["slowing"]
    assert "busy in 1" in text


def test_when_compiling_pays_is_a_column(make_record, make_case, write_run, tmp_path):
    records = [make_record()]
    for layout, gain in (("nchw", 1.25), ("nhwc", 0.8)):
        if layout == "nhwc":
            records.append(make_record(make_case(layout=layout), baseline_latency_s=0.05))
        case = make_case(layout=layout, runtime="compile")
        records.append(make_record(case, latency_s=0.05 / gain, baseline_latency_s=0.05))
    text = page.render(reader.load(write_run(tmp_path, records)))
    assert "compiling pays after" in heads(text)
    cells = payload(text)["cases"]["cells"]["break_even_steps"]
    assert cells["text"][1] == "1,000\N{NO-BREAK SPACE}steps"
    assert re.fullmatch(r"[\d,]+ to 1,[\d,]+", cells["note"][1])
    assert cells["text"][3] == "never"
    assert cells["reason"]["3"] == "never: it is not faster than eager"


def test_a_verdict_on_the_result_and_its_error_are_columns(make_record, make_case, make_equality, write_run, tmp_path):
    record = make_record(make_case(layout="nhwc"), baseline_latency_s=0.1, equality=make_equality())
    text = page.render(reader.load(write_run(tmp_path, [make_record(), record])))
    assert column(text, "equality")[1] == "equal"
    assert column(text, "equality_error")[1] == "1.0e-06"


def test_a_page_of_profiles_has_their_chapters_answer_and_method(make_run, tmp_path):
    lines = [peaks(), profile(task="training"), memory()]
    path = write_trainings(tmp_path, make_run(run_id="profile", plan=(), suite="profile"), lines)
    text = page.render(reader.load(path))
    assert "convolution 7" in text
    assert "A profile is that of a step under" in text
    assert "A training runs in a process of its own" not in text
    drawn = {name for name, views in payload(text)["charts"].items() if views}
    assert {"profile_kinds", "profile_stages", "profile_modules", "roofline", "gains", "memory_parts"} <= drawn
    assert '<section id="tradeoffs" hidden>' in text
