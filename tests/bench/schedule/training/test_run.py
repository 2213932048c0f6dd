import contextlib
import os
import signal

import msgspec
import pytest
from msgspec import structs

import results
from bench.process.forkserver import ServerLost, WorkerDied
from bench.process.training.messages import DataChoice, TrainingChoice
from bench.schedule import run as measuring
from bench.schedule.run import Interrupted, Stopped
from bench.schedule.training import run as runner
from bench.schedule.training.plan import TrainingFiles
from results.errors import InputError
from results.schema.lines.training import Epoch, Training
from tests.bench.fakes import FakeServer
from tests.bench.trainees import Trainee
from tests.conftest import _run

CHOICE = TrainingChoice(models=("cifar_plain20", "cifar_resnet20"), seeds=(0, 1), data=DataChoice(name="digits"))


class Worker(Trainee):
    def __init__(self):
        super().__init__({"environment": msgspec.to_builtins(_run().environment)})


@pytest.fixture
def serve(monkeypatch):
    """Let runs use workers that train made-up networks; `script` is that of `FakeServer`."""

    def serve(script=lambda verb, case, server: None):
        server = FakeServer(script, Worker)
        monkeypatch.setattr(runner, "ForkServer", lambda: contextlib.nullcontext(server))
        return server

    serve()
    return serve


class Shown:
    """Keeps what it is shown, and does something at an epoch."""

    def __init__(self, number=0, action=lambda: None):
        self.events, self.number, self.action = [], number, action

    def __call__(self, event):
        self.events.append(event)
        if len(self.of(Epoch)) == self.number and isinstance(event, Epoch):
            self.action()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def ends(file):
    return {end.training: end.status for end in file.bodies("training-end")}


def epochs(file):
    return [(epoch.training, epoch.epoch) for epoch in file.bodies("epoch")]


ALL = [(training, epoch) for training in (1, 2, 3, 4) for epoch in (1, 2, 3)]


def test_each_model_is_trained_with_each_seed(serve, tmp_path):
    server, shown = serve(), Shown()
    records = runner.train(CHOICE, device="cpu", out=tmp_path, show=shown)
    (file,) = records.files
    assert file.complete
    assert records.problems == ()
    trainings = file.bodies("training")
    assert [(training.case.model, training.seed) for training in trainings] == [
        ("cifar_plain20", 0),
        ("cifar_plain20", 1),
        ("cifar_resnet20", 0),
        ("cifar_resnet20", 1),
    ]
    assert all(training.started.endswith("Z") for training in trainings)
    assert epochs(file) == ALL
    assert ends(file) == dict.fromkeys((1, 2, 3, 4), "ok")
    assert shown.of(Training) == list(trainings)
    assert server.alive == []
    assert server.most_alive == 1
    names = sorted(path.name.removeprefix(file.run.id) for path in tmp_path.iterdir())
    assert names == ["-1.safetensors", "-2.safetensors", "-3.safetensors", "-4.safetensors", ".jsonl"]


def test_a_training_that_fails_costs_no_other(serve, tmp_path):
    trained = []

    def script(verb, case, server):
        trained.append(verb)
        third = verb == "train_on" and trained.count(verb) == 3
        return WorkerDied("killed by SIGSEGV", signal_number=11) if third else None

    serve(script)
    (file,) = runner.train(CHOICE, device="cpu", out=tmp_path).files
    assert not file.complete
    assert ends(file) == {1: "error", 2: "ok", 3: "ok", 4: "ok"}
    left = TrainingFiles(file.path).folder
    assert sorted(path.name for path in left.iterdir()) == ["plan.json", "training-1.safetensors"]
    serve()
    (after,) = runner.resume_training(file.path).files
    assert after.complete
    assert sorted(epochs(after)) == ALL
    assert ends(after) == dict.fromkeys((1, 2, 3, 4), "ok")
    assert not left.exists()


@pytest.mark.parametrize("answer", [{"failed": "error", "cause": "it was killed"}, WorkerDied("killed")])
def test_a_choice_that_makes_no_sense_is_bad_input_and_leaves_nothing(serve, tmp_path, answer):
    serve(lambda verb, case, server: answer if verb == "plan_trainings" else None)
    with pytest.raises(InputError, match="killed"):
        runner.train(CHOICE, device="cpu", out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_an_accuracy_to_stop_at_is_a_share(serve, tmp_path):
    with pytest.raises(InputError, match=r"0\.93 is 93 %"):
        runner.train(CHOICE, device="cpu", out=tmp_path, until=93)


def test_ctrl_c_keeps_a_checkpoint_and_the_run_goes_on(serve, tmp_path):
    with pytest.raises(Interrupted) as stopped:
        runner.train(CHOICE, device="cpu", out=tmp_path, show=Shown(4, interrupt))
    path = stopped.value.path
    (before,) = results.load(path).files
    assert not before.complete
    assert ends(before) == {1: "ok", 2: "interrupted"}
    shown = Shown()
    (after,) = runner.resume_training(path, show=shown).files
    assert after.complete
    assert epochs(after) == ALL
    assert ends(after) == dict.fromkeys((1, 2, 3, 4), "ok")
    assert [training.number for training in after.bodies("training")] == [1, 2, 3, 4]
    assert not TrainingFiles(path).folder.exists()
    with pytest.raises(InputError, match="nothing to resume"):
        runner.resume_training(path)


def test_a_run_that_was_killed_goes_on_from_the_last_checkpoint(serve, tmp_path):
    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    with pytest.raises(Killed):
        runner.train(CHOICE, device="cpu", out=tmp_path, show=Shown(5, kill))
    (path,) = tmp_path.glob("*.jsonl")
    (after,) = runner.resume_training(path).files
    assert after.complete
    repeated = (2, 2)  # its line was written, and its checkpoint was not
    assert sorted(epochs(after)) == sorted([*ALL, repeated])


def test_the_time_limit_leaves_trainings_for_another_time(serve, tmp_path):
    (file,) = runner.train(CHOICE, device="cpu", out=tmp_path, time_limit_s=1e-9).files
    assert not file.complete
    assert epochs(file) == []
    assert TrainingFiles(file.path).read().time_limit_s == 1e-9


def test_a_lost_server_keeps_what_was_trained(serve, tmp_path):
    trained = []

    def script(verb, case, server):
        trained.append(verb)
        return ServerLost("gone") if trained.count("train_on") == 5 else None

    serve(script)
    with pytest.raises(Stopped, match="gone") as stopped:
        runner.train(CHOICE, device="cpu", out=tmp_path)
    serve()
    (after,) = runner.resume_training(stopped.value.path).files
    assert epochs(after) == ALL


def test_a_damaged_checkpoint_leaves_the_run_to_be_gone_on_with(serve, tmp_path):
    with pytest.raises(Interrupted) as stopped:
        runner.train(CHOICE, device="cpu", out=tmp_path, show=Shown(1, interrupt))
    path = stopped.value.path
    refusal = {"failed": "error", "cause": "cannot read checkpoint: damaged"}
    serve(lambda verb, case, server: refusal if verb == "begin_training" else None)
    with pytest.raises(InputError, match="damaged"):
        runner.resume_training(path)
    serve()
    assert runner.resume_training(path).files[0].complete


def test_what_is_no_run_of_trainings_does_not_go_on_here(serve, tmp_path, write_run, make_case, make_run):
    path = write_run(tmp_path, run=make_run(plan=[make_case()]), status="interrupted")
    with pytest.raises(InputError, match="`resnet-bench run --resume"):
        runner.resume_training(path)
    trained = write_run(
        tmp_path / "trained", run=structs.replace(make_run(), settings=None, suite="train"), status="interrupted"
    )
    with pytest.raises(InputError, match="`resnet-bench train --resume"):
        measuring.resume(trained)
    with pytest.raises(InputError, match="cannot go on without its plan"):
        runner.resume_training(trained)


def test_a_note_is_said_once(serve, tmp_path, monkeypatch):
    plan = Worker.plan_trainings

    def noted(self, request):
        planned = plan(self, request)
        return type(planned)(
            trainings=tuple(structs.replace(training, notes=("slow",)) for training in planned.trainings)
        )

    monkeypatch.setattr(Worker, "plan_trainings", noted)
    shown = Shown()
    runner.train(CHOICE, device="cpu", out=tmp_path, show=shown)
    assert [event.line for event in shown.events if getattr(event, "line", None) == "slow"] == ["slow"]
