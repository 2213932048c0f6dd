import json

import pytest

from bench.schedule.profiling import run as runner
from bench.schedule.run import Interrupted
from results.storage.reader import load
from results.storage.writer import Writer
from tests.profiles import memory, peaks, profile

FAILED = {"status": "unsupported", "cause": "no such kernel", "operators": (), "profiled_s": None}


@pytest.fixture
def written(tmp_path, make_run):
    count = iter(range(9))

    def written(*bodies):
        with Writer.create(tmp_path, make_run(id=f"run-{next(count)}", plan=(), suite="profile")) as writer:
            for body in bodies:
                writer.append(body)
            writer.end("complete")
        return load(writer.path).files[0]

    return written


@pytest.fixture
def asked(monkeypatch, written):
    """Let `profile` give made-up lines; gives what the command line asked for."""
    given = {"bodies": (peaks(), profile(), memory())}

    def run_profiles(suite, **options):
        given.update(suite=suite, **options)
        if given.get("raised"):
            raise given["raised"]
        return written(*given["bodies"])

    monkeypatch.setattr(runner, "run_profiles", run_profiles)
    return given


def test_options_become_a_suite_and_options(call, asked, tmp_path):
    code, out, _ = call(
        "profile", "resnet18,resnet50", "--task", "training", "--batch-size", "2,4", "--device", "cpu",
        "--probe-seconds", 0, "--peak-seconds", 3, "--no-trace", "--no-report", "--out", tmp_path,
    )  # fmt: skip
    assert code == 0
    assert dict(asked["suite"].blocks[0].axes)["model"]["cpu"] == ("resnet18", "resnet50")
    options = asked["options"]
    assert (options.probe_s, options.peaks_s, options.traces) == (0.0, 3.0, False)
    assert (asked["device"], asked["out"]) == ("cpu", tmp_path)
    assert "a step takes" in out
    assert out.splitlines()[-1].startswith("run file: ")


@pytest.mark.usefixtures("asked")
def test_json_is_all_that_stdout_holds(call):
    _, out, err = call("profile", "resnet18", "--format", "json", "--no-report")
    assert json.loads(out)[0]["profile"]["label"].startswith("resnet18/")
    assert "run file: " in err


@pytest.mark.usefixtures("asked")
def test_the_page_is_written(call):
    code, out, _ = call("profile", "resnet18")
    assert code == 0
    assert "page: " in out


def test_a_failed_case_is_named_and_the_exit_code_says_so(call, asked):
    asked["bodies"] = (profile(), profile(**FAILED))
    code, _, err = call("profile", "resnet18", "--no-report")
    assert code == 1
    assert "unsupported: resnet18/" in err


def test_an_interrupt_says_what_is_kept(call, asked, tmp_path):
    asked["raised"] = Interrupted(tmp_path / "run.jsonl", "interrupted")
    code, _, err = call("profile", "resnet18")
    assert code == 130
    assert "what was measured is kept" in err


def test_two_profiles_are_compared(call, written):
    a, b = written(profile()), written(profile(scale=2.0))
    code, out, _ = call("profile", "--diff", a.path, b.path)
    assert code == 0
    assert "ms more" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profile"], "give a model"),
        (["profile", "resnt18"], "did you mean 'resnet18'"),
        (["profile", "resnet18", "--precision", "fp8"], "unknown precision 'fp8'"),
        (["profile", "resnet18", "--diff", "a", "b"], "leave out the model"),
        (["profile", "--diff", "a.jsonl", "b.jsonl"], "a.jsonl"),
    ],
)
def test_bad_input_is_one_line_and_2(call, arguments, message):
    code, _, err = call(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
