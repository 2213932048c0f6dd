import pytest

from bench import cli
from bench.schedule import ab as module
from bench.schedule import run as runner
from tests.bench import campaign, made_up


def test_an_arm_that_lost_its_fork_server_is_no_regression(call, monkeypatch):
    def stop(*_, **__):
        raise runner.Stopped("runs/x.jsonl", "lost")

    monkeypatch.setattr("bench.schedule.ab.ab", stop)
    assert call("ab", "--model", "resnet18")[0] == 70


@pytest.fixture
def no_torch(tmp_path, monkeypatch):
    """Let every worker of `bench.schedule.ab` be one whose times are made up."""
    folder = tmp_path / "arms"
    campaign.prepare(folder)
    monkeypatch.setenv(made_up.FOLDER, str(folder))
    monkeypatch.setattr(module, "ForkServer", made_up.Server)


def test_the_command_prints_the_verdict_and_returns_it(no_torch, tmp_path, capsys):
    code = cli.main(
        [
            "ab",
            "--model",
            "cifar_resnet20",
            "--threads",
            "1",
            "--b",
            "layout=nhwc",
            "--out",
            str(tmp_path),
            "--budget",
            "0.05",
        ]
    )
    out, err = capsys.readouterr()
    assert code == 0
    assert out.startswith("pass: the same at a margin of 2 %: b takes ")
    assert "10 pairs: b / a = " in err
    assert "run files: " in err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--a", "layout"], "--a: 'layout' is no KEY=VALUE"),
        (["--b", "colour=red"], "--b: 'colour=red' is no KEY=VALUE with a key of model, task"),
        (["--b", "threads=two"], "threads: 'two' is not a whole number"),
        (["--python-b", "/nowhere/python"], "there is no /nowhere/python"),
        (["--checkout-a", "/nowhere"], "there is no /nowhere"),
        (["--checkout-b", "/etc"], "arm b: /etc is no checkout of resnet-bench"),
        (["--margin", "200%"], "is no fraction"),
    ],
)
def test_the_command_refuses_in_one_line(arguments, error, capsys):
    assert cli.main(["ab", "--model", "cifar_resnet20", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert error in err
