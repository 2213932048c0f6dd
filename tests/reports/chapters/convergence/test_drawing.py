import pytest

from reports.chapters.convergence.drawing import (
    error_curves,
    error_table,
    last_values,
    of_validation,
    steps_of,
    validation_curves,
    validation_table,
)
from reports.chapters.convergence.frame import curve_points
from reports.figures.chart import MOST_DATA
from tests.trainings import made_end, made_epochs, made_training, made_trainings


@pytest.fixture
def lines(make_case):
    bad = made_training(make_case, 20, seed=7)
    lost = (bad, *made_epochs(bad, last=2), made_end(bad, "diverged", epochs=2))
    other = made_trainings(make_case, seeds=1, number=6, recipe="other", final=0.91)
    return (*made_trainings(make_case, seeds=3), *other, *lost)


def view(source, lines, against="epochs"):
    frame = curve_points(source(*lines))
    return frame[frame["against"].eq(against)]


def test_several_seeds_are_a_line_with_a_band_and_one_is_a_line(source, lines):
    figure = validation_curves(view(source, lines))
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert [trace.legendgroup for trace in bands] == ["fast"]
    mean = next(trace for trace in figure.data if trace.name == "fast")
    assert list(mean.x) == list(range(1, 10))
    assert 90 < mean.y[-1] < 95
    assert bands[0].y[8] >= mean.y[8] >= bands[0].y[9]


def test_a_seed_that_did_not_come_to_its_end_is_a_line_of_its_own_with_a_cross_at_its_end(source, lines):
    figure = error_curves(view(source, lines))
    lost = next(trace for trace in figure.data if trace.name == "fast, seed 7: diverged")
    assert list(lost.x) == [1, 2]
    assert list(lost.marker.size) == [0, 10]


@pytest.mark.parametrize(("against", "last"), [("images", 0.54), ("seconds", 450)])
def test_the_axis_is_what_the_view_shows(source, lines, against, last):
    figure = validation_curves(view(source, lines, against))
    mean = next(trace for trace in figure.data if trace.name == "fast")
    assert mean.x[-1] == pytest.approx(last, rel=0.05)


def test_a_mean_is_drawn_only_where_all_finished_seeds_are(source, make_case):
    short = made_training(make_case, 9, seed=9)
    stopped = (short, *made_epochs(short, last=5), made_end(short, "stopped early", epochs=5))
    rows = view(source, (*made_trainings(make_case, seeds=2), *stopped))
    assert [step.epoch for step in steps_of(rows, "train_error")] == [1, 2, 3, 4, 5]
    assert len(last_values(rows, "train_error")) == 3


def test_the_sentence_names_the_ends_of_all_and_the_seeds_that_were_lost(source, lines):
    said = of_validation(view(source, lines))
    assert "fast ends at 93." in said
    assert "other ends at 91." in said
    assert "(one seed)" in said
    assert said.endswith("But seed 7 of fast diverged.")


def test_without_a_finished_training_the_sentence_says_so(source, make_case):
    bad = made_training(make_case)
    rows = view(source, (bad, *made_epochs(bad, last=1), made_end(bad, "error", epochs=1)))
    assert of_validation(rows).startswith("No training came to its end.")
    assert validation_curves(rows).data
    assert validation_table(rows).rows == ()


def test_the_table_has_the_axis_of_the_view_and_is_cut(source, make_case):
    assert "epoch" in error_table(view(source, made_trainings(make_case, seeds=1))).heads
    table = validation_table(view(source, made_trainings(make_case, seeds=2, epochs=MOST_DATA + 50), "seconds"))
    assert table.heads[2] == "seconds"
    assert len(table.rows) == MOST_DATA
    assert table.rows[-1][1].text == str(MOST_DATA + 50)
