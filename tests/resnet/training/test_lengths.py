import dataclasses

import pytest

from resnet.training.lengths import with_epochs
from resnet.training.recipe import Recipe

LONG = Recipe(name="long", epochs=200, learning_rate=0.1, warmup_epochs=5)


def test_milestones_and_warm_up_have_the_same_shares():
    short = with_epochs(dataclasses.replace(LONG, schedule="multi-step", milestones=(100, 150)), 10)
    assert (short.epochs, short.milestones, short.warmup_epochs) == (10, (5, 7.5), 0.25)


def test_a_step_is_an_epoch_at_least():
    steps = dataclasses.replace(LONG, schedule="step", step_epochs=30)
    assert with_epochs(steps, 400).step_epochs == 60
    assert with_epochs(steps, 2).step_epochs == 1


def test_nothing_else_changes():
    assert with_epochs(LONG, 200) == LONG
    assert with_epochs(with_epochs(LONG, 10), 200) == LONG


def test_epochs_must_be():
    with pytest.raises(ValueError, match="epochs must be"):
        with_epochs(LONG, 0)
