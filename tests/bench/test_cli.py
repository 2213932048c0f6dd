import os
import re
import subprocess
from pathlib import Path

import pytest
import typer

from bench.cli import app
from bench.costs import static as costs
from bench.machine.software import tool_version
from results.errors import InputError
from tests.bench.calls import bad, python

COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_every_command(call, arguments):
    code, out, err = call(*arguments)
    assert (code, err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_names_every_option(call, command):
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    for parameter in COMMANDS[command].params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert option in out or option == parameter.name, option


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
        (["run", "--modle", "resnet18"], "no such option: --modle (Possible options: --live, --model)"),
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
        (["list", "modles"], "'modles' is not one of 'models', 'suites', 'recipes', 'metrics'"),
        (["cost"], "missing argument 'MODEL...'"),
        (["cost", "resnt50"], "unknown model 'resnt50'; did you mean 'resnet50'?"),
        (["cost", "resnet50", "--image-size", "0"], "'--image-size': 0 should be a whole number >= 1"),
        (["cost", "resnet50", "--image-size", "224x"], "'--image-size': '224x' is no image size: give pixels such as"),
        (["cost", "resnet50", "--image-size", "224x16"], "224x16 is too small for 'resnet50'; it takes 32 pixels"),
        (["cost", "resnet50", "--in-channels", "0"], "'--in-channels'"),
        (
            ["cost", "resnet50", "--per-layer", "--per-stage"],
            "--per-layer and --per-stage: give only one of the two options",
        ),
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


def test_what_is_echoed_cannot_steer_the_terminal(call):
    err = bad(call("cost", "resnet\x1b[2J\u202e\n50"))
    assert "\x1b" not in err
    assert "\u202e" not in err
    err = bad(call("run", "--\x1b[2J"))
    assert "\x1b" not in err


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


def test_a_closed_pipe_is_no_verdict():
    code = "import sys; from bench.cli import main; sys.exit(main(['list', 'models']))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = python("-c", code, stdout=closed)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_under_stdout_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = python("-m", "bench", "list", stdout=full)
    assert (done.returncode, done.stderr) == (2, "error: output: No space left on device\n")
