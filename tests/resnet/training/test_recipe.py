import dataclasses
import subprocess
import sys

import pytest

from resnet.data import Augmentation
from resnet.training.recipe import EarlyStopping, Recipe
from resnet.training.recipe_files import parse_recipe
from tests.resnet.training.conftest import RECIPE


def changed(**values):
    return dataclasses.replace(RECIPE, **values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"optimizer": "sdg"}, "did you mean 'sgd'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"epochs": 0}, "epochs must be an integer of at least 1, not 0"),
        ({"epochs": 1.5}, "epochs must be an integer"),
        ({"epochs": True}, "epochs must be an integer"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number above 0"),
        ({"label_smoothing": 1.0}, "label_smoothing must be a number of at least 0 and below 1"),
        ({"clip_norm": 0.0}, "clip_norm must be a number above 0"),
        ({"nesterov": 1}, "nesterov must be true or false"),
        ({"name": "two\nlines"}, "name must be a text of a single line"),
        ({"augmentation": {"flip": True}}, "augmentation must be a table"),
        ({"schedule": "multi-step"}, "needs milestones"),
        ({"milestones": [1]}, "milestones must be a list of epochs"),
        ({"milestones": (0,)}, "a milestone must be a number above 0"),
        ({"schedule": "one-cycle", "warmup_epochs": 1}, "has its own warm-up"),
        ({"warmup_epochs": 2}, "must be less than epochs=2"),
        ({"nesterov": True, "momentum": 0}, "nesterov needs"),
        ({"nesterov": True, "optimizer": "adam"}, "nesterov needs"),
        ({"accumulate": 17}, "more than the images of a batch"),
        ({"grad_checkpointing": True, "compile": True}, "exclude each other"),
        ({"expected_accuracy": 0.9}, "belong together"),
    ],
)
def test_a_bad_value_is_refused_in_a_line(values, words):
    with pytest.raises(ValueError, match=words) as raised:
        changed(**values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("values", [{"monitor": "acuracy"}, {"patience": 0}])
def test_early_stopping_checks_its_fields(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        EarlyStopping(**values)


def test_the_digest_knows_values_and_no_names():
    renamed = changed(name="other", description="words", model="resnet50")
    assert renamed.digest == RECIPE.digest
    others = [changed(epochs=3), changed(augmentation=Augmentation(flip=True)), changed(early_stopping=EarlyStopping())]
    assert len({RECIPE.digest, *(other.digest for other in others)}) == 4


def test_an_integer_is_the_number_it_equals():
    assert changed(weight_decay=0).digest == changed(weight_decay=0.0).digest
    assert (
        changed(schedule="multi-step", milestones=(1,)).digest
        == changed(schedule="multi-step", milestones=(1.0,)).digest
    )


def test_the_toml_text_holds_everything():
    recipe = Recipe(
        name="mine",
        description='with "quotes", a \\ and an ü',
        epochs=30,
        learning_rate=1e-7,
        schedule="multi-step",
        milestones=(10, 20.5),
        clip_norm=1.0,
        augmentation=Augmentation(crop_padding=3, erasing=0.25),
        early_stopping=EarlyStopping(monitor="accuracy", patience=3),
        model="resnet50",
        expected_accuracy=0.76,
        expected_data="imagenet",
        expected_source="somebody",
    )
    assert parse_recipe(recipe.to_toml()) == recipe


def test_recipes_need_no_torch():
    script = "import sys, resnet.training as t; t.load_recipe('fast'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
