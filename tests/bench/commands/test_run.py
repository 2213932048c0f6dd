from pathlib import Path

import pytest

import reports
from bench.schedule import plan as plans
from bench.schedule import run as runner
from bench.suites import suite as suites
from bench.suites.suite import expand, load_suite
from bench.suites.values import DEFAULTS, KINDS
from results.schema.lines.run import Settings
from tests.bench.calls import bad


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["defualt"], "unknown suite 'defualt'; did you mean 'default'?"),
        (["none.toml"], "cannot read suite 'none.toml'"),
        (["quick", "--model", "resnt50"], "unknown model 'resnt50'; did you mean 'resnet50'?"),
        (["--model", "resnet18", "--precision", "fp23"], "unknown precision 'fp23'; did you mean 'fp32'?"),
        (["--model", "resnet18", "--batch-size", "0"], "batch_size: 0 should be a whole number >= 1"),
        (["--model", "resnet18", "--batch-size", "-8"], "batch_size: -8 should be a whole number >= 1"),
        (["--batch-size", "8"], "no model to measure"),
        (["quick", "--budget", "nan"], "budget_s: nan should be a number > 0"),
        (["quick", "--time-limit", "-1"], "time_limit_s: -1.0 should be a number > 0"),
    ],
)
def test_a_run_that_makes_no_sense_is_one_line_before_anything_is_measured(call, tmp_path, arguments, message):
    assert message in bad(call("run", *arguments, "--out", tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "resnet18", "--image-size", "8"], "8 is too small for 'resnet18', which needs at least 32"),
        (["--model", "resnet18", "--device", "cuda:99"], "no device 'cuda:99' on this machine"),
        (["--model", "resnet18", "--device", "cpu", "--out", "pyproject.toml/runs"], "pyproject.toml/runs"),
        (["--resume", "pyproject.toml"], "pyproject.toml line 1: this is no run file"),
    ],
)
def test_what_only_the_machine_can_tell_is_one_line_too(call, arguments, message):
    assert message in bad(call("run", *arguments))


def test_options_reach_the_runner(call, measured, make_record, tmp_path):
    asked = measured([make_record()])
    code, _, _ = call(
        *("run", "quick", "--model", "resnet18,resnet50", "--model", "plain18", "--batch-size", "1, 8"),
        *("--task", "training", "--precision", "amp-bf16", "--runtime", "compile", "--layout", "nhwc"),
        *(
            "--image-size",
            "64",
            "--threads",
            "2",
            "--device",
            "cpu",
            "--replicates",
            "3",
            "--target",
            "2%",
            "--live",
            "7",
        ),
        *(
            "--cards",
            "at-once",
            "--live",
            "7",
            "--budget",
            "1.5",
            "--timeout",
            "9",
            "--time-limit",
            "60",
            "--out",
            tmp_path,
        ),
    )
    assert code == 0
    del asked["show"]
    suite = asked.pop("suite")
    assert suite.name == "quick"
    wanted = Settings(
        replicates=3, target=0.02, budget_s=1.5, timeout_s=9.0, time_limit_s=60.0, live=7, cards="at-once"
    )
    assert set(suite.settings.values()) == {wanted}
    assert [case.key for case in expand(suite, device="cpu", threads=9)] == [
        f"{model}/training/b{batch_size}/64/cpu/amp-bf16/compile/nhwc/t2"
        for model in ("resnet18", "resnet50", "plain18")
        for batch_size in (1, 8)
    ]
    assert asked == {"device": "cpu", "out": tmp_path}


@pytest.mark.parametrize(
    ("arguments", "suite"),
    [([], "default"), (["--budget", "1"], "default"), (["--model", "resnet18"], "custom"), (["full"], "full")],
)
def test_only_a_run_without_suite_and_axes_is_the_default_suite(call, measured, make_record, arguments, suite):
    asked = measured([make_record()])
    assert call("run", *arguments)[0] == 0
    assert asked["suite"].name == suite


def test_a_resumed_run_takes_everything_from_its_file(call, measured, make_record):
    asked = measured([make_record()])
    assert call("run", "--resume", "x.jsonl")[0] == 0
    assert (asked["suite"], asked["resume"]) == (None, Path("x.jsonl"))


@pytest.mark.parametrize(
    "more",
    [
        ["full"],
        ["--device", "auto"],
        ["--device", "cuda:1"],
        ["--out", "runs"],
        ["--out", "elsewhere"],
        ["--threads", "1"],
        ["--replicates", "1"],
        ["--cards", "one-by-one"],
        ["--dry-run"],
    ],
)
def test_nothing_that_a_resumed_run_would_ignore_is_taken(call, measured, more):
    asked = measured([])
    assert "--resume" in bad(call("run", "--resume", "x.jsonl", *more))
    assert asked == {}


def test_a_run_ends_with_the_table_the_findings_and_the_paths(call, measured, make_case, make_record):
    measured(
        [
            make_record(make_case(batch_size=1)),
            make_record(make_case(batch_size=8), status="out-of-memory", cause="no room for 8 images"),
            make_record(make_case(precision="tf32"), status="unsupported", cause="a CPU has no TF32"),
        ]
    )
    code, out, err = call("run")
    assert code == 1
    assert any(line.startswith("resnet50 ") for line in out.splitlines())
    run_path, page_path = out.splitlines()[-2:]
    assert run_path.startswith("run file: ")
    assert run_path.endswith(".jsonl")
    assert page_path == run_path.replace("run file", "page").replace(".jsonl", ".html")
    assert err.splitlines() == [
        "out-of-memory: resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2: no room for 8 images",
        "unsupported: resnet50/inference/b8/224/cpu/tf32/eager/nchw/t2: a CPU has no TF32",
    ]


def test_text_and_page_share_a_study(call, measured, monkeypatch, make_record):
    measured([make_record()])
    texts, pages = [], []
    monkeypatch.setattr("reports.text.findings.study_text", lambda study, form: texts.append(study) or "")
    monkeypatch.setattr(reports, "build", lambda study, path: pages.append(study) or path)
    assert call("run")[0] == 0
    assert texts == pages
    assert len(pages) == 1


def test_no_report_writes_no_page(call, measured, make_record):
    measured([make_record()])
    _, out, _ = call("run", "--no-report")
    assert "run file: " in out
    assert "page: " not in out


@pytest.mark.parametrize(
    ("statuses", "end", "code"),
    [
        (["ok"], "complete", 0),
        (["ok", "unsupported"], "complete", 0),
        *((["ok", failed], "complete", 1) for failed in ("out-of-memory", "crash", "timeout", "error")),
        (["ok"], "interrupted", 3),
        (["crash"], "interrupted", 1),
    ],
)
def test_the_exit_code_tells_how_the_run_went(call, measured, make_case, make_record, statuses, end, code):
    cases = [make_case(batch_size=n + 1) for n in range(len(statuses))]
    measured([make_record(c, status=s, cause="why") for c, s in zip(cases, statuses, strict=True)], end)
    result, _, err = call("run", "--no-report")
    assert result == code
    assert ("resnet-bench run --resume" in err) == (code == 3)


def test_an_interrupted_run_says_how_to_go_on(call, measured):
    measured([], raised=runner.Interrupted("runs/x.jsonl", "interrupted"))
    code, out, err = call("run")
    assert (code, out) == (130, "")
    assert "what was measured is kept in runs/x.jsonl" in err
    assert err.endswith("`resnet-bench run --resume runs/x.jsonl`\n")
    assert err.count("\n") == 1


def test_a_lost_fork_server_is_a_crash_and_says_how_to_go_on(call, measured):
    measured([], raised=runner.Stopped("runs/x.jsonl", "lost"))
    code, _, err = call("run")
    assert code == 70
    assert "--resume runs/x.jsonl" in err


def test_a_wrong_result_fails_the_run_and_is_named(call, measured, make_case, make_record, make_equality):
    measured([make_record(make_case(batch_size=1)), make_record(equality=make_equality("wrong"))])
    code, _, err = call("run", "--no-report")
    assert code == 1
    assert "wrong result: resnet50/inference/b8" in err


def test_dry_run_lists_the_cases_and_an_estimate(call, monkeypatch, make_run):
    cases = expand(load_suite("quick"), device="cpu", threads=2)

    def plan(suite, **arguments):
        assert (suite, arguments) == (load_suite("quick"), {"device": "auto"})
        return plans.Plan(suite="quick", cases=cases, settings=DEFAULTS["cpu"], environment=make_run().environment)

    monkeypatch.setattr(runner, "plan", plan)
    code, out, err = call("run", "quick", "--dry-run")
    assert code == 0
    assert out.splitlines() == [case.key for case in cases]
    assert err.startswith(f"suite quick: {len(cases)} cases 5 times, about ")


def test_settings_are_decided_once(call, monkeypatch):
    decided = []
    monkeypatch.setattr(suites, "change_settings", lambda settings, **_: decided.append(settings) or settings)
    assert call("run", "--model", "cifar_resnet20", "--device", "cpu", "--dry-run")[0] == 0
    assert len(decided) == len(KINDS)
