import dataclasses

import pytest

from resnet import VARIANTS
from resnet.training import load_recipe, recipe_warnings

SOUND = load_recipe("he2015-cifar")
CIFAR = VARIANTS["cifar_resnet20"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"weight_decay": 1e-2}, "weight_decay 0.01"),
        ({"learning_rate": 10.0}, "learning_rate 10"),
        ({"optimizer": "adam", "learning_rate": 0.1}, "learning_rate 0.1"),
        ({"momentum": 1.0}, "momentum 1"),
        ({"label_smoothing": 0.9}, "label_smoothing 0.9"),
        ({"gamma": 10.0}, "gamma 10"),
        ({"epochs": 100}, "milestone 123"),
        ({"schedule": "step", "step_epochs": 200}, "step_epochs 200"),
        ({"progressive_sizes": (0.5, 0.75)}, "end at 0.75"),
    ],
)
def test_a_slip_is_named(values, words):
    (warning,) = recipe_warnings(dataclasses.replace(SOUND, **values), CIFAR, 32)
    assert words in warning


def test_what_is_usual_gives_no_warning():
    assert recipe_warnings(SOUND, CIFAR, 32) == ()
    adamw = dataclasses.replace(SOUND, optimizer="adamw", learning_rate=1e-3, weight_decay=0.05)
    assert recipe_warnings(adamw, CIFAR, 32) == ()
    small_first = dataclasses.replace(SOUND, progressive_sizes=(0.5, 1))
    assert recipe_warnings(small_first, CIFAR, 32) == ()


def test_a_stem_for_large_images_on_small_images():
    (warning,) = recipe_warnings(SOUND, VARIANTS["resnet50"], 64)
    assert "84 %" in warning
    assert recipe_warnings(SOUND, VARIANTS["resnet50"], 65) == ()
