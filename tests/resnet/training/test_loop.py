import dataclasses
import math
import subprocess
import sys

import pytest
import torch

from resnet.data import Split
from resnet.training import EpochResult, Progress
from resnet.training.recipe import EarlyStopping
from tests.resnet.training import killing
from tests.resnet.training.conftest import AUGMENTED, CONFIG, same_weights, tiny_data, trainer_of


def results_of(trainer):
    return [event for event in trainer.run() if isinstance(event, EpochResult)]


def test_a_training_learns_and_tells():
    trainer = trainer_of(epochs=4, schedule="cosine", data=tiny_data(images=72))
    events = list(trainer.run())
    results = [event for event in events if isinstance(event, EpochResult)]
    progress = [event for event in events if isinstance(event, Progress)]
    assert (trainer.ended, trainer.cause, trainer.epochs) == ("ok", None, 4)
    assert [(event.epoch, event.step, event.steps) for event in progress] == [
        (e, s, 4) for e in (1, 2, 3, 4) for s in (1, 2, 3, 4)
    ]
    assert [(result.epoch, result.step, result.images) for result in results] == [(e, 4 * e, 64) for e in (1, 2, 3, 4)]
    last = results[-1]
    assert last.validation_accuracy > 0.9
    assert last.validation_accuracy == last.validation_correct / 40
    assert last.validation_loss < results[0].validation_loss
    assert last.train_loss == progress[-1].loss
    assert last.elapsed_s == pytest.approx(sum(result.seconds for result in results))
    assert last.seconds == pytest.approx(last.data_s + last.compute_s + last.validation_s)
    assert last.peak_memory_bytes > 0
    assert last.nulls == {}
    assert not trainer.network.training


def test_time_between_two_values_is_not_counted(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("resnet.training.loop.time.perf_counter", lambda: now[0])
    results = []
    for event in trainer_of().run():
        now[0] += 1000
        if isinstance(event, EpochResult):
            results.append(event)
    assert [result.elapsed_s for result in results] == [0, 0]


def test_a_seed_decides_everything(forgetful):
    options = {"deterministic": True}
    first, second, other = (trainer_of(seed=seed, augmentation=AUGMENTED, options=options) for seed in (1, 1, 2))
    ours, theirs = ([result.train_loss for result in results_of(trainer)] for trainer in (first, second))
    assert ours == theirs
    assert same_weights(first.network, second.network)
    assert [result.train_loss for result in results_of(other)] != ours


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "one-cycle", "augmentation": AUGMENTED},
        {"optimizer": "adamw", "average": "ema", "schedule": "cosine"},
        {"early_stopping": EarlyStopping(monitor="accuracy"), "accumulate": 4, "clip_norm": 1.0},
        {"optimizer": "adam", "class_weights": "inverse-frequency", "grad_checkpointing": True},
    ],
    ids=", ".join,
)
@pytest.mark.parametrize("options", [{"layout": "nhwc"}, {"autocast": torch.bfloat16, "scale_loss": True}])
def test_a_training_goes_on_to_the_bit_from_every_value(tmp_path, changes, options):
    whole = trainer_of(options=options, **changes)
    count = 0
    for count, _ in enumerate(whole.run(), start=1):
        whole.save(tmp_path / f"{count}")
    assert count == 10  # two epochs of four steps and a result
    for number in (1, 3, 4, 5, 9, 10):
        resumed = trainer_of(seed=0, options=options, **changes)
        resumed.restore(tmp_path / f"{number}")
        rest = list(resumed.run())
        assert len(rest) == count - number
        assert same_weights(whole.network, resumed.network)
        assert whole.ended == resumed.ended


def test_seconds_of_earlier_processes_count(tmp_path):
    first = trainer_of()
    run = first.run()
    result = next(event for event in run if isinstance(event, EpochResult))
    first.save(tmp_path / "state")
    second = trainer_of()
    second.restore(tmp_path / "state")
    (last,) = results_of(second)
    assert last.epoch == 2
    assert last.elapsed_s == pytest.approx(result.elapsed_s + last.seconds)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("recipe", {"epochs": 3}),
        ("data", {"data": tiny_data(images=32)}),
        ("network", {"config": dataclasses.replace(CONFIG, widths=(8, 8))}),
        ("seed", {"seed": 5}),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, name, other):
    trainer_of().save(tmp_path / "state")
    with pytest.raises(ValueError, match=f"another training: its {name} is"):
        trainer_of(**other).restore(tmp_path / "state")


def test_a_deterministic_training_goes_on_as_it_began(tmp_path, forgetful):
    trainer_of(options={"deterministic": True}).save(tmp_path / "state")
    with pytest.raises(ValueError, match="its computation is cpu, None, nchw"):
        trainer_of(options={"deterministic": True, "layout": "nhwc"}).restore(tmp_path / "state")


def test_divergence_ends_a_training_and_the_last_good_checkpoint_stays(tmp_path):
    trainer = trainer_of(epochs=9, learning_rate=1e30)
    saved = [trainer.save(tmp_path / "state")]
    for event in trainer.run():
        assert not isinstance(event, EpochResult) or math.isfinite(event.validation_loss)
        saved.append(trainer.save(tmp_path / "state"))
    saved.append(trainer.save(tmp_path / "state"))
    assert trainer.ended == "diverged"
    assert "in epoch 1" in trainer.cause
    assert "lower learning rate than 1e+30" in trainer.cause
    assert (saved[0], saved[-1]) == (True, False)
    good = trainer_of(epochs=9, learning_rate=1e30)
    good.restore(tmp_path / "state")
    assert all(value.isfinite().all() for value in good.network.state_dict().values())


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_early_stopping_ends_with_the_best_weights(monitor):
    # The data are noise, so that the validation soon becomes no better.
    data = tiny_data()
    random = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 4, (40,), generator=random)
    data = dataclasses.replace(data, validation=Split(images=data.validation.images, labels=labels))
    trainer = trainer_of(data=data, epochs=30, early_stopping=EarlyStopping(monitor=monitor, patience=2))
    results = results_of(trainer)
    assert trainer.ended == "stopped early"
    assert "2 epochs" in trainer.cause
    key = (lambda r: r.validation_loss) if monitor == "loss" else (lambda r: -r.validation_accuracy)
    best = min(results, key=key)
    assert results.index(best) == len(results) - 3
    with torch.no_grad():
        scale = (data.validation.images.float() / 255 - 0.3) / 0.3
        correct = (trainer.network(scale).argmax(1) == labels).sum().item()
    assert correct == best.validation_correct


def validation_loss(trainer):
    data = tiny_data()
    with torch.no_grad():
        logits = trainer.network((data.validation.images.float() / 255 - 0.3) / 0.3)
    return torch.nn.functional.cross_entropy(logits, data.validation.labels).item()


def test_the_average_is_validated_and_remains():
    trainer = trainer_of(average="ema", average_decay=0.5)
    results = results_of(trainer)
    assert results[-1].validation_loss == pytest.approx(validation_loss(trainer), rel=1e-4)
    plain = trainer_of()
    results_of(plain)
    assert not same_weights(trainer.network, plain.network)


def test_a_training_that_is_finished_early_holds_the_weights_that_were_validated():
    trainer = trainer_of(epochs=5, average="ema", average_decay=0.5)
    run = trainer.run()
    result = next(event for event in run if isinstance(event, EpochResult))
    trainer.finish()
    assert (trainer.ended, trainer.cause, trainer.epochs) == ("stopped early", None, 1)
    assert list(run) == []
    assert result.validation_loss == pytest.approx(validation_loss(trainer), rel=1e-4)
    trainer.finish()
    assert not trainer.network.training


def test_a_set_smaller_than_a_batch_is_a_batch():
    trainer = trainer_of(data=tiny_data(images=12))
    assert [result.images for result in results_of(trainer)] == [12, 12]


def test_a_network_of_other_images_or_classes_is_refused():
    for name in ("num_classes", "in_channels"):
        config = dataclasses.replace(CONFIG, **{name: 7})
        with pytest.raises(ValueError, match=f"{name}=7, but tiny needs"):
            trainer_of(config=config)
    with pytest.raises(ValueError, match="exclude each other"):
        trainer_of(grad_checkpointing=True, options={"compile": True})


def test_an_accelerator_is_asked_now_and_then_only(monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 0.1
        return now[0]

    monkeypatch.setattr("resnet.training.loop.time.perf_counter", clock)
    trainer = trainer_of(options={"device": "cpu"})
    monkeypatch.setattr(trainer, "_device", torch.device("meta"))
    monkeypatch.setattr("resnet.training.loop.restart_peak", lambda device: None)
    monkeypatch.setattr("resnet.training.loop.peak_memory", lambda device: (None, "none"))
    losses = [event.loss for event in trainer.run() if isinstance(event, Progress)]
    assert None not in losses
    assert 2 < len(set(losses)) < len(losses)


def test_killed_at_random_moments_a_training_ends_with_the_same_weights():
    command = [sys.executable, "-m", killing.__name__, "5", "7"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    killed, trainings, different = map(int, run.stdout.split())
    assert killed == 5
    assert trainings >= 1
    assert different == 0


def test_progressive_sizes_train_and_validate_on_small_images_first():
    seen = []
    trainer = trainer_of(epochs=2, progressive_sizes=(0.5, 1))
    trainer.network.register_forward_pre_hook(
        lambda network, inputs: seen.append((network.training, inputs[0].shape[-1]))
    )
    results_of(trainer)
    assert list(dict.fromkeys(seen)) == [(True, 4), (False, 4), (True, 8), (False, 8)]
