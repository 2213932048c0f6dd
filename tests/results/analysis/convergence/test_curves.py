import math

import pytest
from msgspec import structs

from results.analysis.convergence.curves import check_accuracy, common_accuracy, curve_groups, curves
from results.errors import InputError
from tests.trainings import made_end, made_epochs, made_training, made_trainings


def test_a_curve_is_a_training_with_its_epochs_and_its_end(loaded):
    made = curves(loaded(seeds=2))
    assert [curve.training.seed for curve in made] == [0, 1]
    assert [epoch.epoch for epoch in made[1].epochs] == list(range(1, 10))
    assert {curve.status for curve in made} == {"ok"}
    assert made[0].final is made[0].epochs[-1]


def test_of_epochs_that_were_trained_again_after_a_break_the_last_counts(loaded, make_case):
    training = made_training(make_case)
    again = [structs.replace(epoch, train_loss=9.0) for epoch in made_epochs(training, first=3)]
    first = (*made_epochs(training, last=4), made_end(training, "interrupted", epochs=4))
    (curve,) = curves(loaded(training, *first, *again, made_end(training)))
    assert [epoch.epoch for epoch in curve.epochs] == list(range(1, 10))
    assert [epoch.train_loss == 9.0 for epoch in curve.epochs] == [False] * 2 + [True] * 7
    assert curve.status == "ok"


def test_the_final_accuracy_is_the_last_not_the_best(loaded, make_case):
    training = made_training(make_case)
    *epochs, last = made_epochs(training)
    worse = structs.replace(last, validation_accuracy=0.5, validation_correct=5_000)
    (curve,) = curves(loaded(training, *epochs, worse, made_end(training)))
    assert curve.final.validation_accuracy == 0.5


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ('[early_stopping]\nmonitor = "accuracy"\n', 2),
        ('[early_stopping]\nmonitor = "loss"\n', 3),
        ("", 5),
        ("no TOML", 5),
    ],
)
def test_where_early_stopping_chose_its_epoch_is_the_final_one(loaded, make_case, text, epoch):
    training = made_training(make_case, recipe_text=text)
    epochs = list(made_epochs(training, last=5))
    epochs[1] = structs.replace(epochs[1], validation_accuracy=0.99, validation_correct=9_900)
    epochs[2] = structs.replace(epochs[2], validation_loss=0.01)
    (curve,) = curves(loaded(training, *epochs, made_end(training, "stopped early", epochs=5)))
    assert curve.final.epoch == epoch


def test_early_stopping_chose_its_epoch_though_the_training_came_to_its_last(loaded, make_case):
    training = made_training(make_case, recipe_text='[early_stopping]\nmonitor = "accuracy"\n')
    epochs = list(made_epochs(training))
    epochs[1] = structs.replace(epochs[1], validation_accuracy=0.99, validation_correct=9_900)
    (curve,) = curves(loaded(training, *epochs, made_end(training)))
    assert (curve.final.epoch, curve.cut_short) == (2, False)


def test_what_a_training_that_was_stopped_at_an_accuracy_would_have_reached_is_not_known(loaded, make_case):
    training = made_training(make_case)
    (curve,) = curves(loaded(training, *made_epochs(training, last=3), made_end(training, "stopped early", epochs=3)))
    assert (curve.cut_short, curve.time_to(0.95)) == (True, None)
    assert curve.time_to(0.5) == curve.epochs[0].elapsed_s
    patient = made_training(make_case, recipe_text="[early_stopping]\npatience = 2\n")
    worse = [structs.replace(epoch, validation_loss=float(epoch.epoch)) for epoch in made_epochs(patient, last=3)]
    (curve,) = curves(loaded(patient, *worse, made_end(patient, "stopped early", epochs=3), name="patient"))
    assert (curve.cut_short, curve.time_to(0.95)) == (False, math.inf)
    whole = (*made_epochs(training), made_end(training, "stopped early"))  # at the last epoch, so nothing is cut
    (curve,) = curves(loaded(training, *whole, name="whole"))
    assert (curve.cut_short, curve.time_to(0.99)) == (False, math.inf)


def test_the_time_to_an_accuracy_ends_with_the_first_epoch_that_has_it(loaded):
    (curve,) = curves(loaded(seeds=1))
    second = curve.epochs[1]
    assert curve.time_to(second.validation_accuracy) == second.elapsed_s
    assert curve.before(second) is curve.epochs[0]
    assert curve.before(curve.epochs[0]) is None
    assert curve.time_to(0.99) == math.inf


@pytest.mark.parametrize(("status", "time"), [("diverged", math.inf), ("interrupted", None), ("error", None)])
def test_what_a_training_without_its_end_would_have_reached_is_not_known(loaded, make_case, status, time):
    training = made_training(make_case)
    (curve,) = curves(loaded(training, *made_epochs(training, last=2), made_end(training, status, epochs=2)))
    assert curve.time_to(0.92) == time
    assert curve.time_to(0.5) == curve.epochs[0].elapsed_s
    assert curve.final is None


def test_a_training_that_was_cut_off_is_unfinished(loaded, make_case):
    training = made_training(make_case)
    (curve,) = curves(loaded(training, *made_epochs(training, last=2), status=None))
    assert (curve.status, curve.final, curve.time_to(0.92)) == ("unfinished", None, None)


def test_seeds_of_a_recipe_are_a_group_and_others_are_not(loaded, make_case):
    two = made_trainings(make_case, seeds=2)
    slow = made_trainings(make_case, seeds=3, number=3, recipe="slow")
    digits = made_trainings(make_case, seeds=1, number=6, data="digits")
    groups = curve_groups(curves(loaded(*two, *slow, *digits)))
    assert [(group.training.recipe, len(group.curves)) for group in groups] == [("fast", 2), ("slow", 3), ("fast", 1)]


def test_of_trainings_with_the_same_seed_the_last_that_ended_counts(loaded, make_case):
    first = made_trainings(make_case, seeds=1, final=0.91)
    second = made_trainings(make_case, seeds=1, number=2, final=0.93)
    third = made_training(make_case, 3)
    (group,) = curve_groups(curves(loaded(*first, *second, third, made_end(third, "error", epochs=0))))
    (curve,) = group.curves
    assert curve.training.number == 2


def test_machines_are_groups_of_their_own(loaded):
    here = curves(loaded(name="a"))
    there = curves(loaded(name="b", machine={"environment": structs.replace(here[0].run.environment, cpu="Other")}))
    assert [group.machine for group in curve_groups([*here, *there])] == ["AMD EPYC 9B14, 2 cores", "Other, 2 cores"]


def test_seeds_are_replicates_only_with_the_same_torch_and_the_same_determinism(loaded, make_case):
    first = curves(loaded(seeds=2, name="a"))
    environment = structs.replace(first[0].run.environment, torch="1.0.0")
    other = curves(loaded(seeds=2, name="b", machine={"environment": environment}))
    strict = curves(loaded(made_training(make_case, seed=7, deterministic=True), name="c"))
    assert [len(group.curves) for group in curve_groups([*first, *other, *strict])] == [2, 2, 1]


def test_the_common_accuracy_is_the_highest_that_all_finished_trainings_reached(loaded, make_case):
    diverged = made_training(make_case, 20, seed=9)
    lines = (diverged, *made_epochs(diverged, final=0.5, last=1), made_end(diverged, "diverged", epochs=1))
    groups = curve_groups(curves(loaded(*made_trainings(make_case, seeds=3, final=0.9333), *lines)))
    assert common_accuracy(groups) == 0.93
    assert common_accuracy([]) is None


@pytest.mark.parametrize("accuracy", [0.0, 1.1, -1, math.nan])
def test_an_accuracy_is_a_share(accuracy):
    check_accuracy(1.0)
    with pytest.raises(InputError, match="is 93 %"):
        check_accuracy(accuracy)
