import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.statistics.steady import steady
from tests.selftest.series import KINDS, series

_SERIES = 200
_TIMES = st.floats(1e-6, 1e3)


def _class(found):
    return "steady" if found.steady else "slowing" if found.slowing else "never steady"


@pytest.mark.parametrize("kind", KINDS)
def test_series_are_classified_and_their_level_is_found(kind):
    rng = np.random.default_rng(20261122)
    right, biases = 0, []
    for _ in range(_SERIES):
        times, wanted, level = series(kind, rng)
        found = steady(times.tolist())
        right += _class(found) == wanted
        if found.steady:
            biases.append(math.log(np.median(times[found.start :]) / level))
    assert right >= 0.95 * _SERIES
    if wanted == "steady":
        assert abs(np.mean(biases)) <= 0.005
        assert np.median(np.abs(biases)) <= 0.005


def test_a_throttle_in_one_jump_is_not_ever_slower():
    rng = np.random.default_rng(2)
    noise = np.exp(0.005 * rng.normal(size=160))
    along = np.arange(160) / 160
    assert _class(steady((noise * np.exp(0.3 * along)).tolist())) == "slowing"
    assert _class(steady((noise * np.where(along > 0.7, 1.3, 1.0)).tolist())) == "never steady"


def test_a_steady_series_is_never_slowing():
    found = [steady(series(kind, np.random.default_rng(seed))[0].tolist()) for kind in KINDS for seed in range(30)]
    assert not any(one.steady and one.slowing for one in found)
    assert any(one.slowing for one in found)


def test_the_cut_lies_where_a_clear_step_ends():
    rng = np.random.default_rng(1)
    times = np.exp(0.01 * rng.normal(size=200)) * np.where(np.arange(200) < 30, 1.5, 1.0)
    found = steady(times.tolist())
    assert found.steady
    assert 30 <= found.start <= 40


def test_a_spike_is_no_warm_up():
    times = [1.0, 1.001, 0.999, 1.002] * 20
    times[7] = 9.0
    assert steady(times).start <= 8
    assert steady(times).steady


@pytest.mark.parametrize(
    ("times", "start", "right"),
    [
        ([], 0, "never steady"),
        ([1.0], 0, "never steady"),
        ([1.0, 1.0], 1, "never steady"),
        ([1.0, 1.0, 1.0], 0, "steady"),
        ([2.0, 1.0, 1.01, 1.0], 1, "steady"),
        ([3.0, 2.0, 1.0], 1, "never steady"),
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8], 4, "slowing"),
        ([3.0, 1.1, 1.3, 0.95, 1.2, 1.05, 1.25, 1.0, 1.15], 1, "steady"),
        ([3.0, 2.0, 1.5, 1.2, 1.0], 2, "never steady"),
        ([1.0] * 100, 0, "steady"),
        ([2.0] * 10 + [1.0] * 90, 10, "steady"),
    ],
)
def test_short_and_constant_series(times, start, right):
    found = steady(times)
    assert (found.start, _class(found)) == (start, right)


@given(st.lists(_TIMES, max_size=80))
def test_any_series_has_an_answer(times):
    found = steady(times)
    assert 0 <= found.start <= max(0, len(times) - 1)
    assert not found.steady or len(times) - found.start >= 3


def test_the_unit_of_time_does_not_matter():
    rng = np.random.default_rng(11)
    for kind in KINDS:
        times, _, _ = series(kind, rng)
        assert steady((1000 * times).tolist()) == steady(times.tolist())
