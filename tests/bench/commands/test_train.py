import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from msgspec import structs

import reports
import results
from bench.commands.train import DEGRADATION
from bench.process.training.messages import DataChoice, TrainingChoice
from bench.schedule.run import Interrupted, Stopped
from bench.schedule.training import run as schedule
from resnet.storage.saved import read_network
from results.errors import InputError
from results.storage.writer import Writer
from tests.bench.calls import bad
from tests.bench.runs import Shared
from tests.trainings import made_end, made_epochs, made_training, training_header


@pytest.fixture
def trained(monkeypatch, tmp_path, make_case, make_run):
    """Let trainings end so in place of training; gives what the command line asked for."""
    asked = {}

    def let(*statuses, end="complete", raised=None):
        def train(choice, **arguments):
            asked.update(arguments, choice=choice)
            if raised is not None:
                raise raised
            with Writer.create(tmp_path, training_header(make_run, "trained")) as writer:
                for number, status in enumerate(statuses, start=1):
                    training = structs.replace(made_training(make_case, number), seed=number)
                    for body in (training, *made_epochs(training), made_end(training, status)):
                        writer.append(body)
                writer.end(end)
            return results.load(writer.path)

        monkeypatch.setattr(schedule, "train", train)
        monkeypatch.setattr(schedule, "resume_training", lambda path, **arguments: train(None, resume=path))
        monkeypatch.setattr(reports, "build", lambda _records, path: path)  # its own tests build pages
        return asked

    return let


def test_options_reach_the_trainer(call, trained, tmp_path):
    asked = trained("ok")
    code, out, _ = call(
        *("train", "cifar_resnet20,resnet18", "--data", "fashion-mnist", "--data-path", tmp_path, "--limit", "100"),
        *("--image-size", "32", "--hold-out", "10%", "--recipe", "he2015-cifar", "--epochs", "3", "--stem", "imagenet"),
        *("--batch-size", "64", "--precision", "amp-bf16", "--runtime", "compile", "--layout", "nhwc"),
        *("--threads", "2", "--device", "cpu", "--seeds", "3", "--deterministic", "--workers", "2", "--until", "93%"),
        *("--timeout", "9", "--time-limit", "60", "--out", tmp_path, "--download"),
    )
    assert code == 0
    del asked["show"]
    assert asked.pop("choice") == TrainingChoice(
        models=("cifar_resnet20", "resnet18"),
        seeds=(0, 1, 2),
        data=DataChoice(name="fashion-mnist", path=str(tmp_path), image_size=32, limit=100, download=True),
        recipe="he2015-cifar",
        epochs=3,
        batch_size=64,
        hold_out=0.1,
        precision="amp-bf16",
        runtime="compile",
        layout="nhwc",
        threads=2,
        stem="imagenet",
        deterministic=True,
    )
    limits = {"timeout_s": 9.0, "time_limit_s": 60.0, "until": 0.93}
    assert asked == {"device": "cpu", "out": tmp_path, "workers": 2, **limits}
    assert "cifar_resnet20" in out
    assert [line.partition(": ")[0] for line in out.splitlines()[-3:]] == ["network", "run file", "page"]


def test_without_options_the_defaults_are_the_trainer_s(call, trained):
    asked = trained("ok")
    assert call("train", "cifar_resnet20", "--data", "digits", "--no-report")[0] == 0
    assert asked["choice"] == TrainingChoice(models=("cifar_resnet20",), seeds=(0,), data=DataChoice(name="digits"))
    assert {name: asked[name] for name in asked if name not in {"show", "choice"}} == {
        "device": "auto",
        "out": Path("runs"),
    }


def test_paths_are_those_of_the_folder_where_somebody_began(call, trained, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    asked = trained("ok")
    call("train", "cifar_resnet20", "--data", "./photos", "--recipe", "own.toml", "--seed", "7", "--no-report")
    choice = asked["choice"]
    assert (choice.data.name, choice.recipe) == (str(tmp_path / "photos"), str(tmp_path / "own.toml"))
    assert choice.seeds == (7,)
    call("train", "cifar_resnet20", "--data", "cifar10", "--data-path", "archive", "--no-report")
    assert asked["choice"].data.path == str(tmp_path / "archive")


def test_the_degradation_experiment_is_four_networks(call, trained, monkeypatch):
    asked = trained("ok")
    assert call("degradation", "--epochs", "2", "--threads", "1", "--no-report")[0] == 0
    assert asked["choice"] == TrainingChoice(
        models=DEGRADATION,
        seeds=(0,),
        data=DataChoice(name="fashion-mnist"),
        recipe="he2015-cifar",
        epochs=2,
        threads=1,
    )


@pytest.mark.parametrize(
    ("statuses", "end", "code"),
    [
        (["ok", "stopped early"], "complete", 0),
        (["ok", "diverged"], "complete", 1),
        (["ok", "error"], "complete", 1),
        (["ok", "interrupted"], "interrupted", 3),
        (["diverged", "interrupted"], "interrupted", 1),
    ],
)
def test_the_exit_code_tells_how_the_trainings_went(call, trained, statuses, end, code):
    trained(*statuses, end=end)
    result, _, err = call("train", "cifar_resnet20", "--data", "digits", "--no-report")
    assert result == code
    assert ("resnet-bench train --resume" in err) == (end == "interrupted")


@pytest.mark.parametrize(("kind", "code"), [(Interrupted, 130), (Stopped, 70)])
def test_a_stopped_run_says_how_to_go_on(call, trained, kind, code):
    trained(raised=kind("runs/x.jsonl", "stopped"))
    result, out, err = call("train", "cifar_resnet20", "--data", "digits")
    assert (result, out) == (code, "")
    assert err.endswith("`resnet-bench train --resume runs/x.jsonl`\n")


def test_a_resumed_run_takes_everything_from_its_file(call, trained):
    asked = trained("ok")
    assert call("train", "--resume", "x.jsonl", "--no-report")[0] == 0
    assert asked["resume"] == Path("x.jsonl")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a model and --data"),
        (["cifar_resnet20"], "give a model and --data"),
        (["cifar_resnt20", "--data", "digits"], "did you mean 'cifar_resnet20'?"),
        (["cifar_resnet20", "--data", "digits", "--seed", "1", "--seeds", "2"], "only one of the two options"),
        (["cifar_resnet20", "--data", "digits", "--until", "93"], "'93' is no fraction"),
        (["cifar_resnet20", "--data", "digits", "--epochs", "0"], "--epochs"),
        (["--resume", "x.jsonl", "--epochs", "3"], "leave out all but --no-report"),
        (["--resume", "x.jsonl", "--threads", "3"], "leave out all but --no-report"),
        (["cifar_resnet20", "--resume", "x.jsonl"], "leave out all but --no-report"),
    ],
)
def test_what_makes_no_sense_is_a_line(call, trained, arguments, words):
    asked = trained("ok")
    assert words in bad(call("train", *arguments))
    assert asked == {}


TINY = ("cifar_resnet20", "--data", "digits", "--limit", "96", "--batch-size", "32", "--epochs", "3")


def networks(folder):
    return [read_network(path)[0].state_dict() for path in sorted(folder.glob("*.safetensors"))]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promises differ elsewhere")
def test_a_killed_run_goes_on_to_the_same_weights_and_leaves_nobody(call, tmp_path, torch_server, monkeypatch):
    pytest.importorskip("sklearn")
    options = (*TINY, "--threads", "1", "--device", "cpu", "--deterministic", "--no-report")
    command = [sys.executable, "-m", "bench", "train", *options, "--out", str(tmp_path / "killed")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        deadline = time.monotonic() + 120
        while "epoch 2/3" not in (line := process.stderr.readline()):
            assert line, "it ended"
            assert time.monotonic() < deadline
        family = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
    assert family
    monkeypatch.setattr(schedule, "ForkServer", lambda: Shared(torch_server))
    assert not psutil.wait_procs(family, timeout=20)[1]
    (path,) = (tmp_path / "killed").glob("*.jsonl")
    code, out, err = call("train", "--resume", path, "--no-report")
    assert (code, "goes on after" in err) == (0, True)
    assert out.count("network: ") == 1
    assert call("train", *options, "--out", tmp_path / "whole")[0] == 0
    pairs = list(zip(networks(tmp_path / "killed"), networks(tmp_path / "whole"), strict=True))
    assert len(pairs) == 1
    for resumed, whole in pairs:
        assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())
    (file,) = results.load(path).files
    assert file.complete


def test_a_choice_that_only_a_worker_can_check_is_a_line(call, tmp_path, monkeypatch):
    def refuse(*_):
        raise InputError("unknown data set 'digts'; did you mean 'digits'?")

    monkeypatch.setattr(schedule, "_planned", refuse)
    monkeypatch.setattr(schedule.ask, "environment", lambda *_: (["cpu"], None))
    monkeypatch.setattr(schedule, "default_threads", lambda _: 1)
    monkeypatch.setattr(schedule, "ForkServer", contextlib.nullcontext)
    assert "did you mean 'digits'" in bad(
        call("train", "cifar_resnet20", "--data", "digts", "--out", tmp_path / "runs")
    )
    assert not (tmp_path / "runs").exists()
