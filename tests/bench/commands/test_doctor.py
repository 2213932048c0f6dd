import json

import pytest

from bench.cli import main
from bench.doctor import doctor
from bench.doctor.checks import Check
from results.errors import InputError

SEEN = {
    state: Check(name=f"the {state}", state=state, seen="something", remedy=None if state == "good" else "do this")
    for state in ("good", "warn", "bad", "unknown")
}


@pytest.fixture
def call(capsys, monkeypatch):
    """Run `doctor` in this process, which finds `states`; gives exit code, stdout and stderr."""
    monkeypatch.setattr(doctor.host, "look", lambda: None)

    def call_main(*arguments, states=("good",)):
        monkeypatch.setattr(doctor, "CHECKS", [lambda _, state=state: SEEN[state] for state in states])
        code = main(["doctor", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.mark.parametrize(
    ("states", "code", "verdict"),
    [
        (("good", "unknown"), 0, "fit to measure"),
        (("good", "warn"), 0, "fit, with 1 warning"),
        (("warn", "bad"), 1, "not fit: the bad"),
    ],
)
def test_the_exit_code_is_the_verdict_that_stands_first(call, states, code, verdict):
    found, out, err = call("--device", "cpu", "--no-aa", states=states)
    assert (found, err) == (code, "")
    assert out.startswith(f"{verdict}\n")


def test_json_is_all_that_stdout_holds(call):
    code, out, _ = call("--device", "cpu", "--no-aa", "--format", "json", states=("bad",))
    assert code == 1
    content = json.loads(out)
    assert content["fit"] is False
    assert content["floor"] is None


def test_the_a_a_run_gets_the_options(call, monkeypatch):
    def aa(a, b, **options):
        raise InputError(f"{dict(a.axes)} for {options['time_limit_s']:g} s on {options['device']}")

    monkeypatch.setattr("bench.schedule.ab.ab", aa)
    code, out, err = call("--device", "cpu", "--model", "resnet34", "--batch-size", "3", "--time", "5")
    assert (code, out) == (2, "")
    assert err == "error: {'model': 'resnet34', 'batch_size': 3} for 5 s on cpu\n"


@pytest.mark.parametrize(
    "arguments", [("--time", "0"), ("--batch-size", "0"), ("--format", "xml"), ("--device", "cpu", "surplus")]
)
def test_bad_options_are_bad_input(call, arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_device_that_is_not_there_is_bad_input(call):
    code, out, err = call("--device", "cuda:99", "--no-aa")
    assert (code, out) == (2, "")
    assert "cuda:99" in err
