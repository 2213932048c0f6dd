import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from results.statistics.difference import FALSE_ALARMS, Difference, chance, difference, holm, verdict

_MARGIN = 0.02


def _verdicts(cases, margin=_MARGIN):
    found = [difference(base, new) for base, new in cases]
    corrected = holm([chance(one, margin) for one in found])
    return [verdict(one, p, margin) for one, p in zip(found, corrected, strict=True)]


def _sides(rng, spread, effect=0.0, heavy=False):
    """Two sides of 5 to 10 replicates, which need not have equally many nor spread alike."""
    draw = (lambda size: rng.standard_t(3, size)) if heavy else rng.standard_normal
    return [
        np.exp(math.log1p(shift) + spread * rng.uniform(0.5, 2) * draw(rng.integers(5, 11))).tolist()
        for shift in (0.0, effect)
    ]


@pytest.mark.parametrize("heavy", [False, True], ids=["normal", "t3"])
@pytest.mark.parametrize("family", [1, 10])
@pytest.mark.parametrize("spread", [0.005, 0.02, 0.1])
def test_false_alarms_are_rare(spread, family, heavy):
    rng = np.random.default_rng(20261122)
    runs = 1000
    alarms = sum(
        bool({"faster", "slower"} & set(_verdicts([_sides(rng, spread, heavy=heavy) for _ in range(family)])))
        for _ in range(runs)
    )
    assert alarms <= 0.01 * runs


def test_without_correction_for_their_number_and_a_margin_there_would_be_many():
    # Shows that the test above can fail.
    rng = np.random.default_rng(20261122)
    alarms = sum(
        any(
            found.interval().low > 1 or found.interval().high < 1
            for found in (difference(*_sides(rng, 0.02)) for _ in range(10))
        )
        for _ in range(200)
    )
    assert alarms > 0.2 * 200


@pytest.mark.parametrize(("effect", "word"), [(0.1, "slower"), (1 / 1.1 - 1, "faster")])
def test_a_tenth_is_found_in_both_directions(effect, word):
    rng = np.random.default_rng(1)
    found = [_verdicts([_sides(rng, 0.01, effect)]) for _ in range(300)]
    assert sum(one == [word] for one in found) >= 0.97 * 300


def test_one_slow_case_among_twenty_is_found_and_named():
    rng = np.random.default_rng(2)
    found = [_verdicts([_sides(rng, 0.005, 0.1 if place == 7 else 0.0) for place in range(20)])[7] for _ in range(100)]
    assert found.count("slower") >= 95


def test_the_same_is_told_where_the_replicates_allow_it():
    rng = np.random.default_rng(3)
    found = [_verdicts([_sides(rng, 0.003)])[0] for _ in range(300)]
    assert found.count("same") >= 0.95 * 300


@pytest.mark.parametrize("effect", [0.02, 0.05])
def test_a_difference_of_the_margin_or_more_is_hardly_ever_called_the_same(effect):
    rng = np.random.default_rng(4)
    found = [_verdicts([_sides(rng, 0.005, effect)])[0] for _ in range(1000)]
    assert found.count("same") <= 0.03 * 1000


def test_the_interval_is_welchs():
    base, new = [1.0, 1.02, 0.99, 1.01, 1.0], [1.1, 1.3, 1.2]
    expected = scipy_stats.ttest_ind(np.log(new), np.log(base), equal_var=False).confidence_interval(0.95)
    found = difference(base, new).interval()
    assert (found.low, found.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
    back = difference(new, base).interval()
    assert (back.low, back.high) == pytest.approx((1 / found.high, 1 / found.low))


def test_the_verdict_is_that_of_the_interval_at_its_level():
    # At exactly the level of false alarms the interval touches the margin.
    found = Difference(log=0.2, error=0.03, degrees=9.0)
    margin = math.expm1(0.2 - 0.03 * scipy_stats.t.ppf(1 - FALSE_ALARMS / 2, 9))
    assert chance(found, margin) == pytest.approx(FALSE_ALARMS)
    assert verdict(found, FALSE_ALARMS * 0.999, margin) == "slower"
    assert verdict(found, FALSE_ALARMS * 1.001, margin) == "inconclusive"


def test_holm_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("base", "new", "reason"),
    [
        ([1.0], [1.0, 1.1], "1 replicate in BASE"),
        ([1.0, 1.1], [], "no replicate in NEW"),
        ([1.0, 1.0], [1.0, 1.1], "zero variance in BASE"),
        ([1.0, 1.1], [1.2, 1.2, 1.2], "zero variance in NEW"),
    ],
)
def test_what_has_no_spread_has_no_verdict(base, new, reason):
    assert reason in difference(base, new)
