"""Plausible trainings for tests, which nobody trained: lines of the kinds `training`, `epoch` and `training-end`."""

import math
import random

from msgspec import structs

from results.schema.lines.run import End
from results.schema.lines.training import Epoch, Expected, Training, TrainingEnd
from results.storage.lines import encode

IMAGES = 10_000
EPOCH_S = 50.0


def made_training(make_case, number=1, *, model="cifar_resnet20", recipe="fast", seed=0, **fields):
    """The line with which a training of nine epochs on Fashion-MNIST begins."""
    usual = Training(
        number=number,
        case=make_case(
            model=model, task="training", batch_size=128, image_size=28, in_channels=1, precision="amp-bf16"
        ),
        data="fashion-mnist",
        data_digest="d" * 64,
        classes=10,
        train_images=60_000,
        validation_images=IMAGES,
        validation="official",
        recipe=recipe,
        recipe_digest=recipe.ljust(64, "0"),
        recipe_text=f'name = "{recipe}"\n',
        expected=Expected(accuracy=0.93, source="a plain loop, one seed"),
        seed=seed,
        epochs=9,
        deterministic=False,
        started="2026-11-27T08:00:00Z",
    )
    return structs.replace(usual, **fields)


def made_epochs(training, *, final=0.93, error=None, epoch_s=EPOCH_S, joules=None, first=1, last=None):
    """Epochs whose accuracy rises to `final`, within the noise of a seed; `error` is the last training error."""
    rng = random.Random(f"{training.recipe} {training.case.model} {training.seed}")
    level = 0.001 * rng.gauss(0, 1)
    pace = 1 + 0.01 * rng.gauss(0, 1)
    missing = {} if joules is not None else {"energy_j": "this device has no counter"}
    for epoch in range(1, (last or training.epochs) + 1):
        done = epoch / training.epochs
        accuracy = final + level - 0.2 * (math.exp(-4 * done) - math.exp(-4)) + 0.003 * (1 - done) * rng.gauss(0, 1)
        correct = min(training.validation_images, max(0, round(training.validation_images * accuracy)))
        seconds = epoch_s * pace * (1 + 0.005 * rng.gauss(0, 1))
        if epoch < first:
            continue
        yield Epoch(
            training=training.number,
            epoch=epoch,
            step=epoch * 468,
            learning_rate=0.3 * (1 - 0.9 * done),
            train_loss=0.6 * math.exp(-2 * done) + 0.1,
            train_accuracy=1 - (error or 1 - final) - 0.3 * (math.exp(-3 * done) - math.exp(-3)),
            validation_loss=0.7 * math.exp(-2 * done) + 0.15,
            validation_accuracy=correct / training.validation_images,
            validation_correct=correct,
            images=training.train_images,
            seconds=seconds,
            data_s=0.1 * seconds,
            compute_s=0.8 * seconds,
            validation_s=0.1 * seconds,
            elapsed_s=epoch_s * pace * epoch,
            peak_memory_bytes=400_000_000,
            energy_j=joules,
            nulls=missing,
        )


def made_end(training, status="ok", *, epochs=None):
    causes = {"diverged": "the loss became NaN in epoch 2", "interrupted": "stopped; go on with --resume"}
    return TrainingEnd(
        training=training.number,
        status=status,
        cause=causes.get(status),
        epochs=training.epochs if epochs is None else epochs,
        checkpoint=f"training-{training.number}.safetensors",
    )


def made_trainings(make_case, *, seeds=5, number=1, first_seed=0, **options):
    """Lines of complete trainings, a seed each; `options` are of `made_epochs`, all others of `made_training`."""
    own = {name: options.pop(name) for name in ("final", "error", "epoch_s", "joules") if name in options}
    for seed in range(seeds):
        training = made_training(make_case, number + seed, seed=first_seed + seed, **options)
        yield training
        yield from made_epochs(training, **own)
        yield made_end(training)


def training_header(make_run, run_id="train", **fields):
    return make_run(run_id=run_id, suite="train", settings=None, **fields)


def degradation(make_case, *, worse=True):
    """The trainings of the degradation experiment; without `worse` the deeper plain network trains better."""
    errors = {
        "cifar_plain20": 0.09,
        "cifar_plain56": 0.13 if worse else 0.05,
        "cifar_resnet20": 0.08,
        "cifar_resnet56": 0.05,
    }
    number = 1
    for model, error in errors.items():
        options = {"model": model, "recipe": "he2015-cifar", "error": error, "final": 0.99 - error}
        yield from made_trainings(make_case, seeds=2, number=number, **options)
        number += 2


def write_trainings(folder, run, bodies, status="complete"):
    """Write a run file of these lines at once, without the writer's fsync of every line, and return its path."""
    end = [] if status is None else [End(status=status, records=0)]
    path = folder / f"{run.id}.jsonl"
    path.write_bytes(b"".join(encode(number, body) for number, body in enumerate([run, *bodies, *end], start=1)))
    return path
