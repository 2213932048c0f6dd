import json

import pytest

from bench.schedule.loading import run as runner
from bench.schedule.loading.clients import LoadingFailed
from results.schema.lines.run import End
from results.storage.reader import load
from results.storage.writer import Writer
from tests.loadings import loading


@pytest.fixture
def asked(monkeypatch, tmp_path, make_run):
    """Let `loader` give a made-up loading in place of measuring; gives what the command line asked for."""
    given = {}

    def run_loader(request, *, device, out, show):
        given.update(request=request, device=device, out=out)
        if given.get("raised"):
            raise given["raised"]
        with Writer.create(tmp_path, make_run(plan=(), suite="loader")) as writer:
            writer.append(loading())
            writer.append(End(status="complete", records=0))
        return load(writer.path).files[0]

    monkeypatch.setattr(runner, "run_loader", run_loader)
    return given


def test_options_become_the_request(call, asked, tmp_path):
    code, out, err = call(
        "loader", "photos", "--data-path", tmp_path, "--workers", "0, 2,4", "--batch-size", 8, "--image-size", 96,
        "--model", "resnet50", "--precision", "amp-bf16", "--decoder", "torchcodec", "--seconds", 0.5,
        "--device", "cuda:0", "--out", tmp_path / "runs",
    )  # fmt: skip
    assert code == 0
    request = asked["request"]
    assert (request.data, request.path, request.workers) == ("photos", tmp_path, (0, 2, 4))
    assert (request.batch_size, request.image_size, request.model) == (8, 96, "resnet50")
    assert (request.precision, request.decoder, request.seconds) == ("amp-bf16", "torchcodec", 0.5)
    assert (asked["device"], asked["out"]) == ("cuda:0", tmp_path / "runs")
    assert "it waits 62 % of the time" in out
    assert err.startswith("run file: ")


def test_defaults_are_automatic(call, asked):
    assert call("loader", "photos")[0] == 0
    request = asked["request"]
    assert (request.workers, request.model, request.image_size, asked["device"]) == (None, None, None, "auto")


@pytest.mark.usefixtures("asked")
def test_json_is_all_that_stdout_holds(call):
    _, out, _ = call("loader", "photos", "--format", "json")
    assert json.loads(out)["workers"] == 2


def test_a_dead_worker_is_a_failure_in_one_line(call, asked):
    asked["raised"] = LoadingFailed("the loading could not be measured: killed")
    assert call("loader", "photos") == (1, "", "the loading could not be measured: killed\n")


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "two"), "workers: 'two' should be whole numbers such as 0,1,2,4, or auto"),
        (("--workers", "1,,2"), "workers: '1,,2'"),
        (("--workers", "-1"), "workers should be whole numbers >= 0"),
        (("--workers", "9" * 5000), "workers: '999"),
        (("--batch-size", "0"), "'--batch-size'"),
        (("--seconds", "nan"), "'--seconds'"),
        (("--model", "resnet81"), "did you mean 'resnet18'"),
        (("--precision", "fp31"), "unknown precision 'fp31'"),
        (("--format", "xml"), "'xml' is not one of"),
    ],
)
def test_bad_options_are_one_line(call, arguments, message):
    code, out, err = call("loader", "photos", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
