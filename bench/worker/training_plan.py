"""Complete the choices of somebody who trains: recipe, data, the network that fits the images, and the case of each."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from msgspec import structs

from bench.measure import precision
from bench.process.training.messages import DataChoice, PlanTrainings, TrainingChoice
from bench.suites import models
from resnet import VARIANTS, ResNetConfig
from resnet.data import DataSet, load_data
from resnet.training.lengths import with_epochs
from resnet.training.recipe import Recipe
from resnet.training.recipe_files import load_recipe
from resnet.training.schedules import progressive_size
from resnet.training.slips import recipe_warnings
from results.errors import InputError
from results.schema.axes import check_choice
from results.schema.case import Case
from results.schema.labels import PROMISES, RUNTIMES
from results.schema.lines.training import Expected, Training

_PRECISIONS: Final = tuple(
    name for name, promise in PROMISES.items() if promise.weights == "float32" and not promise.quantizes
)
"""Precisions whose weights are precise enough to be trained."""
_RUNTIMES: Final = {
    runtime.compiles: name
    for name, runtime in RUNTIMES.items()
    if "training" in runtime.tasks and runtime.mode is None and not runtime.autotune
}
"""The runtimes that train to an accuracy, by whether they compile."""
"""Runtimes of a training: the compiler works in its default mode only."""
_PLANNED: Final = "planned"
"""Stands for the time at which a training starts until it does."""


@contextlib.contextmanager
def bad_input() -> Iterator[None]:
    """Turn the `ValueError` of `resnet`, which is written for people, into `InputError`."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from None


def planned_trainings(request: PlanTrainings) -> tuple[Training, ...]:
    """Return the trainings of a choice: each model with all its seeds.

    Raises:
        InputError: a name is unknown, or the choices do not fit each other.
    """
    choice = request.choice
    if not choice.models or not choice.seeds:
        raise InputError("nothing to train: give a model and a seed")
    recipe, notes = _recipe(choice)
    data = load_images(choice.data, recipe)
    trainings: list[Training] = []
    for model in choice.models:
        training = _training(request, model, recipe, data, notes)
        trainings += [
            structs.replace(training, number=len(trainings) + position, seed=seed)
            for position, seed in enumerate(choice.seeds, start=1)
        ]
    return tuple(trainings)


def load_images(choice: DataChoice, recipe: Recipe) -> DataSet:
    """Return the data set of a choice, the same in each process. Raises `InputError`."""
    with bad_input():
        return load_data(
            choice.name,
            path=choice.path,
            image_size=choice.image_size,
            hold_out=recipe.hold_out,
            limit=choice.limit,
            download=choice.download,
        )


def network_config(training: Training) -> ResNetConfig:
    """Return the configuration of the network of a training: its variant, for its classes and channels."""
    return dataclasses.replace(
        VARIANTS[training.case.model], num_classes=training.classes, in_channels=training.case.in_channels
    )


def _recipe(choice: TrainingChoice) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe with the values that somebody chose, and notes on what that changes."""
    with bad_input():
        recipe = load_recipe(choice.recipe)
        changed = recipe if choice.epochs is None else with_epochs(recipe, choice.epochs)
        values: dict[str, Any] = {"batch_size": choice.batch_size, "hold_out": choice.hold_out}
        changed = dataclasses.replace(changed, **{name: value for name, value in values.items() if value is not None})
    differing = [
        f"{field.name} {_value(recipe, field.name)} became {_value(changed, field.name)}"
        for field in dataclasses.fields(Recipe)
        if getattr(recipe, field.name) != getattr(changed, field.name)
    ]
    return changed, ((f"recipe {recipe.name}: {', '.join(differing)}",) if differing else ())


def _value(recipe: Recipe, name: str) -> str:
    value = getattr(recipe, name)
    return f"({', '.join(f'{item:g}' for item in value)})" if isinstance(value, tuple) else str(value)


def _training(request: PlanTrainings, asked: str, recipe: Recipe, data: DataSet, notes: tuple[str, ...]) -> Training:
    choice = request.choice
    model, renamed = models.for_images(asked, data.image_size, choice.stem)
    case = Case(
        model=model,
        task="training",
        batch_size=recipe.batch_size,
        image_size=data.image_size,
        in_channels=data.in_channels,
        device=request.device,
        precision=_label("precision", choice.precision or recipe.precision, _PRECISIONS),
        runtime=_label("runtime", choice.runtime or _RUNTIMES[recipe.compile], tuple(_RUNTIMES.values())),
        layout=_label("layout", choice.layout or recipe.layout, None),
        threads=choice.threads or request.threads,
    )
    precision.check_precision(case)
    if recipe.batch_size > len(data.train):
        raise InputError(f"batch_size {recipe.batch_size} is more than the {len(data.train)} training images")
    altered = bool(notes) or (choice.data.limit, choice.data.image_size) != (None, None)
    expected, other = _expected(recipe, model, data, altered=altered)
    config = VARIANTS[model]
    words = (
        renamed,
        *notes,
        other,
        data.note,
        *_caveats(recipe, data),
        *recipe_warnings(recipe, config, data.image_size),
        *precision.kernel_notes(case),
    )
    return Training(
        number=1,
        case=case,
        data=data.name,
        data_digest=data.digest,
        classes=len(data.classes),
        train_images=len(data.train),
        validation_images=len(data.validation),
        validation="held out" if data.held_out else "official",
        recipe=recipe.name,
        recipe_digest=recipe.digest,
        recipe_text=recipe.to_toml(),
        expected=expected,
        seed=0,
        epochs=recipe.epochs,
        deterministic=choice.deterministic,
        started=_PLANNED,
        notes=tuple(word for word in words if word),
    )


def _label(axis: str, value: str, choices: tuple[str, ...] | None) -> str:
    check_choice(axis, value)
    if choices is not None and value not in choices:
        raise InputError(f"{axis} {value!r} does not train to an accuracy (choices: {', '.join(choices)})")
    return value


def _caveats(recipe: Recipe, data: DataSet) -> Iterator[str]:
    """Yield what must be known of the validation accuracies of a recipe."""
    sizes = {progressive_size(recipe, epoch, data.image_size) for epoch in range(recipe.epochs)}
    if len(sizes) > 1:
        yield (
            f"recipe {recipe.name} trains and validates on images of {min(sizes)} to {max(sizes)} pixels: what an "
            "early epoch reaches is an accuracy on images of that epoch's size"
        )
    if recipe.early_stopping is not None and not data.held_out:
        yield (
            "early stopping chooses the epoch on the official validation images, which give the final accuracy too: it "
            "flatters; --hold-out 10% leaves them alone"
        )


def _expected(recipe: Recipe, model: str, data: DataSet, *, altered: bool) -> tuple[Expected | None, str | None]:
    """Return the published accuracy of this training, or a note where it was published for another.

    `altered` says that somebody changed the recipe or the images.
    """
    if recipe.expected_accuracy is None or recipe.expected_source is None:
        return None, None
    if recipe.model == model and recipe.expected_data == data.name and not altered:
        return Expected(accuracy=recipe.expected_accuracy, source=recipe.expected_source), None
    published = f"{recipe.expected_accuracy:.2%} for {recipe.model} on {recipe.expected_data}"
    return None, f"recipe {recipe.name} reached {published} ({recipe.expected_source})"
