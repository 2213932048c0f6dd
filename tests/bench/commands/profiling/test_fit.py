import json

import pytest

from bench.schedule.fitting import run as runner
from results.storage.reader import load
from results.storage.writer import Writer
from tests.reports.text.profiling.test_fit import fit


@pytest.fixture
def asked(monkeypatch, tmp_path, make_run):
    """Let `fit` give a made-up batch; gives what the command line asked for."""
    given = {"fits": (fit(),)}

    def run_fits(suite, request, **options):
        given.update(suite=suite, request=request, **options)
        with Writer.create(tmp_path, make_run(plan=(), suite="fit")) as writer:
            for each in given["fits"]:
                writer.append(each)
            writer.end("complete")
        return load(writer.path).files[0]

    monkeypatch.setattr(runner, "run_fits", run_fits)
    return given


def test_options_become_a_request(call, asked, tmp_path):
    code, out, err = call(
        "fit", "resnet18", "--memory", "2GB", "--task", "training", "--verify", "--time-limit", 60, "--out", tmp_path
    )
    assert code == 0
    request = asked["request"]
    assert (request.memory_bytes, request.verify, request.time_limit_s) == (2 * 10**9, True, 60.0)
    assert out.startswith("batch 30 fits in 2 GB")
    assert err.startswith("run file: ")


@pytest.mark.usefixtures("asked")
def test_json_is_all_that_stdout_holds(call):
    assert json.loads(call("fit", "resnet18", "--memory", "2GB", "--format", "json")[1])[0]["predicted_batch"] == 30


def test_where_nothing_fits_the_exit_code_says_so(call, asked):
    asked["fits"] = (fit(predicted_batch=None),)
    assert call("fit", "resnet18", "--memory", "2GB")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "resnet18", "--memory", "8"], "has no unit"),
        (["fit", "resnt18", "--memory", "8GB"], "did you mean"),
        (["fit", "resnet18"], "memory"),
    ],
)
def test_bad_input_is_one_line_and_2(call, arguments, message):
    code, _, err = call(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
