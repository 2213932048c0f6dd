from pathlib import Path

from msgspec import structs

from bench.schedule.progress import Note, Planned, Progress
from bench.schedule.training.lines import TrainingLines
from results.schema.lines.training import TrainingEnd
from tests.bench.trainees import make_epoch, make_training


def lines_of(events):
    lines = TrainingLines()
    return [lines.of(event) for event in events]


def test_a_line_for_each_beginning_epoch_and_end(make_run):
    training = make_training(2, seed=1)
    epoch = structs.replace(
        make_epoch(training, 2), train_loss=0.5, validation_accuracy=0.9125, data_s=10, compute_s=50, elapsed_s=125
    )
    progress = Progress(phase="training", case="x", done=1, total=3, seconds_left=65.0)
    end = TrainingEnd(training=2, status="diverged", cause="the loss was nan", epochs=2)
    planned = Planned(run=make_run(settings=None), path=Path("runs/x.jsonl"), trainings=(make_training(1), training))
    lines = lines_of([planned, training, Note("a note"), progress, epoch, end])
    assert lines[0] == "2 to train, into runs/x.jsonl"
    assert lines[1].startswith(
        "[2/2] cifar_resnet20, seed 1: 60,000 images of fashion-mnist, 3 epochs of fast, cifar_resnet20/training/"
    )
    assert lines[1].endswith("; published: 93.00% (a plain loop, one seed)")
    name = "[2/2] cifar_resnet20, seed 1"
    assert lines[2:] == [
        "a note",
        None,
        f"{name}: epoch 2/3: loss 0.5, validation 91.25%, 1,000 img/s, 2 min 05 s, about 1 min 05 s left",
        f"{name}: diverged after 2 epochs: the loss was nan",
    ]


def test_no_name_steers_the_terminal(make_run):
    training = make_training(data="\x1b[2J\u202ebad\nline")
    planned = Planned(run=make_run(settings=None), path=Path("x\n.jsonl"), trainings=(training,))
    lines = lines_of([planned, training, Note("\x1b[2J")])
    assert all(line.isprintable() for line in lines)


def test_what_was_left_of_an_earlier_training_is_not_said_of_the_next(make_run):
    first, second = make_training(1), make_training(2, seed=1)
    planned = Planned(run=make_run(settings=None), path=Path("x"), trainings=(first, second))
    progress = Progress(phase="training", case="x", done=1, total=3, seconds_left=65.0)
    *_, line = lines_of([planned, first, progress, second, make_epoch(second, 1)])
    assert "left" not in line
