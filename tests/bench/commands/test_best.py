import json
import pathlib

import pytest

from bench.schedule.racing import run as runner
from bench.schedule.run import Interrupted
from tests.searches import made_search, write_search


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Let `best` give a made-up search; gives what the command line asked for."""
    given = {"search": made_search()}

    def find_best(request, **options):
        given.update(request=request, **options)
        return given["search"], write_search(tmp_path, given["search"])

    monkeypatch.setattr(runner, "find_best", find_best)
    return given


def test_options_become_a_request(call, asked, tmp_path):
    code, out, _ = call(
        "best", "resnet50", "--max-latency", "20ms", "--max-memory", "2GB", "--batch-size", "1,8", "--threads", "1,2",
        "--precision", "fp32", "--time-limit", 60, "--no-report", "--out", tmp_path,
    )  # fmt: skip
    assert code == 0
    request = asked["request"]
    assert (request.models, request.batches, request.threads) == (("resnet50",), (1, 8), (1, 2))
    assert (request.max_latency_s, request.max_memory_bytes, request.time_limit_s) == (0.02, 2 * 10**9, 60.0)
    assert request.axes == {"precision": ["fp32"]}
    assert out.startswith("the fastest: resnet50 batch 1")
    assert "run file: " in out


def test_any_batch_and_several_models_above_an_accuracy(call, asked):
    assert (
        call("best", "--models", "resnet18,resnet50", "--min-accuracy", "75%", "--batch-size", "any", "--no-report")[0]
        == 0
    )
    assert asked["request"].models == ("resnet50",)
    assert asked["request"].batches is None


@pytest.mark.usefixtures("asked")
def test_json_is_all_that_stdout_holds(call):
    (document,) = json.loads(call("best", "resnet50", "--format", "json")[1])
    assert document["winner"] is not None


def test_the_page_has_the_search(call, asked, tmp_path):
    _, out, _ = call("best", "resnet50", "--out", tmp_path)
    page = out.rsplit("page: ", 1)[1].strip()
    assert "The fastest configuration" in pathlib.Path(page).read_text(encoding="utf-8")


def test_where_nothing_meets_the_bounds_the_exit_code_says_so(call, asked):
    asked["search"] = made_search(winner=None, reason="no candidate keeps to the latency")
    code, out, _ = call("best", "resnet50", "--no-report")
    assert code == 1
    assert out.startswith("no candidate keeps to the latency")


def test_an_interrupt_says_that_a_search_cannot_go_on(call, monkeypatch, tmp_path):
    def find_best(*_, **__):
        raise Interrupted(tmp_path / "a.jsonl", "interrupted")

    monkeypatch.setattr(runner, "find_best", find_best)
    code, _, err = call("best", "resnet50")
    assert code == 130
    assert "start it again" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["best"], "give a model"),
        (["best", "resnet18", "--models", "resnet50"], "give a model"),
        (["best", "resnt18"], "did you mean"),
        (["best", "resnet18", "--max-latency", "20"], "no unit"),
        (["best", "resnet18", "--max-memory", "2"], "no unit"),
        (["best", "resnet18", "--batch-size", "many"], "whole number"),
        (["best", "resnet18", "--runtime", "onxruntime"], "did you mean"),
        (["best", "resnet18", "--min-accuracy", "99%"], "published top-1"),
        (["best", "resnet18", "--time-limit", "0"], "more than 0 seconds"),
        (["best", "resnet18", "--task", "inference,training"], "single value"),
    ],
)
def test_bad_input_is_one_line_and_2(call, arguments, message):
    code, _, err = call(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
