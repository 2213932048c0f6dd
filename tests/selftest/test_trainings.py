import numpy as np
import pytest

from tests.selftest.trainings import RECIPES, TARGET, group, verdicts

RUNS = 60


def test_the_target_is_reached_at_the_end_of_the_fifth_epoch():
    rng = np.random.default_rng(1)
    made = group(*RECIPES["between two epochs"](rng, 20))
    assert {curve.first(TARGET).epoch for curve in made.curves} == {5, 6}


@pytest.mark.parametrize("name", RECIPES)
def test_equal_recipes_give_hardly_any_alarm(name):
    rng = np.random.default_rng(2)
    draw = RECIPES[name]
    found = [verdicts(group(*draw(rng, 5)), group(*draw(rng, 5)), 0.0, 0.0) for _ in range(RUNS)]
    alarms = sum(any(verdict not in {"same", "inconclusive"} for verdict in pair) for pair in found)
    assert alarms <= 3  # of 60, where a chance of 1 % gives 4 or more once in 300 times


def test_a_real_difference_shows():
    rng = np.random.default_rng(3)
    base, (accuracies, seconds) = group(*RECIPES["normal"](rng, 8)), RECIPES["normal"](rng, 8)
    assert verdicts(base, group(accuracies - 0.02, 3 * seconds)) == ["slower", "worse"]
    assert verdicts(base, group(accuracies + 0.02, seconds / 3)) == ["faster", "better"]
