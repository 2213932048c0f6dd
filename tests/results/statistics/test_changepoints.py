import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from results.statistics import changepoints
from results.statistics.changepoints import MIN_RUNS, change_points, level
from tests.results.histories import spreads

MARGIN = 0.02


def _series(*levels, spread=0.01, seed=1):
    """Values around (level, count) after (level, count)…"""
    noise = spreads(sum(count for _, count in levels), spread=spread, seed=seed)
    return [value * factor for value, factor in zip((v for v, n in levels for _ in range(n)), noise, strict=True)]


@pytest.mark.parametrize("ratio", [1.05, 0.95, 1.5, 0.1])
def test_a_step_is_found_where_it_is_and_as_large_as_it_is(ratio):
    (step,) = change_points(_series((0.05, 10), (0.05 * ratio, 10)), MARGIN)
    assert step.index == 10
    assert step.ratio.value == pytest.approx(ratio, rel=0.01)
    assert step.ratio.low < ratio < step.ratio.high
    assert step.p < 1e-4


def test_what_was_broken_and_mended_is_two_steps():
    steps = change_points(_series((1, 30), (1.08, 8), (1, 40)), MARGIN)
    assert [step.index for step in steps] == [30, 38]
    assert steps[0].ratio.value > 1 > steps[1].ratio.value


def test_a_staircase_has_all_its_steps():
    steps = change_points(_series((1, 12), (1.1, 12), (1.2, 12), (1.3, 12)), MARGIN)
    assert [step.index for step in steps] == [12, 24, 36]


@pytest.mark.parametrize("count", range(2 * MIN_RUNS))
def test_too_few_values_have_no_step(count):
    assert change_points(_series((1, count // 2), (2, count - count // 2)), MARGIN) == ()


def test_the_fewest_values_that_have_one():
    (step,) = change_points(_series((1, MIN_RUNS), (1.1, MIN_RUNS)), MARGIN)
    assert step.index == MIN_RUNS


def test_a_step_within_the_margin_is_none():
    values = _series((1, 30), (1.015, 30), spread=0.001)
    assert change_points(values, 0.02) == ()
    assert [step.index for step in change_points(values, 0.01)] == [30]


@pytest.mark.parametrize("after", [1.05, 1.0])
def test_values_that_do_not_vary_at_all_are_judged(after):
    # Imported times are rounded, and may all be the same: neither a crash nor certainty from nothing.
    found = change_points([0.05] * 10 + [0.05 * after] * 10, MARGIN)
    assert [step.index for step in found] == ([10] if after > 1 else [])
    assert all(step.ratio.low < step.ratio.value < step.ratio.high for step in found)


@pytest.mark.parametrize("place", [0, 3, 10, 18, 19])
def test_one_slow_run_is_no_level(place):
    values = _series((1, 20))
    values[place] *= 10
    assert change_points(values, MARGIN) == ()


def test_three_slow_runs_at_the_end_are_no_level_yet_and_four_are():
    assert change_points(_series((1, 20), (1.2, 3)), MARGIN) == ()
    assert [step.index for step in change_points(_series((1, 20), (1.2, 4)), MARGIN)] == [20]


def test_slow_runs_here_and_there_hide_no_step():
    values = _series((1, 20), (1.1, 20))
    for place in (4, 13, 27, 36):
        values[place] *= 1.5
    (step,) = change_points(values, MARGIN)
    assert step.index == 20
    assert step.ratio.value == pytest.approx(1.1, rel=0.02)


def test_runs_that_jump_between_two_levels_at_random_have_no_step():
    rng = random.Random(5)
    values = [value * (1.3 if rng.random() < 0.3 else 1) for value in _series((1, 60))]
    assert change_points(values, MARGIN) == ()


def test_the_same_values_give_the_same_steps_in_any_unit():
    values = _series((1, 15), (1.06, 15), (0.9, 15), seed=3)
    seconds, milliseconds = (change_points([unit * value for value in values], MARGIN) for unit in (1, 1e3))
    assert [step.index for step in seconds] == [step.index for step in milliseconds] == [15, 30]
    assert [step.p for step in seconds] == pytest.approx([step.p for step in milliseconds], rel=1e-6)


@given(st.lists(st.floats(1e-12, 1e9), max_size=40), st.floats(0, 0.5))
def test_whatever_the_times_are_steps_lie_in_order_and_apart_and_exceed_the_margin(values, margin):
    steps = change_points(values, margin)
    ends = [0, *(step.index for step in steps), len(values)]
    assert not steps or min(after - before for before, after in itertools.pairwise(ends)) >= MIN_RUNS
    for step in steps:
        assert abs(math.log(step.ratio.value)) > math.log1p(margin)
        assert step.ratio.low <= step.ratio.value <= step.ratio.high
        assert 0 <= step.p <= 0.01


@pytest.mark.parametrize("count", [8, 9, 11, 12, 20, 50, 131])
def test_every_place_is_tried_on_the_whole_series_and_no_interval_leaves_it(count):
    starts, cuts, ends = changepoints._tests(count)
    assert starts.min() == 0
    assert ends.max() == count
    assert (cuts - starts).min() == (ends - cuts).min() == MIN_RUNS
    whole = (starts == 0) & (ends == count)
    assert cuts[whole].tolist() == list(range(MIN_RUNS, count - MIN_RUNS + 1))
    assert len(set(zip(starts.tolist(), cuts.tolist(), ends.tolist(), strict=True))) == len(cuts)


def test_the_number_of_tests_grows_little_faster_than_the_series():
    few, many = (changepoints._tests(count)[1].size for count in (100, 1000))
    assert many < 30 * few


def test_the_test_is_students():
    log = np.log(_series((1, 20), (1.1, 11)))
    starts, cuts, ends = changepoints._tests(log.size)
    size, p = changepoints._student(log, starts, cuts, ends)
    for place in range(0, cuts.size, 7):
        before, after = log[starts[place] : cuts[place]], log[cuts[place] : ends[place]]
        assert size[place] == pytest.approx(after.mean() - before.mean(), abs=1e-12)
        assert p[place] == pytest.approx(ttest_ind(before, after).pvalue, rel=1e-6)


def test_the_interval_is_welchs():
    before, after = np.log(_series((1, 9))), np.log(_series((1.1, 14), spread=0.03))
    found = changepoints._difference(before, after)
    reference = ttest_ind(after, before, equal_var=False).confidence_interval()
    assert found.interval().low == pytest.approx(math.exp(reference.low))
    assert found.interval().high == pytest.approx(math.exp(reference.high))


def test_a_level_is_the_geometric_mean_and_an_outlier_hardly_moves_it():
    assert level([2.0, 8.0]) == pytest.approx(4.0)
    values = _series((1, 20))
    assert level([*values, 100.0]) == pytest.approx(level(values), rel=0.005)
