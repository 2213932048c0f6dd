import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from results.statistics.difference import FALSE_ALARMS
from results.statistics.looks import LOOKS, judge, smallest_effect

_MARGIN = 0.02
_POSITIVE = st.floats(0, math.inf, exclude_min=True, exclude_max=True)
_RATIOS = st.lists(st.floats(0.2, 5), min_size=2, max_size=max(LOOKS))
_OPPOSITE = {"slower": "faster", "faster": "slower", "same": "same", "inconclusive": "inconclusive"}


def _ratios(spread, pairs, truth=1.0, seed=0):
    return (truth * np.exp(spread * np.random.default_rng(seed).standard_normal(pairs))).tolist()


@given(_RATIOS, st.floats(0, 0.2))
def test_arms_that_change_places_get_the_opposite_verdict(ratios, margin):
    there, back = judge(ratios, margin), judge([1 / ratio for ratio in ratios], margin)
    assert back.verdict == _OPPOSITE[there.verdict]
    if there.low is not None:
        assert (back.ratio, back.low, back.high) == pytest.approx((1 / there.ratio, 1 / there.high, 1 / there.low))
        assert (back.p, back.spread) == pytest.approx((there.p, there.spread))


@given(_RATIOS, st.floats(0.1, 10))
def test_a_factor_moves_the_interval_and_leaves_the_spread(ratios, factor):
    one, other = judge(ratios, _MARGIN), judge([factor * ratio for ratio in ratios], _MARGIN)
    if one.low is not None and other.low is not None:
        moved = (factor * one.ratio, factor * one.low, factor * one.high)
        assert (other.ratio, other.low, other.high) == pytest.approx(moved)
        assert other.spread == pytest.approx(one.spread, abs=1e-9)


@pytest.mark.parametrize("pairs", [2, 9, 10, 11, 15, 20, 21, 39, 40])
def test_the_interval_and_the_chance_are_students_at_the_share_of_the_look(pairs):
    ratios = _ratios(0.03, pairs, truth=1.04, seed=pairs)
    share = 0.25 if pairs <= 20 else 0.5
    log = np.log(ratios)
    expected = scipy_stats.ttest_1samp(log, 0).confidence_interval(1 - 0.05 * share)
    found = judge(ratios, _MARGIN)
    assert found.pairs == pairs
    assert (found.ratio, found.spread) == pytest.approx((statistics.geometric_mean(ratios), log.std(ddof=1)))
    assert (found.low, found.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
    one_sided = scipy_stats.ttest_1samp(log, math.log(1 + _MARGIN), alternative="greater").pvalue
    assert found.p == pytest.approx(min(1, 2 * one_sided))


def test_the_looks_together_spend_the_error_once():
    assert list(LOOKS) == sorted(LOOKS)
    assert sum(LOOKS.values()) == pytest.approx(1)


@pytest.mark.parametrize("pairs", [5, 10, 20, 40])
def test_the_verdict_changes_where_the_share_of_the_error_is_spent(pairs):
    share = 0.5 if pairs == 40 else 0.25
    shape = np.array(_ratios(1.0, pairs))
    log = (np.log(shape) - np.log(shape).mean()) / np.log(shape).std(ddof=1) * 0.01
    edge = math.log1p(_MARGIN) + scipy_stats.t.ppf(1 - share * FALSE_ALARMS / 2, pairs - 1) * 0.01 / math.sqrt(pairs)
    words = [judge(np.exp(log + edge * factor).tolist(), _MARGIN).verdict for factor in (0.999, 1.001)]
    assert words == ["inconclusive", "slower"]


def test_equal_arms_are_the_same_and_clear_differences_are_named():
    assert judge(_ratios(0.005, 10), _MARGIN).verdict == "same"
    assert judge(_ratios(0.005, 10, 1.1), _MARGIN).verdict == "slower"
    assert judge(_ratios(0.005, 10, 1 / 1.1), _MARGIN).verdict == "faster"
    unsure = judge(_ratios(0.05, 10), _MARGIN)
    assert (unsure.verdict, unsure.reason) == ("inconclusive", "the interval reaches over the margin")


@pytest.mark.parametrize("margin", [0.0, _MARGIN])
@pytest.mark.parametrize(
    ("ratios", "ratio", "reason"),
    [
        ([], None, "no pair"),
        ([1.5], 1.5, "1 pair"),
        ([1.5] * 10, 1.5, "zero variance"),
        ([3.0, math.nextafter(3.0, 4.0)], 3.0, "zero variance"),  # different, but their logarithms are not
    ],
)
def test_what_has_no_spread_is_inconclusive_with_its_reason(ratios, ratio, reason, margin):
    found = judge(ratios, margin)
    assert (found.verdict, found.pairs, found.ratio) == ("inconclusive", len(ratios), ratio)
    assert (found.low, found.high, found.p, found.spread) == (None, None, None, None)
    assert reason in found.reason


def test_more_pairs_than_the_last_look_has_are_refused():
    with pytest.raises(ValueError, match="41 pairs"):
        judge(_ratios(0.01, 41), _MARGIN)
    with pytest.raises(ValueError, match="41 pairs"):
        smallest_effect(0.01, 41, _MARGIN)


@given(st.lists(_POSITIVE, max_size=max(LOOKS)), st.floats(0, 1))
def test_any_positive_ratios_have_an_answer(ratios, margin):
    found = judge(ratios, margin)
    assert found.reason is not None or found.verdict != "inconclusive"
    if found.p is not None:
        assert 0 <= found.p <= 1
        assert found.low <= found.ratio * (1 + 1e-9)
        assert found.ratio <= found.high * (1 + 1e-9)


@pytest.mark.parametrize("spread", [0.005, 0.03])
@pytest.mark.parametrize("pairs", [5, 10, 20, 40])
def test_the_smallest_effect_is_found_as_often_as_it_says(pairs, spread):
    runs = 2000
    truth = 1 + smallest_effect(spread, pairs, _MARGIN, power=0.9)
    drawn = truth * np.exp(spread * np.random.default_rng(pairs).standard_normal((runs, pairs)))
    slower = sum(judge(run, _MARGIN).verdict == "slower" for run in drawn.tolist())
    assert slower == pytest.approx(0.9 * runs, abs=4 * math.sqrt(0.9 * 0.1 * runs))


def test_more_pairs_and_less_noise_resolve_smaller_effects():
    effects = [smallest_effect(0.02, pairs, _MARGIN) for pairs in LOOKS]
    assert effects == sorted(effects, reverse=True)
    assert all(effect > _MARGIN for effect in effects)
    assert smallest_effect(0.01, 10, _MARGIN) < effects[0]
