import pytest

from bench.process.forkserver import WorkerDied
from bench.process.training.client import TrainingClient
from bench.process.training.messages import DataChoice
from bench.schedule.progress import Note, Progress
from bench.schedule.training.plan import TrainingFiles, TrainingPlan
from bench.schedule.training.session import SAVE_S, TrainingSession
from results.errors import InputError
from results.schema.lines.training import Epoch, TrainingEnd
from tests.bench.fakes import FakeServer
from tests.bench.trainees import Trainee, make_training


class Clock:
    """Moves on with each reading."""

    def __init__(self, step=1.0):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture
def files(tmp_path):
    files = TrainingFiles(tmp_path / "run.jsonl")
    files.folder.mkdir()
    return files


@pytest.fixture
def train(files, tmp_path):
    """Train to the end, and return the events, the progress left out."""

    def train(script=lambda verb, case, server: None, *, halt=lambda: None, clock=None, worker=Trainee, **plan):
        training = make_training()
        server = FakeServer(script, worker)
        client = TrainingClient(server, training, timeout_s=9)
        chosen = TrainingPlan(trainings=(training, make_training(2, seed=1)), data=DataChoice(name="digits"), **plan)
        session = TrainingSession(client, training, plan=chosen, files=files, halt=halt, clock=clock or Clock())
        return list(session.events(tmp_path))

    return train


def kept(events):
    return [event for event in events if not isinstance(event, Progress)]


def test_a_training_from_its_beginning_to_its_network(train, files):
    *events, end = kept(train())
    assert events[0] == Note("a note")
    assert [event.epoch for event in events[1:]] == [1, 2, 3]
    assert end == TrainingEnd(training=1, status="ok", epochs=3, checkpoint="run-1.safetensors")
    assert files.network(1).exists()
    assert not files.checkpoint(1).exists()


def test_progress_tells_what_is_left_of_all_trainings(train):
    states = [event for event in train(clock=Clock(0.5)) if isinstance(event, Progress)]
    assert states[0].seconds_left is None
    assert [state.done for state in states] == [0, 1, 1, 2, 2, 3]
    left = [state.seconds_left for state in states[1:]]
    assert left == sorted(left, reverse=True)
    assert left[-1] > 0  # the second training is still to come
    assert "100 img/s" in states[0].detail
    assert "loss 0.500" in states[0].detail


def test_a_checkpoint_is_written_at_each_epoch_and_each_minute(train):
    saves = []
    train(lambda verb, case, server: saves.append(verb))
    assert saves.count("save_training") == 3
    saves.clear()
    train(lambda verb, case, server: saves.append(verb), clock=Clock(SAVE_S))
    assert saves.count("save_training") == 6


def test_it_stops_at_the_accuracy_that_was_asked_for(train, files):
    *_, end = train(until=0.1)
    assert (end.status, end.epochs) == ("stopped early", 1)
    assert "0.1 on the validation images" in end.cause
    assert files.network(1).exists()


def test_what_halts_it_leaves_a_checkpoint_that_it_goes_on_from(train, files):
    asked = iter([None, None, "it was interrupted"])
    *events, end = kept(train(halt=lambda: next(asked)))
    assert end.status == "interrupted"
    assert end.epochs == 1
    assert end.checkpoint == "run.checkpoints/training-1.safetensors"
    again = kept(train())
    assert again[0].line == "cifar_resnet20, seed 0 goes on after 1 of 3 epochs"
    assert [event.epoch for event in (*events, *again) if isinstance(event, Epoch)] == [1, 2, 3]
    assert again[-1].status == "ok"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (WorkerDied("killed by SIGKILL", signal_number=9), "crash: killed by SIGKILL"),
        (WorkerDied("no answer within 9 s", hung=True), "timeout: no answer within 9 s"),
        ({"failed": "out-of-memory", "cause": "no room"}, "out-of-memory: no room"),
    ],
)
@pytest.mark.parametrize("verb", ["begin_training", "train_on", "save_training", "save_network"])
def test_what_goes_wrong_is_its_end(train, verb, answer, cause):
    *_, end = train(lambda asked, case, server: answer if asked == verb else None)
    assert (end.status, end.cause) == ("error", cause)


def test_a_checkpoint_that_cannot_be_written_leaves_the_earlier(train, files):
    refusal = {"failed": "error", "cause": "cannot save checkpoint: No space left on device"}
    train(halt=lambda: "enough")
    *_, end = train(lambda verb, case, server: refusal if verb == "save_training" else None)
    assert end.status == "error"
    assert "No space left" in end.cause
    assert end.checkpoint == files.name(files.checkpoint(1))


def test_a_training_that_diverges_has_no_network(train, files):
    answer = {"ended": "diverged", "cause": "the loss was nan in epoch 1", "finished": None}
    *_, end = train(lambda verb, case, server: answer if verb == "train_on" else None)
    assert (end.status, end.cause) == ("diverged", "the loss was nan in epoch 1")
    assert not files.network(1).exists()


def test_a_checkpoint_of_another_training_is_bad_input(train):
    train(halt=lambda: "enough")
    refusal = {"failed": "error", "cause": "cannot read checkpoint: it is of another training"}
    with pytest.raises(InputError, match="of another training"):
        train(lambda verb, case, server: refusal if verb == "begin_training" else None)
