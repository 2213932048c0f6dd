import pytest
from msgspec import to_builtins

from bench.process.forkserver import WorkerDied
from bench.process.protocol import Failed
from bench.process.training import client as clients
from bench.process.training.client import TrainingClient
from bench.process.training.messages import DataChoice
from tests.bench.fakes import FakeServer
from tests.bench.trainees import Trainee, make_epoch, make_training

DATA = DataChoice(name="digits")


class Meter:
    """Counts a joule more with each reading."""

    def __init__(self, counters):
        self.count = 0.0

    def restart(self):
        self.count = 0.0

    def tick(self):
        """It counts readings of the sum only."""

    def joules(self):
        self.count += 1
        return self.count, None


@pytest.fixture
def begin(tmp_path):
    def begin(script=lambda verb, case, server: None, checkpoint=None):
        client = TrainingClient(FakeServer(script, Trainee), make_training(), timeout_s=9)
        client.begin(DATA, workers=0, checkpoint=checkpoint, cache=str(tmp_path))
        return client

    return begin


def test_a_training_goes_on_epoch_by_epoch_to_its_end(begin):
    client = begin()
    states = [client.go_on(1.0) for _ in range(7)]
    assert [state.finished and state.finished.epoch for state in states] == [None, 1, None, 2, None, 3, None]
    assert [state.ended for state in states] == [None] * 6 + ["ok"]


def test_a_checkpoint_is_gone_on_from(begin, tmp_path):
    client = begin()
    client.go_on(1.0)
    client.save(str(tmp_path / "state"))
    again = begin(checkpoint=str(tmp_path / "state"))
    finished = again.go_on(1.0).finished
    assert finished.epoch == 1
    assert "checkpoint of an earlier process" in finished.nulls["energy_j"]


def test_an_epoch_without_energy_says_why(begin, monkeypatch):
    monkeypatch.setattr(clients, "cpu_counters", lambda: "there is no counter")
    client = begin()
    client.go_on(1.0)
    finished = client.go_on(1.0).finished
    assert finished.energy_j is None
    assert finished.nulls["energy_j"] == "there is no counter"


def test_the_energy_of_a_checkpoint_is_nobody_s(begin, tmp_path, monkeypatch):
    monkeypatch.setattr(clients, "EnergyMeter", Meter)
    client = begin()
    epochs = []
    for _ in range(4):
        state = client.go_on(1.0)
        if state.finished:
            epochs.append(state.finished.energy_j)
            client.save(str(tmp_path / "state"))
    assert epochs == [1.0, 1.0]  # each is read once; a count that went on would give 2


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (WorkerDied("no answer", hung=True), "timeout", "no answer"),
        (WorkerDied("killed by SIGSEGV", signal_number=11), "crash", "SIGSEGV"),
        ({"failed": "out-of-memory", "cause": "no room"}, "out-of-memory", "no room"),
        ({"steps": 0}, "error", "makes no sense"),
        ({"loss": float("nan")}, "error", "makes no sense"),
        ({"token": "another's"}, "error", "another case"),
    ],
)
def test_what_goes_wrong_is_a_failure(begin, answer, status, words):
    client = begin(lambda verb, case, server: answer if verb == "train_on" else None)
    with pytest.raises(Failed, match=words) as caught:
        client.go_on(1.0)
    assert caught.value.status == status


def test_an_epoch_of_another_training_is_no_answer(begin):
    other = {"finished": to_builtins(make_epoch(make_training(7), 1))}
    client = begin(lambda verb, case, server: other if verb == "train_on" else None)
    with pytest.raises(Failed, match="another training"):
        client.go_on(1.0)
