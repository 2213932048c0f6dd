import pytest

from results.storage.reader import load
from results.storage.trainings import Trainings
from tests.trainings import made_end, made_epochs, made_training, made_trainings, training_header


@pytest.fixture
def file(tmp_path, make_case, make_run, write_run):
    """The run file of some lines of trainings."""

    def make(*bodies, **end):
        (read,) = load(write_run(tmp_path, statics=bodies, run=training_header(make_run), **end)).files
        return read

    return make


def test_a_file_of_trainings_only_is_complete_and_has_no_problem(file, make_case):
    read = file(*made_trainings(make_case, seeds=2))
    assert (read.complete, read.problems, read.notes) == (True, (), ())
    assert [len(read.bodies(kind)) for kind in ("training", "epoch", "training-end", "record")] == [2, 18, 2, 0]


def test_an_interrupted_run_says_how_many_trainings_came_to_their_end(file, make_case):
    second = made_training(make_case, 2, seed=1)
    lines = (*made_trainings(make_case, seeds=1), second, *made_epochs(second, last=3))
    for status in ("interrupted", None):
        read = file(*lines, status=status)
        assert not read.complete
        assert "1 of 2 trainings" in read.problems[0]
        read.path.unlink()


def test_a_complete_run_with_a_training_without_an_end_is_a_problem(file, make_case):
    (problem,) = file(made_training(make_case)).problems
    assert "0 of 1 trainings have an end" in problem


def test_an_epoch_of_an_unknown_training_is_a_problem_with_its_line(file, make_case):
    training = made_training(make_case)
    epoch, *_ = made_epochs(made_training(make_case, 7))
    (problem,) = file(training, *made_epochs(training), epoch, made_end(training)).problems
    assert "line 12: belongs to training 7" in problem


def test_a_missing_epoch_is_a_problem_and_a_repeated_one_is_not(make_case):
    training = made_training(make_case)
    epochs = list(made_epochs(training))
    trainings = Trainings()
    for body in (training, *epochs[:3], made_end(training, "interrupted", epochs=3), *epochs[1:]):
        assert trainings.misplaced(body) is None
        trainings.take(body)
    assert (trainings.started, trainings.ended) == (1, 0)  # it went on after the interruption
    trainings.take(made_end(training))
    assert trainings.ended == 1
    skipping = Trainings()
    skipping.take(training)
    assert "follows epoch 0" in skipping.misplaced(epochs[1])
    assert "a second training 1" in skipping.misplaced(training)
