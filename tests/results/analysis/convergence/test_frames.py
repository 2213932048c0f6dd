import math

import pytest
from msgspec import structs

from results.analysis.convergence.curves import curve_groups, curves
from results.analysis.convergence.frames import (
    EPOCH_COLUMNS,
    TRAINING_COLUMNS,
    ends_text,
    epochs,
    same_data,
    trainings,
)
from results.errors import InputError
from results.statistics.seeds import wilson
from results.storage.reader import Records
from tests.trainings import IMAGES, made_end, made_epochs, made_training, made_trainings


def test_the_frame_of_epochs_has_a_row_an_epoch(loaded):
    frame = epochs(loaded(seeds=2, joules=40.0))
    assert tuple(frame.columns) == EPOCH_COLUMNS
    assert frame.groupby("seed").size().to_dict() == {0: 9, 1: 9}
    last = frame.iloc[8]
    assert (last["total_images"], last["total_energy_j"]) == (540_000, 360.0)
    assert last["train_error"] == 1 - last["train_accuracy"]
    interval = wilson(last["validation_correct"], IMAGES)
    assert (last["validation_low"], last["validation_high"]) == (interval.low, interval.high)
    assert last["model"] == "cifar_resnet20"


def test_a_missing_value_is_nan_and_has_its_reason(loaded):
    row = epochs(loaded(seeds=1)).iloc[0]
    assert math.isnan(row["energy_j"])
    assert row["nulls"]["energy_j"] == "this device has no counter"


def test_files_without_trainings_give_empty_frames_with_their_columns():
    assert tuple(epochs(Records(())).columns) == EPOCH_COLUMNS
    assert tuple(trainings(Records(())).columns) == TRAINING_COLUMNS


def test_a_row_of_trainings_is_the_seeds_of_a_recipe(loaded):
    (row,) = trainings(loaded(seeds=5)).to_dict("records")
    assert (row["seeds"], row["finished"], row["ends"], row["interval"]) == (5, 5, "5 ok", "seeds")
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert row["accuracy"] == pytest.approx(0.93, abs=0.003)
    assert row["expected_accuracy"] == 0.93
    assert row["seconds"] == pytest.approx(450, rel=0.05)
    assert row["images_per_s"] == pytest.approx(60_000 / 45, rel=0.05)
    assert row["data_s"] < row["compute_s"]
    assert row["peak_memory_bytes"] == 400_000_000
    assert math.isnan(row["energy_j"])
    assert row["nulls"]["energy_j"] == "this device has no counter"


def test_the_time_to_the_default_accuracy_is_known_as_all_seeds_reached_it(loaded):
    (row,) = trainings(loaded(seeds=6)).to_dict("records")
    assert (row["target"], row["reached"], row["never"]) == (0.925, 6, 0)
    assert row["time_low_s"] < row["time_s"] < row["time_high_s"]
    assert row["median_low_s"] <= row["median_s"] <= row["median_high_s"]


def test_a_single_seed_has_the_interval_of_its_images(loaded):
    (row,) = trainings(loaded(seeds=1)).to_dict("records")
    assert row["interval"] == "images"
    assert "not other seeds" in row["nulls"]["accuracy_seeds"]
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert math.isnan(row["time_low_s"])


def test_seeds_that_never_reached_it_leave_the_median_and_no_mean(loaded, make_case):
    late = made_trainings(make_case, seeds=2, final=0.93)
    never = []
    for number in (3, 4, 5):
        training = made_training(make_case, number, seed=number)
        never += [training, *made_epochs(training, final=0.90), made_end(training)]
    records = loaded(*late, *never)
    (row,) = trainings(records, 0.92).to_dict("records")
    assert (row["reached"], row["never"]) == (2, 3)
    assert math.isnan(row["time_s"])
    assert "2 of 5 seeds" in row["nulls"]["time_s"]
    assert math.isnan(row["median_s"])
    (row,) = trainings(records, 0.88).to_dict("records")
    assert row["reached"] == 5
    assert row["median_s"] > 0


def test_a_training_that_was_cut_off_leaves_no_median(loaded, make_case):
    cut = made_training(make_case, 4, seed=4)
    lines = (cut, *made_epochs(cut, last=1), made_end(cut, "interrupted", epochs=1))
    records = loaded(*made_trainings(make_case, seeds=3), *lines)
    (row,) = trainings(records, 0.92).to_dict("records")
    assert (row["reached"], row["never"]) == (3, 0)
    assert math.isnan(row["median_s"])
    assert "1 of 4 trainings ended before" in row["nulls"]["median_s"]
    (row,) = trainings(records, 0.5).to_dict("records")
    assert row["median_s"] > 0


def test_without_an_end_there_is_no_final_accuracy(loaded, make_case):
    training = made_training(make_case)
    (row,) = trainings(loaded(training, made_end(training, "diverged", epochs=0))).to_dict("records")
    assert math.isnan(row["accuracy"])
    assert "1 diverged" in row["nulls"]["accuracy"]
    assert math.isnan(row["target"])
    assert math.isnan(row["seconds"])
    assert "choose an accuracy" in row["nulls"]["time_s"]


def test_the_accuracy_is_checked(loaded):
    with pytest.raises(InputError):
        trainings(loaded(seeds=1), 93)


def test_groups_of_the_same_images_share_their_target(loaded, make_case):
    other = made_trainings(make_case, seeds=1, number=2, data="digits", final=0.99)
    groups = curve_groups(curves(loaded(*made_trainings(make_case, seeds=1), *other)))
    assert same_data(groups, groups[0]) == [groups[0]]
    assert ends_text(groups[0]) == "1 ok"


def test_an_unknown_memory_is_missing_not_zero(loaded, make_case):
    training = made_training(make_case)
    unknown = [structs.replace(epoch, peak_memory_bytes=None) for epoch in made_epochs(training)]
    (row,) = trainings(loaded(training, *unknown, made_end(training))).to_dict("records")
    assert math.isnan(row["peak_memory_bytes"])
    assert "peak_memory_bytes" in row["nulls"]
