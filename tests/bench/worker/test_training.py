import dataclasses

import pytest
import torch

from bench.process.training.messages import (
    BeginTraining,
    DataChoice,
    PlanTrainings,
    SaveNetwork,
    SaveTraining,
    TrainingChoice,
    TrainOn,
)
from bench.worker.serve import WorkerServer
from bench.worker.training import decoding_note
from resnet.classifier import Classifier
from resnet.data import FileSplit, load_data
from resnet.storage.saved import read_network
from results.errors import InputError
from results.schema.lines.training import Epoch

pytest.importorskip("sklearn")
DATA = DataChoice(name="digits", limit=96)
CHOICE = TrainingChoice(models=("cifar_resnet20",), seeds=(3,), data=DATA, epochs=2, batch_size=48, deterministic=True)


@pytest.fixture(autouse=True)
def settings():
    """Leave torch as it was for other tests."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def planned(**changes):
    choice = dataclasses.replace(CHOICE, **changes)
    return WorkerServer().plan_trainings(PlanTrainings(choice=choice, device="cpu", threads=1)).trainings


def begun(training, tmp_path, checkpoint=None):
    worker = WorkerServer()
    request = BeginTraining(
        training=training,
        data=DATA,
        workers=0,
        checkpoint=checkpoint,
        cache=str(tmp_path),
        token="mine",  # noqa: S106
    )
    return worker, worker.begin_training(request)


def epochs(worker, seconds=100.0):
    """Train to the end; return the epochs and the last answer."""
    finished = []
    while (state := worker.train_on(TrainOn(seconds=seconds))).ended is None:
        finished += [state.finished] if state.finished else []
    return finished, state


def test_a_training_from_plan_to_network(tmp_path):
    (training,) = planned()
    worker, begin = begun(training, tmp_path)
    assert (worker.token, begin.epochs, begin.identity) == ("mine", 0, None)
    finished, end = epochs(worker)
    assert [epoch.epoch for epoch in finished] == [1, 2]
    assert all(isinstance(epoch, Epoch) and epoch.training == 1 for epoch in finished)
    assert finished[0].images == 96
    assert (end.ended, end.cause) == ("ok", None)
    path = tmp_path / "network.safetensors"
    assert worker.save_network(SaveNetwork(path=str(path))).size == path.stat().st_size
    network, facts = read_network(path)
    assert facts.classes == tuple("0123456789")
    assert facts.image_size == 8
    assert network.config.in_channels == 1


def test_a_restored_training_ends_with_the_same_weights(tmp_path):
    (training,) = planned()
    networks = []
    for name, interrupted in (("whole", False), ("broken", True)):
        worker, _ = begun(training, tmp_path)
        if interrupted:
            worker.train_on(TrainOn(seconds=1e-9))  # a step of the two of an epoch
            worker.save_training(SaveTraining(path=str(tmp_path / "state")))
            worker, begin = begun(training, tmp_path, str(tmp_path / "state"))
            assert begin.epochs == 0
        epochs(worker)
        worker.save_network(SaveNetwork(path=str(tmp_path / name)))
        networks.append(read_network(tmp_path / name)[0].state_dict())
    whole, broken = networks
    assert all(torch.equal(tensor, broken[name]) for name, tensor in whole.items())


def test_an_answer_comes_after_a_step_at_the_latest(tmp_path):
    worker, _ = begun(planned()[0], tmp_path)
    states = [worker.train_on(TrainOn(seconds=1e-9)) for _ in range(3)]
    assert [(state.epoch, state.step, state.steps) for state in states] == [(1, 1, 2), (1, 2, 2), (1, 2, 2)]
    assert states[0].images_per_s > 0
    assert states[2].finished.epoch == 1


def test_a_loss_that_is_no_number_ends_the_training(tmp_path):
    recipe = tmp_path / "wild.toml"
    recipe.write_text("epochs = 3\nlearning_rate = 1e30\nbatch_size = 48\n")
    worker, _ = begun(planned(recipe=str(recipe))[0], tmp_path)
    _, end = epochs(worker)
    assert end.ended == "diverged"
    assert "learning rate" in end.cause


def test_images_that_changed_are_refused(tmp_path):
    (training,) = planned()
    with pytest.raises(InputError, match="have changed"):
        WorkerServer().begin_training(
            BeginTraining(
                training=training,
                data=DataChoice(name="digits", limit=64),
                workers=0,
                checkpoint=None,
                cache=str(tmp_path),
                token="mine",  # noqa: S106
            )
        )


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    worker, _ = begun(planned()[0], tmp_path)
    worker.train_on(TrainOn(seconds=1e-9))
    worker.save_training(SaveTraining(path=str(tmp_path / "state")))
    with pytest.raises(InputError, match="another training"):
        begun(planned(models=("cifar_plain20", "cifar_resnet32"))[1], tmp_path, str(tmp_path / "state"))


def test_a_training_that_is_stopped_at_an_accuracy_saves_what_was_validated(tmp_path):
    recipe = tmp_path / "average.toml"
    values = ("epochs = 3", "learning_rate = 0.1", "batch_size = 48", 'average = "ema"')
    recipe.write_text("\n".join((*values, "progressive_sizes = [0.75, 1, 1]")))
    worker, _ = begun(planned(recipe=str(recipe), epochs=None)[0], tmp_path)
    epoch = worker.train_on(TrainOn(seconds=100.0)).finished
    path = tmp_path / "network.safetensors"
    worker.save_network(SaveNetwork(path=str(path)))
    classifier = Classifier.load(path)
    assert classifier.image_size == 6
    assert classifier.evaluate(worker._data).correct == epoch.validation_correct


def test_without_finite_weights_there_is_no_checkpoint(tmp_path):
    worker, _ = begun(planned()[0], tmp_path)
    with torch.no_grad():
        next(worker._network.parameters()).fill_(torch.nan)
    assert worker.save_training(SaveTraining(path=str(tmp_path / "state"))).size == 0
    assert not (tmp_path / "state").exists()


def test_files_that_are_decoded_between_steps_are_noted():
    memory = load_data("fake", image_size=8, limit=8)
    split = FileSplit(paths=("a.png", "b.png"), labels=torch.tensor([0, 1]))
    files = dataclasses.replace(memory, train=split, validation=split)
    assert "--workers" in decoding_note(files, 0)
    assert (decoding_note(files, 2), decoding_note(memory, 0)) == (None, None)
