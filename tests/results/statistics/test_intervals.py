import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.statistics.intervals import (
    TURNS_FOR_INTERVAL,
    Interval,
    across,
    effectives,
    median_interval,
)
from results.statistics.segments import Segments
from tests.results.statistics.quantiles import quantile_interval
from tests.selftest.series import autoregressive

_SERIES = 200


def effective(times):
    """How many independent times one series is worth."""
    (worth,) = effectives(np.asarray(times), Segments(np.array([len(times)])))
    return worth


_TIMES = st.floats(1e-6, 1e3)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("turns", [8, 20, 60])
def test_the_interval_of_one_process_holds_the_truth(turns, correlation):
    rng = np.random.default_rng(7)
    found = [median_interval(np.exp(0.01 * autoregressive(rng, turns, correlation)).tolist()) for _ in range(400)]
    held = sum(interval.low <= 1 <= interval.high for interval in found)
    assert held >= 0.9 * 400
    # Not by being wide without need: independent turns cost at most half as much again as Student's t.
    if correlation == 0 and turns >= 20:
        assert np.median([interval.relative for interval in found]) < 1.5 * 2.1 * 1.2533 * 0.01 / math.sqrt(turns)


def test_taking_correlated_turns_for_independent_would_fail():
    # Shows that the test above can fail: the uncorrected interval misses far more often.
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        log = 0.01 * autoregressive(rng, 60, 0.6)
        held += abs(np.median(log)) <= 2.0 * 1.2533 * log.std(ddof=1) / math.sqrt(60)
    assert held < 0.85 * 400


def test_spikes_hardly_widen_the_interval():
    rng = np.random.default_rng(3)
    turns = np.exp(0.01 * rng.normal(size=60))
    spiked = turns.copy()
    spiked[::20] *= 5
    calm, rough = median_interval(turns.tolist()), median_interval(spiked.tolist())
    assert rough.relative < 1.6 * calm.relative
    assert rough.value == pytest.approx(calm.value, rel=0.005)


def test_too_few_turns_have_no_interval():
    assert median_interval([1.0] * (TURNS_FOR_INTERVAL - 1)) is None
    assert median_interval([1.0] * TURNS_FOR_INTERVAL) == Interval(1.0, 1.0, 1.0)


@given(st.lists(_TIMES, min_size=4, max_size=40))
def test_an_interval_holds_its_value_and_inverts_with_it(values):
    for make in (median_interval, across):
        there, back = make(values), make([1 / value for value in values])
        assert there.low <= there.value <= there.high
        assert back.value == pytest.approx(1 / there.value, rel=1e-6)


def test_across_is_the_textbook_t_interval():
    found = across([1.0, math.e, math.e**2])
    half = 4.302652729911275 * 1.0 / math.sqrt(3)
    assert found.value == pytest.approx(math.e)
    assert found.low == pytest.approx(math.exp(1 - half))
    assert found.high == pytest.approx(math.exp(1 + half))
    assert across([1.0]) is None


@pytest.mark.parametrize(("q", "needed"), [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299)])
def test_a_quantile_needs_enough_values_to_be_bounded(q, needed):
    assert quantile_interval([float(i) for i in range(1, needed)], q, needed - 1) is None
    found = quantile_interval([float(i) for i in range(1, needed + 1)], q, needed)
    assert found.high == needed
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_each_bound_of_a_quantile_holds_in_19_of_20_samples(q):
    rng = np.random.default_rng(5)
    found = [quantile_interval(rng.random(400).tolist(), q, 400) for _ in range(600)]
    for held in (sum(one.low <= q for one in found), sum(q <= one.high for one in found)):
        assert held >= 0.93 * 600


def test_correlated_steps_are_worth_fewer_and_their_bounds_hold():
    rng = np.random.default_rng(6)
    times = [np.exp(0.01 * autoregressive(rng, 800, 0.7)).tolist() for _ in range(300)]
    worth = [effective(one) for one in times]
    assert np.median(worth) == pytest.approx(800 * 0.3 / 1.7, rel=0.1)
    truth = math.exp(0.01 * 1.2815515655446004)  # the ninth decile of a normal
    above = sum(quantile_interval(one, 0.9, n).high >= truth for one, n in zip(times, worth, strict=True))
    assert above >= 0.93 * 300
    # Taken for independent, they would hold less often.
    assert sum(quantile_interval(one, 0.9, 800).high >= truth for one in times) < 0.9 * 300


def test_independent_steps_are_worth_nearly_their_number():
    rng = np.random.default_rng(8)
    worth = [effective(np.exp(0.01 * rng.normal(size=300)).tolist()) for _ in range(100)]
    assert np.median(worth) >= 0.85 * 300
    assert effective([1.0, 2.0]) == 2
