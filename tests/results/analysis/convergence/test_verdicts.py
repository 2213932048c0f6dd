import pytest
from msgspec import structs

from results.analysis.convergence.verdicts import compare_trainings
from results.errors import InputError
from tests.trainings import degradation, made_end, made_epochs, made_training, made_trainings


def verdicts(comparison):
    return [judged.verdict for judged in comparison.judged]


@pytest.fixture
def sides(loaded):
    """Two sides of five seeds, of which the new has `options`."""

    def make(**options):
        return loaded(name="base", recipe="fast"), loaded(name="new", **{"recipe": "other", **options})

    return make


def test_a_slower_and_worse_recipe_is_called_that(sides):
    comparison = compare_trainings(*sides(epoch_s=100.0, final=0.915), accuracy=0.90, margin=0.02)
    assert verdicts(comparison) == ["slower", "worse"]
    assert comparison.outcome == "regression"
    time, accuracy = comparison.judged
    assert time.low < time.change < time.high
    assert time.change > 1.5
    assert accuracy.low < accuracy.change < 0
    assert (time.base_recipe, time.new_recipe, time.accuracy) == ("fast", "other", 0.90)


def test_a_faster_and_better_recipe_passes(sides):
    comparison = compare_trainings(*sides(epoch_s=20.0, final=0.945), accuracy=0.90)
    assert (verdicts(comparison), comparison.outcome) == (["faster", "better"], "pass")


def test_equal_recipes_are_no_regression_and_an_epoch_is_the_finest_time(sides):
    base, new = sides(recipe="fast")
    comparison = compare_trainings(base, new)
    time, accuracy = comparison.judged
    assert time.verdict == "inconclusive"
    assert "an epoch takes" in time.reason
    assert accuracy.verdict == "same"
    assert comparison.outcome == "inconclusive"
    wide = compare_trainings(base, new, margin=0.5)
    assert (verdicts(wide), wide.outcome) == (["same", "same"], "pass")


def test_a_single_seed_has_no_verdict_and_names_the_remedy(sides):
    comparison = compare_trainings(*sides(seeds=1, epoch_s=500.0))
    assert verdicts(comparison) == ["inconclusive", "inconclusive"]
    assert all("--seeds" in judged.reason for judged in comparison.judged)


def test_where_all_of_a_side_reach_it_and_none_of_the_other_does_that_is_slower(sides):
    comparison = compare_trainings(*sides(seeds=6, final=0.90), accuracy=0.92)
    time, accuracy = comparison.judged
    assert (time.verdict, time.test, time.base_reached, time.new_reached) == ("slower", "ranks", 5, 0)
    assert (time.new, time.change) == (None, None)
    assert accuracy.verdict == "worse"


def test_too_few_seeds_that_never_arrive_show_nothing(loaded):
    base, new = loaded(name="base", seeds=3), loaded(name="new", seeds=3, final=0.90)
    time, _ = compare_trainings(base, new, accuracy=0.92).judged
    assert (time.verdict, time.test) == ("inconclusive", "ranks")


def test_where_nobody_reaches_it_a_lower_accuracy_is_advised(sides):
    time, _ = compare_trainings(*sides(), accuracy=0.99).judged
    assert time.verdict == "inconclusive"
    assert "lower accuracy" in time.reason


def test_a_training_that_diverged_ranks_last_on_both_quantities(loaded, make_case):
    lines = []
    for seed in range(8):
        training = made_training(make_case, seed + 1, seed=seed)
        lines += [training, *made_epochs(training, last=1), made_end(training, "diverged", epochs=1)]
    comparison = compare_trainings(loaded(name="base", seeds=8), loaded(*lines, name="new"), accuracy=0.92)
    assert verdicts(comparison) == ["slower", "worse"]


def test_a_training_that_was_cut_off_forbids_a_verdict(loaded, make_case):
    training = made_training(make_case, 9, seed=9)
    cut = (training, *made_epochs(training, last=3), made_end(training, "interrupted", epochs=3))
    slow = made_trainings(make_case, seeds=5, epoch_s=500.0)
    comparison = compare_trainings(loaded(name="base"), loaded(*slow, *cut, name="new"), accuracy=0.90)
    assert set(verdicts(comparison)) == {"inconclusive"}
    assert all("1 of 6 trainings in NEW" in judged.reason for judged in comparison.judged)


def test_other_data_are_not_judged(sides):
    comparison = compare_trainings(*sides(data_digest="e" * 64, final=0.8))
    assert set(verdicts(comparison)) == {"inconclusive"}
    assert all("other data" in judged.reason for judged in comparison.judged)


def test_on_other_hardware_only_accuracies_are_judged(loaded):
    base = loaded(name="base")
    machine = {"environment": structs.replace(base.files[0].run.environment, usable_cores=1)}
    comparison = compare_trainings(base, loaded(name="new", machine=machine, final=0.91, epoch_s=500.0))
    assert verdicts(comparison) == ["inconclusive", "worse"]
    assert "other hardware" in comparison.judged[0].reason
    assert comparison.environment


def test_several_networks_are_compared_each_with_itself(loaded, make_case):
    base, new = (loaded(*degradation(make_case), name=name) for name in ("base", "new"))
    comparison = compare_trainings(base, new)
    assert [judged.model for judged in comparison.judged][::2] == [
        "cifar_plain20",
        "cifar_plain56",
        "cifar_resnet20",
        "cifar_resnet56",
    ]
    alone = compare_trainings(base, loaded(name="alone", model="cifar_plain20", recipe="he2015-cifar"))
    assert "cifar_plain56 with he2015-cifar on fashion-mnist is only in BASE" in alone.reasons
    assert alone.outcome != "pass"


def test_problems_of_a_file_and_no_common_training_forbid_a_pass(loaded, make_case):
    base = loaded(*degradation(make_case), name="base")
    torn = loaded(*made_trainings(make_case, recipe="none", model="wide"), name="torn", status=None)
    comparison = compare_trainings(base, torn)
    assert comparison.judged == ()
    assert comparison.outcome == "inconclusive"
    assert "no training is on both sides" in comparison.reasons
    assert any("no end line" in reason for reason in comparison.reasons)


def test_bad_margins_accuracies_and_the_same_run_are_refused(sides):
    base, new = sides()
    for bad in ({"margin": 0.0}, {"accuracy": 93.0}, {"accuracy_margin": 2.0}):
        with pytest.raises(InputError):
            compare_trainings(base, new, **bad)
    with pytest.raises(InputError, match="both sides"):
        compare_trainings(base, base)
