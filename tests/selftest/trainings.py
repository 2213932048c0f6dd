"""Simulations of comparisons of trainings: false alarms and power, by seeds of recipes whose truth is known."""

import functools
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from results.analysis.convergence.curves import Curve, CurveGroup
from results.analysis.convergence.quantities import TrainingVerdict
from results.analysis.convergence.verdicts import ACCURACY_MARGIN, judged_pair
from results.schema.case import Case
from results.schema.lines.run import Environment, RunHeader
from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.statistics.margin import MARGIN
from tests.selftest.rows import Row, share_row

Floats = npt.NDArray[np.float64]

RUNS: Final = 5_000
SEEDS: Final = (2, 3, 5, 10)
EPOCHS: Final = 9
IMAGES: Final = 10_000
TARGET: Final = 0.9
_RISE: Final = TARGET + 0.03 * (1 - np.exp(-0.5 * (np.arange(1, EPOCHS + 1) - 5.0)))
"""Mean accuracy of each epoch: exactly the target at the end of the fifth."""
_CASE: Final = Case(
    model="cifar_resnet20",
    task="training",
    batch_size=128,
    image_size=28,
    in_channels=1,
    device="cpu",
    precision="fp32",
    runtime="eager",
    layout="nchw",
    threads=2,
)


def _normal(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Return the accuracies of each seed by epoch, and the seconds of an epoch of each seed: noise of usual size."""
    accuracies = _RISE + 0.001 * rng.standard_normal((seeds, 1)) + 0.003 * rng.standard_normal((seeds, EPOCHS))
    return accuracies, 50 * np.exp(0.01 * rng.standard_normal(seeds))


def _heavy(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Student's t with 3 degrees of freedom for seeds and epochs, and a process of ten slow by 5 to 30 %."""
    accuracies = _RISE + 0.002 * rng.standard_t(3, (seeds, 1)) + 0.003 * rng.standard_t(3, (seeds, EPOCHS))
    slow = np.where(rng.random(seeds) < 0.1, rng.uniform(1.05, 1.3, seeds), 1)
    return accuracies, 50 * slow * np.exp(0.01 * rng.standard_t(3, seeds))


def _border(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """So little noise that a seed reaches the target in the fifth or in the sixth epoch, as a coin falls."""
    accuracies = _RISE + 0.0003 * rng.standard_normal((seeds, 1)) + 0 * _RISE
    return accuracies, 50 * np.exp(0.001 * rng.standard_normal(seeds))


def _censored(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """The accuracy rises to the target and stays there: about every second seed never reaches it."""
    level = np.minimum(_RISE, TARGET) + 0.001 * rng.standard_normal((seeds, 1))
    return level + 0.0003 * rng.standard_normal((seeds, EPOCHS)), 50 * np.exp(0.01 * rng.standard_normal(seeds))


def _two_modes(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Every second seed stays 10 points below the others. Three seeds cannot know that: 3 % of alarms."""
    accuracies, seconds = _normal(rng, seeds)
    return accuracies - 0.1 * (rng.random((seeds, 1)) < 0.5), seconds


def _diverging(rng: np.random.Generator, seeds: int) -> tuple[Floats, Floats]:
    """Three seeds of ten diverge in the second epoch: a NaN stands for what follows."""
    accuracies, seconds = _normal(rng, seeds)
    lost = (rng.random((seeds, 1)) < 0.3) & (np.arange(EPOCHS) > 0)
    return np.where(lost, np.nan, accuracies), seconds


RECIPES: Final[dict[str, Callable[[np.random.Generator, int], tuple[Floats, Floats]]]] = {
    "normal": _normal,
    "heavy tails": _heavy,
    "between two epochs": _border,
    "half never arrive": _censored,
    "half stay low": _two_modes,
    "three of ten diverge": _diverging,
}


@functools.cache
def _header() -> RunHeader:
    nothing = dict.fromkeys(Environment.__struct_fields__)
    machine = Environment(
        **{**nothing, "cpu_flags": (), "accelerators": (), "torch_build": {}, "variables": {}, "nulls": {}}
    )
    return RunHeader(id="simulated", started=None, suite="train", settings=None, environment=machine, plan=())


def group(accuracies: Floats, seconds: Floats) -> CurveGroup:
    """Return the seeds with these accuracies by epoch, and with these seconds of an epoch."""
    pairs = zip(accuracies.tolist(), seconds.tolist(), strict=True)
    return CurveGroup(machine="", curves=tuple(_curve(seed, row, epoch_s) for seed, (row, epoch_s) in enumerate(pairs)))


def _curve(seed: int, accuracies: list[float], epoch_s: float) -> Curve:
    training = Training(
        number=seed + 1,
        case=_CASE,
        data="simulated",
        data_digest="0",
        classes=10,
        train_images=60_000,
        validation_images=IMAGES,
        validation="official",
        recipe="equal",
        recipe_digest="0",
        recipe_text="",
        expected=None,
        seed=seed,
        epochs=EPOCHS,
        deterministic=False,
        started="2026-11-27T00:00:00Z",
    )
    known = [round(IMAGES * accuracy) for accuracy in accuracies if accuracy == accuracy]  # noqa: PLR0124 (NaN)
    epochs = tuple(
        Epoch(
            training=training.number,
            epoch=epoch,
            step=epoch,
            learning_rate=0.1,
            train_loss=0.1,
            train_accuracy=0.9,
            validation_loss=0.1,
            validation_accuracy=correct / IMAGES,
            validation_correct=correct,
            images=60_000,
            seconds=epoch_s,
            data_s=0.0,
            compute_s=epoch_s,
            validation_s=0.0,
            elapsed_s=epoch * epoch_s,
            peak_memory_bytes=None,
        )
        for epoch, correct in enumerate(known, start=1)
    )
    status = "ok" if len(epochs) == EPOCHS else "diverged"
    end = TrainingEnd(training=training.number, status=status, epochs=len(epochs))
    return Curve(run=_header(), training=training, epochs=epochs, end=end)


def verdicts(
    base: CurveGroup, new: CurveGroup, margin: float = MARGIN, accuracy_margin: float = ACCURACY_MARGIN
) -> list[TrainingVerdict]:
    """Return what a comparison of two groups says of the time to `TARGET` and of the final accuracy."""
    judged = judged_pair(base, new, accuracy=TARGET, margin=margin, accuracy_margin=accuracy_margin)
    return [quantity.verdict for quantity in judged]


def trainings(*, quick: bool) -> Iterator[Row]:
    """Equal recipes hardly ever differ, a recipe at the margin is hardly ever the same, and real differences show."""
    runs = RUNS // 10 if quick else RUNS
    rng = np.random.default_rng(20261127)
    for name, draw in RECIPES.items():
        for seeds in SEEDS[2 * (draw is _two_modes) :]:
            alarms = 0
            for _ in range(runs):
                found = verdicts(group(*draw(rng, seeds)), group(*draw(rng, seeds)), 0.0, 0.0)
                alarms += any(verdict not in {"same", "inconclusive"} for verdict in found)
            yield share_row(
                f"trainings: equal recipes, {name}, no margin: any alarm",
                alarms,
                runs,
                high=0.01,
                variant=f"{seeds} seeds",
            )
    for seeds in SEEDS[2:]:
        same = passed = worse = 0
        for _ in range(runs):
            base, (accuracies, seconds) = group(*_border(rng, seeds)), _border(rng, seeds)
            passed += verdicts(base, group(accuracies, seconds))[1] == "same"
            same += verdicts(base, group(accuracies - ACCURACY_MARGIN, seconds))[1] == "same"
            base, (accuracies, seconds) = group(*_normal(rng, seeds)), _normal(rng, seeds)
            worse += verdicts(base, group(accuracies - 0.02, seconds))[1] == "worse"
        variant = f"{seeds} seeds"
        yield share_row("trainings: accuracy lower by the margin: same", same, runs, high=0.025, variant=variant)
        yield share_row("trainings: equal accuracy, little noise: same", passed, runs, low=0.8, variant=variant)
        yield share_row("trainings: accuracy 2 points lower: worse", worse, runs, low=0.8, variant=variant)
