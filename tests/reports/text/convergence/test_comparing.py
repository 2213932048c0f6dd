import csv
import io
import json

import pytest

from reports.text.convergence.comparing import training_comparison_text
from results.analysis.convergence.verdicts import compare_trainings
from results.storage.reader import load
from tests.trainings import made_trainings, training_header, write_trainings


@pytest.fixture
def comparison(tmp_path, make_case, make_run):
    def make(accuracy=0.9, **options):
        sides = [
            load(write_trainings(tmp_path, training_header(make_run, name), list(made_trainings(make_case, **own))))
            for name, own in (("a", {}), ("b", {"recipe": "other", **options}))
        ]
        return compare_trainings(*sides, accuracy=accuracy)

    return make


def test_both_quantities_stand_below_the_outcome(comparison):
    text = training_comparison_text(comparison(epoch_s=150.0, final=0.92), "table")
    first, *_, time, accuracy = text.splitlines()
    assert first.startswith("regression: 1 slower, 1 worse, at margins of 2 % of the time and 0.2 points of accuracy")
    assert "fast → other" in time
    assert "time to 90 %" in time
    assert "×" in time
    assert time.rstrip().endswith("slower")
    assert "-1." in accuracy
    assert accuracy.rstrip().endswith("worse")


def test_who_never_arrived_is_counted(comparison):
    *_, time, _ = training_comparison_text(comparison(0.92, final=0.85), "table").splitlines()
    assert "5 / 0 of 5" in time
    assert "not by all" in time


def test_json_and_csv_hold_the_rows(comparison):
    made = comparison(final=0.92)
    document = json.loads(training_comparison_text(made, "json"))
    assert document["outcome"] == "regression"
    assert document["judged"][1]["verdict"] == "worse"
    rows = list(csv.DictReader(io.StringIO(training_comparison_text(made, "csv"))))
    assert [row["quantity"] for row in rows] == ["time to accuracy", "final accuracy"]
    assert float(rows[1]["change"]) == document["judged"][1]["change"]
    assert training_comparison_text(made, "markdown").count("|") > 20
