import math
import random

import pytest

from results.statistics.racing import LEAST_ROUNDS, WARM_ROUNDS, beaten, lags, leader, settled


def series(mean, rounds, *, spread=0.02, seed=0, first=0):
    rng = random.Random(f"{seed} {mean}")
    return {number: mean * rng.lognormvariate(0, spread) for number in range(first, first + rounds)}


def test_a_candidate_that_is_twice_as_slow_is_beaten_soon():
    times = {"fast": series(1.0, 8), "slow": series(2.0, 8)}
    assert leader(times) == "fast"
    assert beaten(lags(times, "fast")) == ["slow"]


def test_few_rounds_have_no_lag():
    times = {"fast": series(1.0, WARM_ROUNDS + LEAST_ROUNDS - 1), "slow": series(9.0, WARM_ROUNDS + LEAST_ROUNDS - 1)}
    assert lags(times, "fast") == {}


def test_warm_up_does_not_count():
    slow_start = {**series(1.0, 10), 0: 50.0, 1: 50.0}
    times = {"late": slow_start, "steady": series(1.2, 10)}
    assert leader(times) == "late"


def test_a_drift_that_all_share_cancels():
    drift = [1 + number / 5 for number in range(12)]
    times = {
        name: {
            number: mean * drift[number] * noise for number, noise in series(1.0, 12, spread=0.002, seed=name).items()
        }
        for name, mean in (("a", 1.0), ("b", 1.05))
    }
    lag = lags(times, "a")["b"]
    assert lag.low > 0
    assert lag.log == pytest.approx(math.log(1.05), abs=0.01)


def test_a_candidate_that_joined_late_is_compared_in_the_rounds_of_both():
    times = {"early": series(1.0, 20), "late": series(1.5, 10, first=10)}
    assert leader(times) == "early"
    assert beaten(lags(times, "early")) == ["late"]


def test_equal_candidates_settle_and_different_ones_do_not():
    alike = {"a": series(1.0, 60, spread=0.004), "b": series(1.001, 60, spread=0.004)}
    assert settled(lags(alike, "a"), 0.01)
    apart = {"a": series(1.0, 60, spread=0.004), "b": series(1.03, 60, spread=0.004)}
    assert not settled(lags(apart, "a"), 0.01)


def test_the_best_of_many_hardly_ever_leaves():
    """200 races of 12 candidates: the fastest, 0.5 % ahead, is beaten at any of 30 looks in at most 5 % of them."""
    lost = 0
    for seed in range(200):
        times = {name: series(1.0 + 0.005 * (name > 0), 32, spread=0.03, seed=f"{seed} {name}") for name in range(12)}
        for rounds in range(WARM_ROUNDS + LEAST_ROUNDS, 33):
            seen = {name: {number: own[number] for number in range(rounds)} for name, own in times.items()}
            if 0 in beaten(lags(seen, leader(seen))):
                lost += 1
                break
    assert lost <= 16
