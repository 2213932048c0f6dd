import csv
import io
import json

import pytest
from msgspec import structs

from reports.text.convergence.trainings import accuracy_points, seconds_text, trainings_text
from results.analysis.convergence.frames import TRAINING_COLUMNS
from results.errors import InputError
from results.storage.reader import Records, load
from tests.trainings import made_end, made_epochs, made_training, made_trainings, training_header, write_trainings


@pytest.fixture
def records(tmp_path, make_case, make_run):
    bad = made_training(make_case, 9, seed=9, notes=("a 7×7 stem on 28 pixels",))
    lines = (*made_trainings(make_case, seeds=3), bad, *made_epochs(bad, last=1), made_end(bad, "diverged", epochs=1))
    return load(write_trainings(tmp_path, training_header(make_run), lines))


def test_a_row_is_a_recipe_with_its_seeds_and_what_must_be_known_stands_below(records):
    text = trainings_text(records, "table")
    head, _, row, *below = text.splitlines()
    assert head.split()[:4] == ["model", "recipe", "data", "seeds"]
    assert row.startswith("cifar_resnet20   fast")
    assert "3 of 4" in row
    assert "3 of 4 ≥ 93 %" in row
    assert " ± 0." in row
    assert any("93 % expected (a plain loop, one seed)" in line for line in below)
    assert any("seed 9: diverged: the loss became NaN" in line for line in below)
    assert "warning: a 7×7 stem on 28 pixels" in below


def test_the_accuracy_is_chosen(records):
    assert "≥ 80 %" in trainings_text(records, "table", 0.8)
    with pytest.raises(InputError):
        trainings_text(records, "table", 2.0)


def test_json_and_csv_are_exact_and_whole(records):
    (row,) = json.loads(trainings_text(records, "json"))
    assert tuple(row) == TRAINING_COLUMNS
    assert (row["reached"], row["never"], row["time_s"]) == (3, 1, None)
    (line,) = csv.DictReader(io.StringIO(trainings_text(records, "csv")))
    assert float(line["accuracy"]) == row["accuracy"]


def test_markdown_is_a_table(records):
    assert trainings_text(records, "markdown").startswith("| model | recipe |")


def test_without_trainings_there_is_no_text_and_formats_are_checked(records):
    assert trainings_text(Records(()), "table") == ""
    with pytest.raises(InputError, match="unknown format"):
        trainings_text(records, "xml")


def test_what_is_missing_is_a_dash():
    nothing = dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"))
    assert accuracy_points(nothing) == "-"
    assert accuracy_points({**nothing, "accuracy": 0.9}) == "90.00"
    assert seconds_text(None, None, None) == "-"
    assert seconds_text(100.0, 90.0, 111.0) == "100 ± 11 %"


def test_a_training_that_somebody_stopped_at_an_accuracy_says_so(tmp_path, make_case, make_run):
    training = made_training(make_case)
    end = structs.replace(made_end(training, "stopped early", epochs=4), cause="it reached 0.9, as was asked")
    path = write_trainings(tmp_path, training_header(make_run), (training, *made_epochs(training, last=4), end))
    assert "seed 0: stopped early: it reached 0.9, as was asked" in trainings_text(load(path), "table")
