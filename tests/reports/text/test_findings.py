import json
import re

import pytest
from msgspec import structs

from reports.text.findings import findings_text, study_text
from results.analysis.study import Study
from results.storage.reader import load


@pytest.fixture
def text(tmp_path_factory, write_run, make_run):
    """What is found in records, as lines; further cases may be planned."""

    def make(records, *, planned=(), fmt="table", **run_fields):
        plan = [*dict.fromkeys(record.case for record in records), *planned]
        path = write_run(tmp_path_factory.mktemp("runs"), records, run=make_run(plan=plan, **run_fields))
        return findings_text(Study(load(path)), fmt).splitlines()

    return make


@pytest.fixture
def compiled(make_record, make_case):
    """Records of a baseline, nhwc, and nhwc compiled, with these speed-ups."""

    def make(nhwc=1.25, both=1.5, **fields):
        made = [make_record(latency_s=0.05)]
        for gain, axes in ((nhwc, {"layout": "nhwc"}), (both, {"layout": "nhwc", "runtime": "compile"})):
            own = fields if gain is both else {}
            made.append(make_record(make_case(**axes), latency_s=0.05 / gain, baseline_latency_s=0.05, **own))
        return made

    return make


def test_a_chain_is_one_line(text, compiled):
    lines = text(compiled(noise=0.0))
    line = lines[lines.index("which change gave what") + 1]
    assert re.fullmatch(
        r"resnet50 b8: nchw → nhwc ×1\.2\d* ± 0\.\d+ %, eager → compile ×1\.19\d* ± 0\.\d+ %: ×1\.5\d* ± <0\.01 %", line
    )


def test_a_broken_chain_says_why(text, compiled, make_equality):
    lines = text(compiled(equality=make_equality("wrong")))
    (broken,) = [line for line in lines if "no chain to fp32 compile nhwc: " in line]
    assert "its result is wrong" in broken
    assert "error 0.3" in broken
    assert any(line.startswith("resnet50 b8 compile nhwc: not known: its result is wrong") for line in lines)


def test_unchecked_results_are_counted(text, compiled, make_equality):
    lines = text(compiled())
    assert lines[lines.index("unchecked results") + 1] == (
        "2 of 2 results were not checked (resnet50 b8 eager nhwc, resnet50 b8 compile nhwc)"
    )
    records = [structs.replace(record, equality=make_equality()) for record in compiled()]
    assert "unchecked results" not in text(records)


_PAYS = r"resnet50 b8 compile nhwc: ×[\d.]+ ± [\d.]+ % over eager, [\d.]+ s of compilation: "


def test_when_compiling_pays_is_one_line(text, compiled):
    (line,) = [line for line in text(compiled(nhwc=1.2, both=1.5, noise=0.03)) if "of compilation" in line]
    told = re.fullmatch(_PAYS + r"pays after ([\d,]+) steps \(([\d,]+) to ([\d,]+)\)", line)
    low, value, high = (float(told[place].replace(",", "")) for place in (2, 1, 3))
    assert low < value < high
    assert value == pytest.approx(10 / (0.05 / 1.2 - 0.05 / 1.5), rel=0.1)


@pytest.mark.parametrize(
    ("both", "told"),
    [
        (1.1, r"never pays"),
        (1.205, r"pays after [\d,]+ steps \([\d,]+ to never\)"),
        (1.195, r"never pays \(at best after [\d,]+ steps\)"),
    ],
)
def test_compiling_that_may_never_pay_says_so(text, compiled, both, told):
    (line,) = [line for line in text(compiled(nhwc=1.2, both=both, noise=0.02)) if "of compilation" in line]
    assert re.fullmatch(_PAYS + told, line), line


def test_a_warm_cache_is_told_apart(text, compiled):
    records = compiled()
    facts = structs.replace(records[-1].facts, warm_compile_s=1.0)
    (line,) = [line for line in text([*records[:-1], structs.replace(records[-1], facts=facts)]) if "warm" in line]
    assert ", with a warm cache pays after 1" in line


def test_what_reached_the_target_is_counted_and_the_rest_named(text, make_record, make_case):
    stops = {1: "target", 2: "target", **dict.fromkeys(range(3, 10), "budget"), 10: "time-limit"}
    records = [make_record(make_case(batch_size=size), stop=stop) for size, stop in stops.items()]
    records.append(make_record(make_case(batch_size=11), status="crash", cause="x"))
    last = text(records, planned=[make_case(batch_size=12)])[-1]
    reached, *others = re.split(r", (?=\d+ (?!more))", last)
    assert reached.startswith("2 of 12 cases ")
    assert "±1 %" in reached
    counts = [re.fullmatch(r"(\d+) .*\((.*)\)", other).groups() for other in others]
    names = "resnet50 b3, resnet50 b4, resnet50 b5, resnet50 b6, resnet50 b7, 2 more"
    assert counts == [("7", names), ("1", "resnet50 b10"), ("1", "resnet50 b11"), ("1", "resnet50 b12")]
    for other, why in zip(others, ("budget", "time limit", "failed", "not measured"), strict=True):
        assert why in other


def test_one_late_replicate_makes_the_case_late(text, make_record):
    records = [make_record(), make_record(replicate=1, stop="budget")]
    last = text(records)[-1]
    assert last.startswith("0 of 1 cases ")
    assert last.endswith("budget (resnet50 b8)")


def test_cases_are_named_by_what_varies(text, make_record, make_case):
    records = [make_record(stop="budget"), make_record(make_case(task="training", threads=1), stop="budget")]
    assert "(resnet50 b8 inference 2 threads, resnet50 b8 training 1 thread)" in text(records)[-1]


def test_several_runs_are_told_apart(tmp_path, write_run, make_record, make_run):
    for name in ("a", "b"):
        write_run(tmp_path, [make_record()], run=make_run(plan=[make_record().case], run_id=name))
    lines = findings_text(Study(load(tmp_path)), "table").splitlines()
    for line, name in zip(lines[-2:], ("a", "b"), strict=True):
        assert line.startswith(f"{name}: 1 of 1 cases ")


def test_findings_are_for_people(text, compiled):
    assert text(compiled(), fmt="json") == text(compiled(), fmt="csv") == []


def test_markdown_has_paragraphs_and_hostile_names_only_show(text, make_record, make_case):
    lines = text([make_record(make_case(model="a|b<c>"), stop="budget")], fmt="markdown")
    assert "a\\|b&lt;c> b8" in lines[-2]
    assert not lines[-1]


def test_an_empty_run_finds_nothing(text):
    assert text([]) == []


@pytest.fixture
def whole(tmp_path, write_run, make_record, make_case, make_static):
    records = [
        make_record(make_case(model=model, layout=layout), baseline_latency_s=None if layout == "nchw" else 0.1)
        for model in ("resnet18", "resnet50")
        for layout in ("nchw", "nhwc")
    ]
    statics = [make_static("resnet18", block="basic", depth=18), make_static()]
    return Study(load(write_run(tmp_path, records, statics)))


def test_people_read_table_pivots_and_findings_in_this_order(whole):
    text = study_text(whole, "table")
    assert text.index("speed-up") < text.index("images a second by depth") < text.index("reached the target")


def test_programs_read_the_table_only(whole):
    assert len(json.loads(study_text(whole, "json"))) == 4


def test_the_table_is_that_of_the_study(whole, monkeypatch):
    first = whole.table
    monkeypatch.setattr(whole, "runs", None)  # whoever would compute it again would fail
    assert study_text(whole, "csv").count("\n") == len(first) + 1
