import itertools

import numpy as np
import pytest
from scipy import stats

from results.statistics.allpairs import REPLICATES_TO_SHARE, all_pairs
from results.statistics.difference import holm


def pairs_of(values):
    """The differences of all pairs of cases (columns) in each replicate (rows), the later case less the earlier."""
    first, second = np.array(list(itertools.combinations(range(values.shape[1]), 2))).T
    return values[:, second] - values[:, first]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_a_single_pair_has_the_paired_t_test(rng):
    values = 0.01 * rng.standard_normal((8, 2))
    tests = all_pairs(pairs_of(values), 2, 0.0)
    known = stats.ttest_rel(values[:, 1], values[:, 0])
    assert tests.p[0] == pytest.approx(known.pvalue)
    assert tests.half[0] == pytest.approx(np.diff(known.confidence_interval())[0] / 2)
    assert tests.corrected[0] == tests.p[0]


def test_few_replicates_do_not_share_their_spread(rng):
    values = 0.01 * rng.standard_normal((REPLICATES_TO_SHARE - 1, 4))
    tests = all_pairs(pairs_of(values), 4, 0.0)
    alone = [stats.ttest_1samp(logs, 0).pvalue for logs in pairs_of(values).T]
    assert tests.p == pytest.approx(alone)
    assert tests.corrected == pytest.approx(holm(alone))


def test_pairs_of_equal_spread_share_it_and_so_find_more(rng):
    found = {False: 0, True: 0}
    for _ in range(40):
        values = 0.015 * rng.standard_normal((8, 11))
        values[:, 10] += 0.05
        logs = pairs_of(values)
        alone = holm([float(stats.ttest_1samp(pair, 0).pvalue) for pair in logs.T])
        found[False] += sum(p <= 0.05 for p in alone)
        found[True] += int((all_pairs(logs, 11, 0.0).corrected <= 0.05).sum())
    assert found[True] > 1.1 * found[False]
    assert found[True] <= 40 * 10 + 2


def test_a_noisy_case_keeps_its_own_spread(rng):
    alarms = 0
    for _ in range(200):
        values = np.where(np.arange(6) == 0, 0.06, 0.01) * rng.standard_normal((8, 6))
        alarms += bool((all_pairs(pairs_of(values), 6, 0.0).corrected <= 0.05).any())
    assert alarms <= 20


def test_a_difference_within_the_margin_is_none(rng):
    values = 0.001 * rng.standard_normal((8, 3)) + np.array([0.0, 0.01, 0.1])
    any_matters, margin = (all_pairs(pairs_of(values), 3, share) for share in (0.0, 0.02))
    assert (any_matters.corrected <= 0.05).all()
    assert (margin.corrected <= 0.05).tolist() == [False, True, True]
    assert margin.p[0] == pytest.approx(1.0)


def test_a_replicate_that_lacks_a_case_and_a_case_without_replicates(rng):
    logs = pairs_of(0.01 * rng.standard_normal((3, 3)))
    logs[0, 0] = np.nan
    logs[:2, 1] = np.nan
    logs[:, 2] = np.nan
    tests = all_pairs(logs, 3, 0.0)
    assert tests.p[0] == pytest.approx(stats.ttest_1samp(logs[1:, 0], 0).pvalue)
    assert tests.corrected[0] == pytest.approx(tests.p[0])  # the only pair that can be tested
    assert np.isnan(tests.p[1:]).all()
    assert tests.log[1] == pytest.approx(logs[2, 1])
    assert np.isnan(tests.log[2])


def test_replicates_that_are_all_the_same_count_as_a_coarse_clock():
    tests = all_pairs(np.full((8, 1), 0.0), 2, 0.0)
    assert tests.p[0] == 1.0
    assert 0 < tests.half[0] < 1e-3


def test_no_pair_is_no_error():
    tests = all_pairs(np.empty((0, 0)), 1, 0.0)
    assert [column.size for column in tests] == [0, 0, 0, 0]
