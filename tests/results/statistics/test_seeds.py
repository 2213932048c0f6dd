import itertools
import math

import numpy as np
import pytest
from scipy import stats

from results.statistics.seeds import Bracket, contrast, mean_over_seeds, rank_chance, wilson


def exact(*values, half=0.0):
    """Seeds whose numbers are known to within `half`."""
    return [Bracket(low=value - half, value=value, high=value + half) for value in values]


def to_the_epoch(*epochs):
    """Seeds whose number is the end of one of these epochs."""
    return [Bracket(low=epoch - 1.0, value=float(epoch), high=float(epoch)) for epoch in epochs]


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (9, 10), (10, 10), (9299, 10_000)])
def test_the_binomial_interval_is_wilsons(correct, count):
    theirs = stats.binomtest(correct, count).proportion_ci(0.95, method="wilson")
    ours = wilson(correct, count)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.value == correct / count


def test_the_interval_over_seeds_is_students():
    values = [0.930, 0.932, 0.929, 0.931]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    interval = mean_over_seeds(values)
    assert (interval.value, interval.low, interval.high) == pytest.approx((np.mean(values), low, high))
    assert mean_over_seeds([0.93]) is None


def test_without_bounds_and_margin_the_chance_is_welchs():
    base, new = [1.0, 1.2, 1.1, 1.3], [1.5, 1.6, 1.9]
    theirs = stats.ttest_ind(new, base, equal_var=False)
    found = contrast(exact(*base), exact(*new), 0.0)
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.direction, found.test) == ("more", "Welch")
    assert contrast(exact(*new), exact(*base), 0.0).direction == "less"
    low, high = theirs.confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


def test_a_difference_inside_the_margin_is_equivalent_only_if_the_bounds_are_too():
    values = (0.930, 0.931, 0.932, 0.930, 0.931)
    assert contrast(exact(*values), exact(*values), 0.002).equivalent
    assert not contrast(exact(*values, half=0.002), exact(*values, half=0.002), 0.002).equivalent


def test_a_difference_of_an_epoch_is_none_however_many_seeds_show_it():
    assert contrast(to_the_epoch(*[5] * 20), to_the_epoch(*[6] * 20), 0.0).p == 1.0
    assert contrast(to_the_epoch(*[5] * 20), to_the_epoch(*[8] * 20), 0.0).p < 1e-6


def test_two_seeds_in_the_same_epoch_are_not_known_better_than_to_an_epoch():
    assert contrast(to_the_epoch(5, 5), to_the_epoch(7, 7), 0.0).p > 0.01


def test_a_seed_that_arrived_before_the_first_bound_gives_no_direction_of_its_own():
    early = [Bracket(low=-math.inf, value=1.0, high=1.0)] * 3
    found = contrast(to_the_epoch(5, 6, 5), early, 0.0)
    assert found.direction == "less"
    assert not found.equivalent
    assert contrast(early, early, 0.1).p == 1.0


@pytest.mark.parametrize(("base", "new"), [([1, 2, 3], [4, 5, 5]), ([1, 2, 2], [2, 3, math.inf]), ([3, 3], [3, 3])])
def test_the_chance_of_ranks_is_that_of_all_divisions(base, new):
    values = [float(value) for value in (*base, *new)]
    ranks = stats.rankdata(values)
    observed = sum(ranks[len(base) :])
    sums = [sum(ranks[list(chosen)]) for chosen in itertools.combinations(range(len(values)), len(new))]
    expected = min(1.0, 2 * sum(total >= observed - 1e-9 for total in sums) / len(sums))
    assert rank_chance(values[: len(base)], values[len(base) :]) == pytest.approx(expected)


def test_seeds_that_never_arrive_have_the_last_rank():
    never = [Bracket(low=math.inf, value=math.inf, high=math.inf)] * 5
    found = contrast(to_the_epoch(5, 5, 6, 6, 7), never, 0.02)
    assert (found.direction, found.test, found.interval) == ("more", "ranks", None)
    assert found.p == pytest.approx(2 / math.comb(10, 5))
    assert contrast(never, never, 0.02).p == 1.0
    assert contrast(never[:3], to_the_epoch(5, 5, 6), 0.02).p == pytest.approx(2 / math.comb(6, 3))
