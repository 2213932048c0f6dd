import numpy as np
import pytest

from results.statistics import changepoints
from tests.selftest import histories


@pytest.fixture(autouse=True)
def few_runs(monkeypatch):
    monkeypatch.setattr(histories, "RUNS", 4000)


def test_no_promise_is_broken():
    rows = list(histories.history(quick=True))
    assert [row for row in rows if row.kept is False] == []
    assert all(row.what and row.figure and row.bound for row in rows)


def test_a_laxer_level_would_break_the_promise(monkeypatch):
    # Shows that the test above can fail.
    monkeypatch.setattr(changepoints, "FALSE_ALARMS", 0.1)
    monkeypatch.setattr(histories, "STATIONARY", {"spread 10 %": (histories.normal(0.1), (8, 20), 0.01)})
    assert [row.kept for row in histories._alarms(quick=True)] == [False, False]


def test_a_method_that_finds_nothing_would_break_the_promise(monkeypatch):
    monkeypatch.setattr(histories, "change_points", lambda values, margin: ())
    assert next(histories._power(quick=True)).kept is False


def test_the_noise_is_what_its_name_says():
    rng = np.random.default_rng(7)
    drift = np.array([histories.drifting(0.6, 0.03)(rng, 200) for _ in range(400)])
    assert drift.std() == pytest.approx(0.03, rel=0.05)
    assert (drift[:, 1:] * drift[:, :-1]).mean() / drift.var() == pytest.approx(0.6, abs=0.03)
    jumps = np.array([histories.two_modes(0.2)(rng, 200) for _ in range(100)])
    assert (jumps > 0.13).mean() == pytest.approx(0.2, abs=0.02)
    noisy = np.array([histories.half_noisy(rng, 20) for _ in range(500)])
    assert noisy[:, 10:].std() == pytest.approx(10 * noisy[:, :10].std(), rel=0.1)
