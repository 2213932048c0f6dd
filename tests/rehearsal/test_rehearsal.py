"""The frame of the rehearsal: verdicts, time-outs, going on after failures, files, the table, and the bare machine."""

import importlib.metadata
import json
import math
import os
import re
import subprocess
import sys
import tarfile

import pytest

from tests.rehearsal import __main__ as rehearsal
from tests.rehearsal.carried import CARRIED, EXPECTED, requirements
from tests.rehearsal.evidence import Evidence, Missing
from tests.rehearsal.readings import physics
from tests.rehearsal.running import ROOT, Outcome, run_all, run_step
from tests.rehearsal.tables.steps import Step
from tests.rehearsal.verdicts import Bound, exit_code, judge, judge_step

FIELDS = {"device": "cuda:0", "identity": "", "out": "OUT", "runs": "RUNS", "traces": "TRACES"}
LEAVE = """\
import pathlib, sys
for folder in sys.argv[1:]:
    pathlib.Path(folder, "deep").mkdir()
    for name in ("deep/a.jsonl", "deep/a.json", "b.json", "cache"):
        pathlib.Path(folder, name).write_text("x")
"""
LINE = "import json, sys; open(sys.argv[1] + '/physics.jsonl', 'a').write(json.dumps({0}) + '\\n')"


def step(name, code="", seconds=30.0, **more):
    return Step(name=name, seconds=seconds, argv=("-c", code.replace("{", "{{").replace("}", "}}"), "{out}"), **more)


def raises(error):
    def read(_):
        raise error

    return read


@pytest.fixture
def evidence(tmp_path):
    return Evidence(tmp_path, tmp_path / "runs")


@pytest.mark.parametrize(
    ("number", "low", "high", "state"),
    [
        (1.0, 1.0, 1.0, "kept"),
        (1.0, None, 0.9, "BROKEN"),
        (-1.0, 0.0, None, "BROKEN"),
        (0.5, 0.4, 0.6, "kept"),
        (0.5, None, None, "shown"),
        (math.inf, None, 0.7, "BROKEN"),
        (math.nan, 0.0, 1.0, "unknown"),
    ],
)
def test_a_number_is_judged_by_its_interval(evidence, number, low, high, state):
    assert judge(Bound(what="x", read=lambda _: number, low=low, high=high), "s", evidence).state == state


def test_an_interval_is_in_the_unit_that_is_shown(evidence):
    bound = Bound(what="x", read=lambda _: 11e-6, high=10, unit="µs", times=1e6)
    verdict = judge(bound, "s", evidence)
    assert (verdict.state, verdict.bound) == ("BROKEN", "≤ 10 µs")
    assert verdict.number == pytest.approx(11)


@pytest.mark.parametrize("error", [Missing("no driver"), ZeroDivisionError("no driver"), ImportError("no driver")])
def test_a_number_that_cannot_be_had_is_unknown_with_its_reason(evidence, error):
    verdict = judge(Bound(what="x", read=raises(error), high=1), "s", evidence)
    assert (verdict.state, verdict.number) == ("unknown", None)
    assert "no driver" in verdict.reason


@pytest.mark.parametrize(
    ("state", "states", "code"),
    [
        ("ended", ["kept", "BROKEN"], 1),
        ("failed", ["BROKEN", "BROKEN"], 1),
        ("timed out", ["BROKEN", "BROKEN"], 1),
        ("not started", ["unknown"], 3),
        ("skipped", ["skipped"], 0),
    ],
)
def test_a_step_is_judged_by_its_end_and_its_numbers(evidence, state, states, code):
    outcome = Outcome(step="s", state=state, limit_s=1.0)
    verdicts = judge_step(outcome, [Bound(what="x", read=lambda _: 2.0, high=1)], evidence)
    assert [verdict.state for verdict in verdicts] == states
    assert exit_code(verdicts) == code


def test_steps_go_on_after_a_failure_and_after_a_time_out(tmp_path):
    steps = [
        step("broken", "raise SystemExit('no such card')"),
        step("endless", "import time; print('begun', flush=True); time.sleep(600)", seconds=1.0),
        step("fails as it should", "raise SystemExit(1)", codes=(1,)),
        step("fine", "print('hello')"),
        step("impossible", skip="no GPU"),
    ]
    shown = []
    outcomes = run_all(steps, FIELDS, tmp_path, limit_s=600, show=lambda outcome, output: shown.append(output))
    assert [outcome.state for outcome in outcomes] == ["failed", "timed out", "ended", "ended", "skipped"]
    assert "no such card" in outcomes[0].reason
    assert "begun" in outcomes[1].reason
    assert shown[3] == "hello\n"


def test_no_step_starts_late_and_none_runs_over_the_limit(tmp_path):
    times = iter([0.0, 10.0, 92.0, 93.0, 99.0])
    limits = []

    def run(step, fields, log, limit_s):
        limits.append(limit_s)
        return Outcome(step=step.name, state="ended", limit_s=limit_s)

    steps = [step(name, seconds=50) for name in "abcd"]
    outcomes = run_all(steps, FIELDS, tmp_path, limit_s=100, show=lambda *_: None, run=run, clock=lambda: next(times))
    assert [outcome.state for outcome in outcomes] == ["ended", "ended", "not started", "not started"]
    assert limits == [50, pytest.approx(5)]
    assert "93%" in outcomes[-1].reason.replace(" ", "")


def test_an_interruption_ends_the_step_and_starts_no_other(tmp_path):
    def run(*_):
        raise KeyboardInterrupt

    outcomes = run_all([step("a"), step("b")], FIELDS, tmp_path, limit_s=100, show=lambda *_: None, run=run)
    assert [(outcome.state, outcome.reason) for outcome in outcomes] == [
        ("failed", "interrupted"),
        ("not started", "interrupted"),
    ]


def test_a_step_that_ignores_the_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.rehearsal.running.GRACE_S", 0.2)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    assert run_step(step("stubborn", code), FIELDS, tmp_path / "log", 1.0).state == "timed out"


@pytest.mark.parametrize(("number", "code"), [(0.5, 0), (2.0, 1), (None, 3)])
def test_at_most_eight_files_and_the_table_last(tmp_path, capsys, number, code):
    values = {"name": "P1", "x": number, "nulls": {"x": "no driver"}}
    steps = [
        step("broken, as it should", "raise SystemExit(1)", codes=(1,)),
        step(
            "physics",
            LINE.replace("{0}", repr(values)),
            bounds=(Bound(what="the number", read=physics("P1", "x"), high=1),),
        ),
        Step(
            name="runs",
            seconds=30,
            argv=(
                "-c",
                LEAVE,
                "{runs}",
                "{traces}",
            ),
        ),
        Step(name="tests", seconds=30, argv=("-c", "print('3 passed')", "pytest")),
    ]
    out = tmp_path / "out"
    out.mkdir()
    verdicts = rehearsal.rehearse(steps, "cpu", out, 600)
    assert exit_code(verdicts) == code
    assert {path.name for path in out.iterdir()} == set(rehearsal.FILES) - {"facts.json"}
    assert len(rehearsal.FILES) == 8
    with tarfile.open(out / "runs.tar.gz") as runs, tarfile.open(out / "traces.tar.gz") as traces:
        assert (runs.getnames(), traces.getnames()) == (["deep/a.jsonl"], ["b.json"])
    assert "3 passed" in (out / "gpu-tests.txt").read_text()
    assert (out / "clocks.csv").read_text().startswith("# ")
    written = json.loads((out / "verdicts.json").read_text())
    assert [line["what"] for line in written["verdicts"]] == ["ended", "ended", "the number", "ended", "ended"]
    table = capsys.readouterr().out.rpartition("\n\n")[2].splitlines()
    assert len(table) == 1 + len(verdicts)
    assert table[3].split()[:2] == [verdicts[2].state, "physics"]


def test_files_of_an_earlier_rehearsal_are_not_mistaken_for_its_own(tmp_path):
    (tmp_path / "physics.jsonl").write_text('{"name": "P1", "x": 0.5}\n')
    (tmp_path / "mine.txt").write_text("")
    bound = Bound(what="x", read=physics("P1", "x"), high=1)
    verdicts = rehearsal.rehearse([step("a", bounds=(bound,))], "cpu", tmp_path, 600)
    assert verdicts[-1].state == "unknown"
    assert (tmp_path / "mine.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "device", "word"),
    [
        ([], "xpu:0", "nox -s gpu"),
        (["--device", "cuda:7"], None, "devices: cpu"),
        (["--time-limit", "0"], "cpu", "--time-limit"),
        (["--time-limit", "nan"], "cpu", "--time-limit"),
        (["--out", __file__], "cpu", "exists"),
    ],
)
def test_bad_input_ends_with_a_line(tmp_path, monkeypatch, capsys, arguments, device, word):
    def identified(name):
        if device is None:
            raise LookupError(f"no device {name!r} on this machine (devices: cpu)")
        return device, ""

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rehearsal, "identified", identified)
    with pytest.raises(SystemExit) as ended:
        rehearsal.main(arguments)
    assert ended.value.code == 2
    assert word in capsys.readouterr().err.splitlines()[-1]


def test_what_is_carried_needs_only_what_is_carried_or_expected():
    known = {*CARRIED, *EXPECTED}
    for name in CARRIED:
        for line in importlib.metadata.requires(name) or ():
            if "extra" not in line and "python_version <" not in line and "Windows" not in line:
                wanted = re.match(r"[\w.-]+", line)[0].lower().replace("_", "-")
                assert wanted in known, f"{name} needs {wanted}"


def test_requirements_are_those_of_a_file_of_pip():
    lines = [line for line in requirements().splitlines() if not line.startswith("#")]
    assert [line.partition("==")[0] for line in lines] == list(CARRIED)
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines)


def test_requirements_are_printed_where_every_package_is_missing(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("")  # as some packages install by mistake
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tests.rehearsal", "--requirements"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "# This interpreter lacks: msgspec" in done.stdout
