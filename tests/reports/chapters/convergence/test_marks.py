from reports.chapters.convergence.frame import recipes, times
from reports.chapters.convergence.marks import (
    FINAL_COLUMNS,
    TIME_COLUMNS,
    final_marks,
    of_finals,
    of_times,
    time_marks,
)
from reports.style.columns import table
from tests.trainings import made_end, made_epochs, made_training, made_trainings


def first_target(source):
    frame = times(source)
    return frame[frame["rank"].eq(0)]


def texts(frame, columns):
    made = table(frame, tuple(columns), columns)
    return dict(zip(made.names, (cell.text for cell in made.rows[0]), strict=True))


def test_a_recipe_is_a_mark_with_its_interval_and_a_circle_a_seed(source):
    frame = first_target(source(seeds=4, final=0.934))
    circles, mark = time_marks(frame).data
    assert len(circles.x) == 4
    assert min(circles.x) <= mark.x[0] <= max(circles.x)
    assert mark.error_x.array[0] > 0
    assert of_times(frame).startswith("To 93 % validation accuracy: cifar_resnet20 · fast in ")
    shown = texts(frame, TIME_COLUMNS)
    assert shown["reached"] == "4 of 4"
    assert "energy_j" not in shown


def test_where_not_all_seeds_reached_it_there_is_no_mean(source, make_case):
    bad = made_training(make_case, 9, seed=9)
    frame = first_target(source(*made_trainings(make_case, seeds=2), bad, made_end(bad, "diverged", epochs=0)))
    figure = time_marks(frame)
    assert len(figure.data) == 1
    assert figure.layout.annotations[0].text == "2 of 3 seeds"
    assert "with 2 of 3 seeds only" in of_times(frame)
    shown = texts(frame, TIME_COLUMNS)
    assert shown["reached"] == "2 of 3"


def test_final_accuracies_stand_beside_what_the_recipe_expects(source):
    frame = recipes(source(seeds=3, joules=5.0))
    circles, mark, expected = final_marks(frame).data
    assert len(circles.x) == 3
    assert 92 < mark.x[0] < 94
    assert list(expected.x) == [93.0]
    said = of_finals(frame)
    assert said.startswith("On fashion-mnist, cifar_resnet20 · fast ends at 93.")
    assert "(3 seeds)" in said
    assert said.endswith("(a plain loop, one seed).")
    assert texts(frame, FINAL_COLUMNS)["ends"] == "3 ok"


def test_the_best_of_several_is_named_and_an_expectation_is_optional(source, make_case):
    other = made_trainings(make_case, seeds=1, number=3, recipe="other", final=0.945, expected=None)
    frame = recipes(source(*made_trainings(make_case, seeds=2), *other))
    said = of_finals(frame)
    assert said.startswith("On fashion-mnist, other has the highest final accuracy, 94.")
    assert said.endswith("(one seed, by its images).")
    assert len(final_marks(frame).data) == 5  # two recipes with their seeds, and one expectation


def test_without_a_finished_training_there_is_no_final_accuracy(source, make_case):
    bad = made_training(make_case)
    frame = recipes(source(bad, *made_epochs(bad, last=1), made_end(bad, "diverged", epochs=1)))
    assert of_finals(frame) == "No training came to its end."
