import base64
import hashlib
import html
import html.parser
import json
import re
import zlib

import pytest
from msgspec import structs
from plotly.offline import get_plotlyjs

import reports
import results
from reports.chapters import CHAPTERS, FIGURES
from reports.page import page
from reports.page.machine import sides
from reports.page.selection import shown
from results.errors import InputError
from results.metrics.rows import plain
from results.schema.record import Noise
from results.storage import reader
from results.text import csv_text
from tests.reports.sources import source_of

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


def payload(text):
    """What the page's script is given."""
    packed = re.search(r'id="payload">([^<]*)</script>', text)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS))


def own(text):
    """The page without Plotly's own source."""
    return text.replace(get_plotlyjs(), "")


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
    assert not re.search(r"url\(|@import|https?://", own(text).replace("http://www.w3.org/2000/svg", ""))


def test_the_policy_allows_exactly_the_scripts_of_the_page(text):
    parsed = parse(text)
    policy = next(a["content"] for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    scripts = [
        s
        for s, (tag, a) in zip(parsed.scripts, [t for t in parsed.tags if t[0] == "script"], strict=True)
        if a.get("type") in {None, "text/plain"}  # Plotly sleeps until the page's own script wakes it
    ]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert len(hashes) == 2
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
    assert sum(tag == "script" for tag, _ in tags) == 3
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
    assert "1 of 1 case did not succeed: 1 crash (resnet50)." in text
    assert "killed by signal 11" in text
    assert text.count('class="absent"') >= 10


def test_a_page_of_no_record_at_all(write_run, tmp_path):
    text = page.render(reader.load(write_run(tmp_path)))
    assert "These files hold no case." in text


def test_problems_of_the_files_are_shown(make_record, write_run, tmp_path):
    records = reader.load(write_run(tmp_path, [make_record()], status=None))
    assert records.problems
    assert "Problems of the files" in page.render(records)


def heads(text):
    return [column["heading"] for column in payload(text)["cases"]["columns"]]


def column(text, name):
    """The texts of one column of the table of cases."""
    return payload(text)["cases"]["cells"][name]["text"]


def test_the_table_of_cases_has_the_columns_that_any_case_fills(text):
    shown = heads(text)
    assert shown[:7] == ["variant", "task", "batch", "precision", "runtime", "layout", "status"]
    assert not {"machine", "device", "threads", "pixels"} & set(shown)  # all cases share them
    assert {"latency", "p50", "speed-up", "peak resident", "first step", "compile", "graph breaks"} < set(shown)
    assert not {"p99", "peak allocated"} & set(shown)


def test_without_a_script_every_case_stands_in_a_table(text, make_records, tmp_path):
    records = make_records(tmp_path / "again")
    plain = text[text.index("<noscript>\n<div") :]
    assert plain.count('<td class="status"') == len({record.case for record in records})
    assert all(record.cause in plain for record in records if record.status != "ok")


def test_a_download_is_what_export_writes(make_records, tmp_path):
    records = make_records(tmp_path)
    given = payload(page.render(records))["cases"]["csv"]
    frame = results.table(records)
    exported = csv_text(list(frame.columns), [list(row.values()) for row in plain(frame)])
    assert "".join(f"{line}\n" for line in [given["head"], *given["rows"]]) == exported


def test_each_case_has_the_command_that_measures_it_again(make_case, make_record, make_run, write_run, tmp_path):
    case = make_case(runtime="compile", layout="nhwc", precision="amp-bf16")
    path = write_run(tmp_path, [make_record(case)], run=make_run(plan=[case]))
    (command,) = payload(page.render(reader.load(path)))["cases"]["commands"]
    assert command == (
        "resnet-bench run --model resnet50 --task inference --batch-size 8 --image-size 224 --device cpu "
        "--precision fp32,amp-bf16 --runtime eager,compile --layout nchw,nhwc --threads 2 "
        "--replicates 1 --target 1% --budget 5"
    )


def test_samples_are_thinned_and_keep_their_ends(make_record, write_run, tmp_path):
    record = make_record(turns=200)
    steady = record.samples.step_s[record.samples.warmup :]
    ((samples,),) = payload(page.render(reader.load(write_run(tmp_path, [record]))))["cases"]["samples"]
    assert len(samples) == 30
    assert (samples[0], samples[-1]) == pytest.approx((min(steady), max(steady)), rel=5e-3)
    assert samples == sorted(samples)


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


def test_runs_that_share_cases_are_told_apart(make_records, tmp_path):
    make_records(tmp_path, run_id="a")
    make_records(tmp_path, run_id="b", slowness=0.5)
    assert set(source_of(reader.load(tmp_path)).cases["machine"]) == {"AMD EPYC 9B14 · a", "AMD EPYC 9B14 · b"}


def test_runs_of_one_machine_that_share_no_case_are_one_side(make_case, make_record, make_run, write_run, tmp_path):
    for name, size in (("a", 1), ("b", 8)):
        case = make_case(batch_size=size)
        write_run(tmp_path, [make_record(case)], run=make_run(plan=[case], run_id=name))
    assert set(source_of(reader.load(tmp_path)).cases["machine"]) == {"AMD EPYC 9B14"}


def test_versions_of_the_software_are_told_apart(make_record, make_run, write_run, tmp_path):
    for version in ("2.9.1", "2.14.1"):
        run = make_run(plan=[make_record().case], run_id=version)
        run = structs.replace(run, environment=structs.replace(run.environment, torch=version))
        write_run(tmp_path, [make_record()], run=run)
    sides = set(source_of(reader.load(tmp_path)).cases["machine"])
    assert sides == {"AMD EPYC 9B14 · torch 2.9.1", "AMD EPYC 9B14 · torch 2.14.1"}


def test_beyond_what_a_page_holds_the_fastest_setting_stays(make_records, tmp_path, monkeypatch):
    records = make_records(tmp_path)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 40)
    everything = source_of(records).cases
    few, said = shown(records, sides(records.files))
    kept = source_of(few).cases
    assert len(kept) < len(everything)
    assert f"{len(everything)} cases are more than a page can show" in said
    sound = everything[everything["status"].eq("ok")]
    fastest = sound.groupby(["model", "task"])["throughput_img_per_s"].max()
    best = kept.set_index(["model", "task"])["throughput_img_per_s"].dropna()
    assert best.to_dict() == pytest.approx(fastest.to_dict())
    given = payload(page.render(records))["cases"]
    assert len(given["status"]) == len(given["csv"]["rows"]) == len(kept)


def test_of_too_many_variants_the_most_accurate_stay(make_records, tmp_path, monkeypatch):
    records = make_records(tmp_path)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 40)
    monkeypatch.setattr("reports.page.selection.FEW_CASES", 2)
    few, _ = shown(records, sides(records.files))
    assert {record.case.model for record in few} == {"resnext101_64x4d", "resnext101_32x8d"}
    assert {case for file in few.files for case in file.run.plan} == {record.case for record in few}


def test_a_machine_without_a_chosen_case_keeps_its_name_in_the_title(
    make_case, make_record, make_run, write_run, tmp_path, monkeypatch
):
    for device, model, accelerator in (("cpu", "resnet18", None), ("cuda:0", "resnet34", "NVIDIA H100")):
        record = make_record(make_case(model=model, device=device))
        run = make_run(plan=[record.case], run_id=model, accelerator=accelerator)
        write_run(tmp_path, [record], run=run)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 1)
    monkeypatch.setattr("reports.page.selection.FEW_CASES", 1)
    text = page.render(reader.load(tmp_path))
    title = re.search("<title>(.*?)</title>", text)[1]
    assert len(payload(text)["cases"]["status"]) == 1
    assert title.count("NVIDIA H100") == title.count("AMD EPYC 9B14") == 1


def test_a_wrong_result_is_marked_and_drawn_as_no_speed_up(make_case, make_record, make_equality, write_run, tmp_path):
    case = make_case(layout="nhwc")
    record = make_record(case, latency_s=0.01, baseline_latency_s=0.05, equality=make_equality("wrong"))
    text = page.render(reader.load(write_run(tmp_path, [make_record(), record])))
    told = "output, error 0.3 where 1e-05 is allowed; it is no speed-up"
    assert payload(text)["cases"]["status"] == ["ok", "wrong result"]
    assert payload(text)["cases"]["cause"] == ["", told]
    assert f"<li>resnet50, fp32 · eager · nhwc: {told}</li>" in text
    assert text.count('class="failed"') == 1
    assert "The best speed-up" not in text


def test_noise_and_unsteady_steps_are_remarks(make_record, make_case, write_run, tmp_path):
    record = make_record(signs=Noise(other_cpus=1.5))
    record = structs.replace(record, samples=structs.replace(record.samples, steady=False, slowing=True))
    text = page.render(reader.load(write_run(tmp_path, [record])))
    (remarks,) = payload(text)["cases"]["remarks"]
    assert "busy: other processes kept 1.5 CPUs busy" in remarks
    assert any(line.startswith("slowing: steps grew ever slower") for line in remarks)
    assert column(text, "state") == ["slowing"]
    assert "1 of 1 case carries signs that the machine was disturbed: busy in 1." in text


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
