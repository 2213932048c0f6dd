import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from results.analysis.ab import ratio
from results.schema.lines.record import Samples
from results.statistics.looks import LOOKS, judge
from tests.selftest import __main__ as selftest
from tests.selftest import simulations
from tests.selftest.rows import Row, share_row

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def few_runs(monkeypatch):
    monkeypatch.setattr(simulations, "RUNS", 4000)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 31])
def test_the_simulation_takes_the_ratio_of_a_pair_as_the_product_does(steps, make_record):
    a, b = simulations.step_series(np.random.default_rng(1), 3, 4, steps)
    taken = simulations.ratios(a, b)
    for run in range(3):
        for pair in range(4):
            arms = [
                make_record(latency_s=1.0, warmup=0, samples=_samples(times[:, run, pair].tolist(), late))
                for times, late in ((a, 0.0), (b, 0.5))
            ]
            assert taken[run, pair] == pytest.approx(ratio(*arms), rel=1e-9)


def _samples(step_s, late):
    turns = range(len(step_s))
    at_s = tuple(turn + late for turn in turns)
    part = (0,) * len(step_s)
    own = tuple(step_s)
    return Samples(step_s=own, turn=tuple(turns), wall_s=own, at_s=at_s, part=part, warmup=0, steady=True)


def test_the_machine_drifts_and_is_loaded_and_pairing_cancels_it():
    a, b = simulations.step_series(np.random.default_rng(2), 50, 40, 30)
    alone = np.log(np.median(a, axis=0)).std()
    ratios = np.log(simulations.ratios(a, b))
    assert alone > 3 * ratios.std()
    assert abs(ratios.mean()) < 4 * ratios.std() / np.sqrt(ratios.size)
    # What pairing leaves is the level of the processes: twice its variance, and the slow ones.
    assert np.median(np.abs(ratios)) > 0.6745 * np.sqrt(2) * 0.01


def test_neighbouring_steps_resemble_each_other_as_much_as_was_asked():
    asked = np.array([[0.2], [0.6], [0.95]])
    noise = simulations._autoregressive(np.random.default_rng(3), asked, 400, (3, 200))
    assert noise.std(axis=(0, 2)) == pytest.approx(1, abs=0.05)
    found = (noise[1:] * noise[:-1]).mean(axis=(0, 2)) / (noise**2).mean(axis=(0, 2))
    assert found == pytest.approx(asked[:, 0], abs=0.02)


def test_the_replicates_that_are_drawn_have_the_mean_log_that_counts_as_the_truth():
    rng = np.random.default_rng(4)
    for draw, _, _ in simulations.REPLICATES.values():
        log = np.log(draw(rng, (400, 1000)))
        assert abs(log.mean()) < 4 * log.std() / np.sqrt(log.size)


def test_a_run_stops_at_the_first_look_that_tells():
    rng = np.random.default_rng(5)
    quiet, noisy = (np.exp(spread * rng.standard_normal(40)) for spread in (0.003, 0.1))
    assert simulations.until_known(1.1 * quiet, 0.02).pairs == 10
    assert simulations.until_known(quiet, 0.02).verdict == "same"
    assert simulations.until_known(noisy, 0.02).pairs == 40


@pytest.mark.parametrize("name", ["null", "coverage", "power", "warmup"])
def test_no_promise_is_broken(name):
    rows = list(getattr(simulations, name)(quick=True))
    assert [row for row in rows if row.kept is False] == []
    assert all(row.what and row.figure and row.bound for row in rows)


def test_every_look_at_five_percent_would_break_the_promise(monkeypatch):
    # Shows that the test above can fail: the commonest error of those who peek.
    for look in LOOKS:
        monkeypatch.setitem(LOOKS, look, 5.0)
    rows = {(row.what, row.variant): row for row in simulations.null(quick=True)}
    assert rows["null: A/A at no margin: slower or faster", "normal pairs"].kept is False


def test_steps_taken_for_replicates_would_alarm_far_too_often():
    a, b = simulations.step_series(np.random.default_rng(6), 1000, 1, 40)
    alarms = sum(judge(steps.tolist(), 0.0).verdict in {"slower", "faster"} for steps in (b / a)[:, :, 0].T)
    assert share_row("steps as replicates", alarms, 1000, high=0.01).kept is False


@pytest.mark.parametrize(
    ("hits", "low", "high", "kept"),
    [
        (5, 0.0, 0.01, True),
        (12, 0.0, 0.01, None),
        (40, 0.0, 0.01, False),
        (0, 0.0, 0.01, True),
        (950, 0.94, 0.96, True),
        (935, 0.94, 0.96, None),
        (900, 0.94, 0.96, False),
        (1000, 0.94, 0.96, False),
        (1000, 0.95, 1.0, True),
    ],
)
def test_a_share_is_unsure_only_within_the_error_of_the_simulation(hits, low, high, kept):
    assert share_row("share", hits, 1000, low=low, high=high).kept is kept


def _module(verdicts):
    module = types.ModuleType("told")
    module.rows = lambda *, quick: (Row(f"row of {quick}", "1", "≤ 2", kept) for kept in verdicts)
    return module


@pytest.mark.parametrize(
    ("verdicts", "status"), [([True], 0), ([True, None], 3), ([None, False, True], 1), ([True, True], 0)]
)
def test_the_exit_code_is_that_of_the_worst_row(monkeypatch, capsys, verdicts, status):
    monkeypatch.setitem(sys.modules, "told", _module(verdicts))
    monkeypatch.setattr(selftest, "ROWS", {"told": "told:rows", "missing": "no.such.module:rows"})
    assert selftest.main(["told", "--quick"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [{True: "kept", False: "BROKEN", None: "unsure"}[v] for v in verdicts]
    assert all("row of True" in line for line in lines)


def test_the_table_is_the_same_each_time_it_is_asked_for(capsys):
    command = [sys.executable, "-m", "tests.selftest", "--quick", "warmup"]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert table.returncode == selftest.main(["--quick", "warmup"]), table.stderr
    assert table.stdout == capsys.readouterr().out
    assert table.stdout.count("warm-up") == len(table.stdout.splitlines()) > 4
