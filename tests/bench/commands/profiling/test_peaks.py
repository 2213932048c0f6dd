import json

import pytest

from bench.schedule.profiling import peaks as runner
from results.storage.reader import load
from results.storage.writer import Writer
from tests.profiles import peaks


@pytest.fixture
def asked(monkeypatch, tmp_path, make_run):
    """Let `peaks` give made-up figures; gives what the command line asked for."""
    given = {}

    def run_peaks(**options):
        given.update(options)
        with Writer.create(tmp_path, make_run(plan=(), suite="peaks")) as writer:
            writer.append(peaks())
            writer.end("complete")
        return load(writer.path).files[0]

    monkeypatch.setattr(runner, "run_peaks", run_peaks)
    return given


def test_options_are_passed_on(call, asked, tmp_path):
    code, out, err = call(
        "peaks", "--device", "cuda:0", "--precision", "amp-bf16,tf32", "--threads", 3, "--seconds", 9, "--out", tmp_path
    )
    assert code == 0
    del asked["show"]
    assert asked == {
        "device": "cuda:0",
        "precisions": ["amp-bf16", "tf32"],
        "threads": 3,
        "seconds": 9.0,
        "out": tmp_path,
    }
    assert "matmul" in out
    assert err.startswith("run file: ")


@pytest.mark.usefixtures("asked")
def test_json_is_all_that_stdout_holds(call):
    _, out, _ = call("peaks", "--format", "json")
    assert json.loads(out)["device"] == "cpu"


def test_bad_input_ends_with_2(call):
    assert call("peaks", "--seconds", "0")[0] == 2
    code, _, err = call("peaks", "--precision", "fp8")
    assert (code, err.count("\n")) == (2, 1)
    assert "unknown precision 'fp8'" in err
