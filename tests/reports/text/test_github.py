import dataclasses
import re

import pytest
from markdown_it import MarkdownIt
from msgspec import structs

import results
from reports.text.github import AB_MARKER, COMPARE_MARKER, arms_github, comparison_github, worst_outcome
from reports.text.github_markdown import LIMIT
from results.analysis.compare import Compared, Comparison
from results.analysis.differences import Change
from results.storage.reader import load

HOSTILE = (
    "<script>alert(1)</script> | `x` **b** [a](//evil) <!-- --> @someone #12 GH-7 https://evil.test www.evil.test\n# h"
)


@pytest.fixture
def side(tmp_path, write_run, make_record, make_static, make_run):
    """A run of four replicates of each model, as its factor makes it slower."""

    def make(name, factors, *, machine=None, **fields):
        records = [
            make_record(case, replicate=index, latency_s=0.05 * factor * noise, noise=0.001, **fields)
            for case, factor in factors.items()
            for index, noise in enumerate((0.998, 1.0, 1.002, 1.001))
        ]
        run = make_run(plan=list(factors), run_id=name)
        run = structs.replace(run, environment=structs.replace(run.environment, **(machine or {})))
        statics = [make_static(case.model) for case in factors]
        return load(write_run(tmp_path, records, statics, run=run))

    return make


@pytest.fixture
def changed(side, make_case):
    """Five cases: one broken, two slower, one faster, one the same."""
    cases = [make_case(batch_size=size) for size in (1, 2, 4, 8, 16)]
    base = side("base", dict.fromkeys(cases, 1.0))
    new = side("new", dict(zip(cases, (1.1, 1.5, 0.5, 1.0, 1.0), strict=True)))
    found = results.compare(base, new)
    crashed = dataclasses.replace(found.cases[4], verdict="inconclusive", broken=True, reason="crash in NEW: signal 11")
    return dataclasses.replace(found, cases=(*found.cases[:4], crashed))


def _rows(text):
    """Return the cells of each row of the tables, heads included."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_verdict_comes_first(changed):
    lines = comparison_github(changed).splitlines()
    assert lines[0] == COMPARE_MARKER
    assert lines[1] == "**Regression: 1 broken, 2 slower, 1 faster, 1 same**"
    assert "more than the margin of 2 %" in lines[3]


def test_what_changed_stands_above_the_fold_broken_first_then_slower_by_size(changed):
    above, fold, below = comparison_github(changed).partition("<details>")
    assert [(cells[1], cells[-2]) for cells in _rows(above)[2:]] == [
        ("16", "broken"),
        ("2", "slower"),
        ("1", "slower"),
        ("4", "faster"),
    ]
    assert _rows(above)[2][-1] == "crash in NEW: signal 11"
    assert fold
    assert below.startswith("<summary>Other cases: 1 (1 same)</summary>")


def test_folds_close_and_tell_how_it_was_measured(changed):
    text = comparison_github(changed)
    assert 0 < text.count("<details>") == text.count("</details>")
    assert "- margin 2 %; Welch" in text
    assert (
        "- BASE: run base of 2026-11-22T00:38:12Z, AMD EPYC 9B14 2 cores 16 GiB, torch 2.14.1, resnet-bench 0.1.0"
        in text
    )
    assert "- NEW: run new of" in text


def test_a_pass_says_so_and_has_no_empty_table(side, make_case):
    found = results.compare(side("a", {make_case(): 1.0}), side("b", {make_case(): 1.0}))
    text = comparison_github(found)
    assert "**Pass: 1 same**" in text.splitlines()
    assert "No case became slower by more than 2 %" in text
    assert len(_rows(text)) == 3


def test_other_hardware_is_shown_with_its_ratios_and_not_judged(side, make_case):
    found = results.compare(side("a", {make_case(): 1.0}), side("b", {make_case(): 2.0}, machine={"cpu": "Other"}))
    text = comparison_github(found)
    assert "**Inconclusive: 1 not judged**" in text.splitlines()
    assert "not judged" in text.partition("<details>")[0].replace("**Inconclusive: 1 not judged**", "")
    (cells,) = _rows(text.partition("<details>")[0])[2:]
    assert float(cells[3]) == pytest.approx(2, rel=0.01)
    assert "- cpu: AMD EPYC 9B14 became Other" in text


def test_inconclusive_says_what_to_do(side, make_case):
    found = results.compare(side("a", {make_case(): 1.0}), side("b", {make_case(): 1.02}))
    assert "`resnet-bench ab`" in comparison_github(found).partition("<details>")[0]


def test_machines_are_named(side, make_case):
    base, new = (
        results.load(
            *(
                file.path
                for name in (f"{where}1", f"{where}2")
                for file in side(name, {make_case(): 1.0}, machine={"cpu": name[1]}).files
            )
        )
        for where in "ab"
    )
    text = comparison_github(results.compare(base, new))
    assert {cells[0] for cells in _rows(text)[2:]} == {"1 2 cores 16 GiB", "2 2 cores 16 GiB"}


def test_counts_that_differ_are_above_the_fold(changed):
    counts = (Change(what="macs of resnet50 at 224 pixels", base="1", new="2"),)
    above = comparison_github(dataclasses.replace(changed, counts=counts)).partition("<details>")[0]
    assert "- macs of resnet50 at 224 pixels: 1 became 2" in above
    assert "static counts that differ: 1" in above


@pytest.mark.parametrize("limit", [LIMIT, 3000])
@pytest.mark.parametrize("word", ["slower", "same"])
def test_a_hundred_thousand_cases_fit_and_the_rest_is_counted(make_case, word, limit):
    cases = tuple(
        Compared(case=make_case(batch_size=size), verdict=word, ratio=1.5, low=1.4, high=1.6, p=0.001)
        for size in range(1, 100_001)
    )
    reasons = tuple(f"FILE line {number}: ünreadable" for number in range(1000))
    found = Comparison(
        margin=0.02,
        cases=cases,
        vanished=(),
        added=(),
        counts=(),
        environment=(),
        same_hardware=True,
        reasons=reasons,
        runs=("BASE: x", "NEW: y"),
    )
    text = comparison_github(found, limit)
    assert len(text.encode()) <= limit < 65_536
    assert len(text.encode()) > limit - 500
    left = sum(
        int(count.replace(",", ""))
        for count in re.findall(r"^([\d,]+) more (?:cases|changes) are left", text, re.MULTILINE)
    )
    shown = sum(cells[-2] == word for cells in _rows(text))
    assert shown + left == 100_000
    assert text.count("<details>") == text.count("</details>")


def test_text_from_files_is_only_shown(changed):
    one = dataclasses.replace(changed.cases[0], reason=HOSTILE, machine=HOSTILE)
    text = comparison_github(
        dataclasses.replace(
            changed,
            cases=(one,),
            reasons=(HOSTILE,),
            runs=(HOSTILE,),
            environment=(Change(what=HOSTILE, base=HOSTILE, new=HOSTILE),),
        )
    )
    assert "<script" not in text
    assert text.count("<!--") == 1
    for live in ("@someone", "#12", "GH-7", "://", "www.", "[a]", "**b**", "`x`"):
        assert live not in text
    assert "\n# h" not in text
    assert all(len(cells) == len(_rows(text)[0]) for cells in _rows(text))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert html.count("<strong>") == html.count("<table>") == 1
    assert not re.search(r"<(?:a|img|script|h\d)\b", html)
    assert "&lt;script" in html


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ([], "inconclusive"),
        (["pass", "pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "regression", "pass"], "regression"),
    ],
)
def test_the_worst_outcome_counts(outcomes, worst):
    assert worst_outcome(outcomes) == worst


@pytest.fixture
def paired(make_case):
    from results.analysis.ab import Paired  # noqa: PLC0415
    from results.statistics.looks import judge  # noqa: PLC0415

    def make(factor=1.0, *, pairs=10, **fields):
        ratios = tuple(factor * (1 + 0.001 * (index % 3)) for index in range(pairs))
        usual = {"broken": False, "counts": (), "environment": (), "reasons": (), "notices": (), "pair_s": 1.0}
        return Paired(
            pair="p",
            margin=0.02,
            a=make_case(),
            b=make_case(),
            judged=judge(ratios, 0.02),
            ratios=ratios,
            a_latency_s=0.05,
            b_latency_s=0.05 * factor,
            **{**usual, **fields},
        )

    return make


def test_pairs_are_one_table_with_the_worst_first(paired):
    text = arms_github([paired(), paired(0.8), paired(1.3), paired(pairs=1), paired(broken=True)])
    lines = text.splitlines()
    assert lines[:2] == [AB_MARKER, "**Regression: 1 broken, 1 slower, 1 inconclusive, 1 faster, 1 same**"]
    assert [cells[-2] for cells in _rows(text)[2:]] == ["broken", "slower", "inconclusive", "faster", "same"]
    assert text.count("<details>") == text.count("</details>")


def test_pairs_with_a_reason_are_no_pass(paired):
    text = arms_github([paired(reasons=(HOSTILE,))])
    assert "**Inconclusive: 1 inconclusive**" in text.splitlines()
    assert "@someone" not in text


def test_many_pairs_fit(paired):
    text = arms_github([paired(reasons=("é" * 4000,) * 50) for _ in range(200)])
    assert LIMIT - 500 < len(text.encode()) <= LIMIT
    assert "more lines are left out" in text
