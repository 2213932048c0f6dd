"""Rows about training to an accuracy, live: kills that change nothing, and the accuracies that recipes reach."""

import dataclasses
import pathlib
import subprocess
import sys
import tempfile

from bench.machine.cpu import cpu_flags
from bench.process.training.messages import DataChoice, TrainingChoice
from bench.schedule.training.run import train
from results.analysis.convergence.curves import curves
from results.analysis.convergence.frames import trainings
from tests.selftest.rows import Row

KILLS = 50
SEEDS = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a training should reach in every seed."""

    recipe: str
    accuracy: float
    seconds: float
    choices: dict
    """What replaces the recipe's own."""


DIGITS = Target(recipe="digits", accuracy=0.985, seconds=30, choices={"precision": "fp32"})
FASHION = {
    True: Target(recipe="fast", accuracy=0.93, seconds=600, choices={"precision": "amp-bf16"}),
    False: Target(recipe="fast", accuracy=0.925, seconds=720, choices={"layout": "nhwc", "epochs": 8}),
}
"""Fashion-MNIST on a CPU with bf16, and on others."""
BF16 = {"avx512_bf16", "amx_bf16"}


def resume(*, quick):
    """Kill a training at random moments, go on from its checkpoint, and compare the weights to the bit."""
    kills = KILLS // 10 if quick else KILLS
    # A process of its own, as it forks and must have computed nothing before.
    command = [sys.executable, "-m", "tests.resnet.training.killing", str(kills), "1"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    killed, ended, different = map(int, answer.split())
    what = f"kill -9 of a training at {killed} random moments, resumed until {ended} ended: with other weights"
    yield Row(what, str(different), "0", different == 0 and killed == kills)


def digits(*, quick):
    """Train on scikit-learn's digits: seconds, not minutes."""
    yield from _reached("digits", DIGITS, seeds=2 if quick else SEEDS)


def fashion_mnist(*, quick):
    """Train on Fashion-MNIST, about ten minutes a seed; quickly, on a sixtieth of it, which shows no accuracy."""
    target = FASHION[bool(BF16 & set(cpu_flags()))]
    if quick:
        yield from _reached("fashion-mnist", dataclasses.replace(target, accuracy=0.5), seeds=1, limit=1000)
    else:
        yield from _reached("fashion-mnist", target, seeds=SEEDS)


def _reached(data, target, *, seeds, limit=None):
    """Yield the rows of the final accuracy and of the seconds of `seeds` trainings."""
    choice = TrainingChoice(
        models=("cifar_resnet20",),
        data=DataChoice(name=data, limit=limit),
        recipe=target.recipe,
        seeds=tuple(range(seeds)),
        **target.choices,
    )
    with tempfile.TemporaryDirectory() as folder:
        records = train(choice, device="cpu", out=pathlib.Path(folder))
    trained = curves(records)
    finals = [curve.final.validation_accuracy for curve in trained]
    times = [curve.epochs[-1].elapsed_s for curve in trained]
    (row,) = trainings(records).to_dict("records")
    figure = "{accuracy:.2%} [{accuracy_low:.2%}, {accuracy_high:.2%}]".format(**row) + f", least {min(finals):.2%}"
    chosen = ", ".join(f"{value} epochs" if name == "epochs" else str(value) for name, value in target.choices.items())
    of = f"{data}: cifar_resnet20, recipe {target.recipe}, {chosen}, {seeds} seeds"
    yield Row(f"{of}: accuracy", figure, f"≥ {target.accuracy:.1%} in every seed", min(finals) >= target.accuracy)
    yield Row(f"{of}: seconds", f"{max(times):.0f} at most", f"≤ {target.seconds:g}", max(times) <= target.seconds)
