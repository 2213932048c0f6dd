import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from bench.cli import main
from bench.costs import static as costs
from bench.machine.software import tool_version
from bench.schedule import plan as plans
from bench.schedule import run as runner
from bench.suites.suite import DEFAULTS, expand, load_suite
from results.errors import InputError
from results.schema.run import Settings
from results.storage import reader


@pytest.fixture
def call(capsys):
    """Run the command line in this process; gives exit code, stdout and stderr."""

    def call_main(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.fixture
def run_file(tmp_path, make_case, make_record, make_static, write_run):
    cases = [make_case(batch_size=size) for size in (1, 8)]
    return write_run(tmp_path, [make_record(case) for case in cases], [make_static()])


@pytest.fixture
def measured(monkeypatch, tmp_path, write_run):
    """Let `run` give these records in place of measuring; gives what the command line asked for."""
    asked = {}

    def let(records, status="complete", raised=None):
        def run(suite, **arguments):
            asked.update(arguments, suite=suite)
            if raised is not None:
                raise raised
            return reader.load(write_run(tmp_path, records, status=status))

        monkeypatch.setattr(runner, "run", run)
        monkeypatch.setattr(runner, "resume", lambda path, **arguments: run(None, resume=path))
        monkeypatch.setattr(reports, "build", lambda _records, path: path)  # its own tests build pages
        return asked

    return let


def bad(result):
    """The error line of a call that must have failed as bad input does."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], check=False, text=True, stderr=subprocess.PIPE, timeout=60, **options
    )


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_every_command(call, arguments):
    code, out, err = call(*arguments)
    assert (code, err) == (0, "")
    for command in ("run", "list", "cost", "table", "report"):
        assert f"\n  {command} " in out


@pytest.mark.parametrize("command", ["run", "list", "cost", "table", "report"])
def test_every_command_has_help(call, command):
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    assert f"Usage: resnet-bench {command}" in out


def test_version_is_the_tool_s(call):
    assert call("--version") == (0, f"resnet-bench {tool_version()}\n", "")


@pytest.mark.parametrize(
    "arguments", ["['--help']", "['run', '--help']", "['list']", "['--version']", "['table', '--modle']"]
)
def test_help_and_list_do_without_the_heavy_packages(arguments):
    script = (
        "import sys; from bench.cli import main; main("
        f"{arguments}); print(*{{'torch', 'torchvision', 'pandas', 'plotly', 'scipy', 'fvcore'}} & set(sys.modules))"
    )
    done = python("-c", script, stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == ""


def test_python_m_bench_is_the_same():
    done = python("-m", "bench", "rnu", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no such command 'rnu'. Did you mean 'run'?\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["--verzion"], "--version"),
        (["run", "--modle", "resnet18"], "no such option: --modle (Possible options: --model)"),
        (["run", "--model"], "requires an argument"),
        (["run", "quick", "default"], "unexpected extra argument"),
        (["run", "--replicates", "0"], "replicates: 0 should be a whole number >= 1"),
        (["run", "--replicates", "x"], "'--replicates': Input should be a valid integer"),
        (["run", "--budget", "x"], "'--budget': Input should be a valid number"),
        (["run", "--target", "1"], "'1' is no fraction between 0 and 1: write 1% or 0.01"),
        (["run", "--batch-size", "x"], "batch_size: 'x' is not a whole number"),
        (["run", "--threads", "1,,2"], "threads: '' is not a whole number"),
        (["run", "quick", "--resume", "x.jsonl"], "leave out all but --no-report"),
        (["run", "--model", "resnet18", "--resume", "x.jsonl"], "leave out all but --no-report"),
        (["run", "--target", "2%", "--resume", "x.jsonl"], "leave out all but --no-report"),
        (["run", "--resume", "x.jsonl", "--dry-run"], "leave out all but --no-report"),
        (["list", "modles"], "'modles' is not one of 'models', 'suites', 'metrics'"),
        (["cost"], "missing argument 'MODEL...'"),
        (["cost", "resnt50"], "unknown model 'resnt50'; did you mean 'resnet50'?"),
        (["cost", "resnet50", "--image-size", "0"], "'--image-size': Input should be greater than or equal to 1"),
        (["cost", "resnet50", "--per-layer", "--per-stage"], "--per-layer and --per-stage: choose one of them"),
        (["cost", "resnet18", "--image-size", "100000"], "GB of memory"),
        (["cost", "resnet50", "--image-size", "8"], "too small for 'resnet50'"),
        (["cost", "resnet50", "--format", "xml"], "'--format': 'xml' is not one of 'table', 'json', 'csv', 'markdown'"),
        (["table"], "missing argument 'RUN...'"),
        (["table", "none.jsonl"], "none.jsonl"),
        (["table", "pyproject.toml"], "pyproject.toml"),
        (["table", "pyproject.toml", "--format", "cvs"], "'cvs' is not one of"),
        (["report"], "missing argument 'RUN...'"),
        (["report", "none.jsonl"], "none.jsonl"),
    ],
)
def test_a_wrong_argument_is_one_line(call, arguments, message):
    assert message in bad(call(*arguments))


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


def test_what_is_echoed_cannot_steer_the_terminal(call):
    err = bad(call("cost", "resnet\x1b[2J\u202e\n50"))
    assert "\x1b" not in err
    assert "\u202e" not in err
    err = bad(call("run", "--\x1b[2J"))
    assert "\x1b" not in err


def test_options_reach_the_runner(call, measured, make_record, tmp_path):
    asked = measured([make_record()])
    code, _, _ = call(
        *("run", "quick", "--model", "resnet18,resnet50", "--model", "plain18", "--batch-size", "1, 8"),
        *("--task", "training", "--precision", "amp-bf16", "--runtime", "compile", "--layout", "nhwc"),
        *("--image-size", "64", "--threads", "2", "--device", "cpu", "--replicates", "3", "--target", "2%"),
        *("--budget", "1.5", "--timeout", "9", "--time-limit", "60", "--out", tmp_path),
    )
    assert code == 0
    assert callable(asked.pop("show"))
    suite = asked.pop("suite")
    assert suite.name == "quick"
    wanted = Settings(replicates=3, target=0.02, budget_s=1.5, timeout_s=9.0, time_limit_s=60.0)
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
    assert "resnet50" in out.splitlines()[4]
    run_path, page_path = out.splitlines()[-2:]
    assert run_path.startswith("run file: ")
    assert run_path.endswith(".jsonl")
    assert page_path == run_path.replace("run file", "page").replace(".jsonl", ".html")
    assert err.splitlines() == [
        "out-of-memory: resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2: no room for 8 images",
        "unsupported: resnet50/inference/b8/224/cpu/tf32/eager/nchw/t2: a CPU has no TF32",
    ]


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


def test_ctrl_c_anywhere_else_is_exit_code_130(call, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(costs, "costs", interrupted)
    assert call("cost", "resnet18") == (130, "", "")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("no device 'cuda:7'\nhere"), "no device 'cuda:7' here"),
        (OSError(28, "No space left on device", "runs/x.jsonl"), "runs/x.jsonl: No space left on device"),
    ],
)
def test_what_the_runner_refuses_is_one_line(call, measured, error, message):
    measured([], raised=error)
    assert bad(call("run")) == f"error: {message}\n"


@pytest.mark.parametrize("shown", [False, True])
def test_a_bug_is_neither_bad_input_nor_a_failed_case(call, measured, monkeypatch, shown):
    monkeypatch.setenv("RESNET_BENCH_TRACEBACK", "1" if shown else "")
    measured([], raised=ValueError("a bug\nof ours"))
    code, out, err = call("run")
    assert (code, out) == (70, "")
    assert "ValueError: a bug of ours" in err
    assert "RESNET_BENCH_TRACEBACK=1" in err
    assert ("Traceback" in err) == shown
    assert (err.count("\n") == 1) == (not shown)


@pytest.mark.parametrize("command", ["compare", "history", "report", "table"])
def test_a_crash_of_a_command_that_judges_is_no_verdict(call, run_file, monkeypatch, command):
    def crash(*_, **__):
        raise RecursionError("a bug")

    monkeypatch.setattr("results.load", crash)
    code, _, err = call(command, run_file, *([run_file] if command == "compare" else []))
    assert code == 70
    assert "Traceback" not in err


def test_a_lost_fork_server_is_a_crash_and_says_how_to_go_on(call, measured):
    measured([], raised=runner.Stopped("runs/x.jsonl", "lost"))
    code, _, err = call("run")
    assert code == 70
    assert "--resume runs/x.jsonl" in err


def test_an_arm_that_lost_its_fork_server_is_no_regression(call, monkeypatch):
    def stop(*_, **__):
        raise runner.Stopped("runs/x.jsonl", "lost")

    monkeypatch.setattr("bench.schedule.ab.ab", stop)
    assert call("ab", "--model", "resnet18")[0] == 70


def test_a_closed_pipe_is_no_verdict():
    code = "import sys; from bench.cli import main; sys.exit(main(['list', 'models']))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = python("-c", code, stdout=closed)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_wrong_result_fails_the_run_and_is_named(call, measured, make_case, make_record, make_equality):
    measured([make_record(make_case(batch_size=1)), make_record(equality=make_equality("wrong"))])
    code, _, err = call("run", "--no-report")
    assert code == 1
    assert "wrong result: resnet50/inference/b8" in err


def test_dry_run_lists_the_cases_and_an_estimate(call, monkeypatch, make_run):
    cases = expand(load_suite("quick"), device="cpu", threads=2)

    def plan(suite, **arguments):
        assert (suite, arguments) == (load_suite("quick"), {"device": "auto"})
        return plans.Plan(suite="quick", cases=cases, settings=DEFAULTS, environment=make_run().environment)

    monkeypatch.setattr(runner, "plan", plan)
    code, out, err = call("run", "quick", "--dry-run")
    assert code == 0
    assert out.splitlines() == [case.key for case in cases]
    assert err.startswith(f"suite quick: {len(cases)} cases, about ")


def test_list_shows_models_suites_and_metrics(call):
    code, out, err = call("list")
    assert (code, err) == (0, "")
    for expected in ("MODELS", "resnet50 ", "torchvision:vgg16 ", "SUITES", "default ", "METRICS", "latency_s "):
        assert expected in out
    alone = [call("list", what)[1] for what in ("models", "suites", "metrics")]
    assert all(text in out for text in alone)
    assert "default " not in alone[0]


def test_cost_as_json_holds_what_is_known_and_nothing_else_is_on_stdout(call):
    code, out, err = call("cost", "cifar_resnet20", "--format", "json")
    assert (code, err) == (0, "")
    (static,) = json.loads(out)
    assert static["flops"] == 2 * static["macs"]
    assert static["stages"]
    assert "layers" not in static


@pytest.fixture
def counted_as(monkeypatch, make_static):
    """Let `cost` find these fields in place of counting."""

    def let(**fields):
        def cost_all(names, *, image_size):
            return (make_static(name, image_size=image_size or 224, **fields) for name in names)

        monkeypatch.setattr(costs, "costs", cost_all)

    return let


@pytest.fixture
def counted(counted_as):
    counted_as()


@pytest.mark.usefixtures("counted")
def test_cost_takes_several_models_and_counts_each_once(call):
    _, out, _ = call("cost", "resnet18,resnet50", "resnet18", "--format", "csv", "--image-size", 64)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["model"], row["image_size"]) for row in rows] == [("resnet18", "64"), ("resnet50", "64")]
    assert rows[0]["model_bytes_fp16"] == "51220728"


@pytest.mark.usefixtures("counted")
def test_cost_of_all_is_every_variant_and_no_peer(call):
    _, out, _ = call("cost", "all", "--format", "json")
    names = [static["model"] for static in json.loads(out)]
    assert "cifar_wrn_28_10" in names
    assert len(names) == len(set(names))
    assert not any(name.startswith("torchvision:") for name in names)


def fields(line):
    return re.split(r"\s{2,}", line.strip())


def test_cost_for_people_is_what_a_model_is_and_what_it_does(call, counted_as):
    counted_as(trainable_parameters=25_000_000, uncounted=("aten::add_", "aten::max_pool2d"))
    code, text, err = call("cost", "resnet50", "torchvision:resnext101_32x8d")
    assert (code, err) == (0, "")
    assert max(map(len, text.splitlines())) <= 120
    size, work, uncounted = text.strip("\n").split("\n\n")
    lines = size.splitlines()
    assert fields(lines[0]) == ["model", "family", "parameters", "trainable", "buffers", "fp32 MB", "fp16 MB"]
    assert fields(lines[2]) == ["resnet50", "resnet", "25,557,032", "25,000,000", "53,173", "102.4", "51.2"]
    lines = work.splitlines()
    assert fields(lines[0])[:6] == ["model", "px", "GMACs", "fvcore GMACs", "GFLOPs", "training GFLOPs"]
    assert fields(lines[2]) == ["resnet50", "224", "4.089", "4.145", "8.178", "24.299", "11.11", "43.0"]
    assert len(lines) == 4
    assert uncounted == "operators that fvcore does not know and so does not count: aten::add_, aten::max_pool2d"


def test_cost_in_markdown_and_without_uncounted_operators(call, counted_as):
    counted_as(uncounted=())
    _, markdown, _ = call("cost", "resnet50", "--format", "markdown")
    size, work = markdown.strip("\n").split("\n\n")
    assert size.splitlines()[2].startswith("| resnet50 | resnet | 25,557,032 | 25,557,032 | 53,173 |")
    assert work.splitlines()[2].startswith("| resnet50 | 224 | 4.089 | 4.145 |")


LAYER = ["conv1", "Conv2d", "1x64x112x112", "9,408", "118,013,952", "802,816"]


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("part", "heads", "first", "exact"),
    [
        (
            "layer",
            ["layer", "type", "output", "parameters", "MACs", "activations"],
            LAYER,
            {"model": "resnet50", "name": "conv1", "type": "Conv2d", "output_shape": "1x64x112x112"},
        ),
        (
            "stage",
            ["stage", "parameters", "MACs", "activations"],
            [LAYER[0], *LAYER[3:]],
            {"model": "resnet50", "name": "conv1"},
        ),
    ],
)
def test_cost_by_layer_and_by_stage_in_every_form(call, part, heads, first, exact):
    _, text, _ = call("cost", "resnet50", f"--per-{part}")
    lines = text.splitlines()
    assert lines[:2] == ["resnet50", ""]
    assert (fields(lines[2]), fields(lines[4])) == (heads, first)
    assert "fvcore GMACs" in text
    _, markdown, _ = call("cost", "resnet50", f"--per-{part}", "--format", "markdown")
    assert f"| {' | '.join(first)} |" in markdown
    _, rows, _ = call("cost", "resnet50", f"--per-{part}", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(rows)))
    assert [row["name"] for row in found] == ["conv1", "fc"]
    exact |= {"parameters": "9408", "macs": "118013952", "activations": "802816"}
    assert exact.items() <= found[0].items()
    _, document, _ = call("cost", "resnet50", f"--per-{part}", "--format", "json")
    assert [row["name"] for row in json.loads(document)[0][f"{part}s"]] == ["conv1", "fc"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_table_for_programs_is_alone_on_stdout(call, run_file, form):
    damaged = run_file.read_text().splitlines(keepends=True)
    run_file.write_text("".join([*damaged[:-2], "{}\n", damaged[-1]]))
    code, out, err = call("table", run_file, "--format", form)
    assert code == 0
    rows = json.loads(out) if form == "json" else list(csv.DictReader(io.StringIO(out)))
    assert [row["model"] for row in rows] == ["resnet50"]
    assert err.startswith(f"warning: {run_file} line ")


def test_table_for_people(call, run_file):
    code, out, err = call("table", run_file.parent)
    assert (code, err) == (0, "")
    assert out.count("resnet50") == 2
    assert call("table", run_file, "--format", "markdown")[1].count("| resnet50 |") == 2


def test_report_writes_a_page_and_says_where(call, run_file, tmp_path):
    code, out, err = call("report", run_file, "-o", tmp_path / "page.html")
    assert (code, out, err) == (0, f"{tmp_path / 'page.html'}\n", "")
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_is_one_line(call, run_file, tmp_path):
    assert "none/page.html" in bad(call("report", run_file, "-o", tmp_path / "none" / "page.html"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_under_stdout_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = python("-m", "bench", "list", stdout=full)
    assert (done.returncode, done.stderr) == (2, "error: output: No space left on device\n")
