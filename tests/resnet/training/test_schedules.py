import dataclasses

import pytest
import torch
from torch.optim import lr_scheduler

from resnet.training import EarlyStopping
from resnet.training.schedules import FACTORS, learning_rate, progressive_size, validation_size
from tests.resnet.training.conftest import RECIPE

STEPS = 10
EPOCHS = 8


def rates(**values):
    recipe = dataclasses.replace(RECIPE, epochs=EPOCHS, learning_rate=0.4, **values)
    return [learning_rate(recipe, step, STEPS) for step in range(EPOCHS * STEPS)]


def of_torch(make):
    """The learning rates of a scheduler of torch that is asked after every step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = make(optimizer)
    given = []
    for _ in range(EPOCHS * STEPS):
        given.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return given


@pytest.mark.parametrize(
    ("values", "make"),
    [
        ({"schedule": "step", "step_epochs": 3}, lambda o: lr_scheduler.StepLR(o, 30, gamma=0.1)),
        (
            {"schedule": "multi-step", "milestones": (5, 2), "gamma": 0.2},
            lambda o: lr_scheduler.MultiStepLR(o, [20, 50], gamma=0.2),
        ),
        ({"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS * STEPS)),
        (
            {"schedule": "linear"},
            lambda o: lr_scheduler.LinearLR(o, start_factor=1, end_factor=0, total_iters=EPOCHS * STEPS),
        ),
        (
            {"schedule": "one-cycle", "peak_position": 0.25},
            lambda o: lr_scheduler.OneCycleLR(o, 0.4, EPOCHS * STEPS, pct_start=0.25, cycle_momentum=False),
        ),
    ],
    ids=lambda value: value["schedule"] if isinstance(value, dict) else "",
)
@pytest.mark.filterwarnings("ignore:To get the last learning rate")
def test_a_schedule_is_that_of_torch(values, make):
    assert rates(**values) == pytest.approx(of_torch(make), abs=1e-12)


@pytest.mark.parametrize("schedule", sorted(FACTORS))
def test_a_rate_is_above_zero_and_never_above_the_highest(schedule):
    given = rates(schedule=schedule, milestones=(3,), **({} if schedule == "one-cycle" else {"warmup_epochs": 1.5}))
    assert all(0 < rate <= 0.4 for rate in given)
    assert max(given) == pytest.approx(0.4, rel=0.01)


def test_the_warm_up_rises_in_equal_steps_and_the_schedule_follows():
    given = rates(schedule="cosine", warmup_epochs=2)
    assert given[:21] == pytest.approx([0.4 * (step + 1) / 21 for step in range(21)])
    assert given[20:] == sorted(given[20:], reverse=True)


@pytest.mark.parametrize("schedule", sorted(FACTORS))
def test_a_single_step_has_a_rate(schedule):
    recipe = dataclasses.replace(RECIPE, epochs=1, schedule=schedule, milestones=(1,))
    assert learning_rate(recipe, 0, 1) == recipe.learning_rate


def test_progressive_sizes_share_the_training_in_equal_parts():
    recipe = dataclasses.replace(RECIPE, epochs=6, progressive_sizes=(0.57, 0.71, 1))
    assert [progressive_size(recipe, epoch, 28) for epoch in range(6)] == [16, 16, 20, 20, 28, 28]
    assert [progressive_size(dataclasses.replace(recipe, epochs=2), epoch, 28) for epoch in range(2)] == [20, 28]
    assert progressive_size(dataclasses.replace(recipe, epochs=1), 0, 28) == 28
    assert [progressive_size(dataclasses.replace(recipe, epochs=4), epoch, 28) for epoch in range(4)] == [
        16,
        20,
        28,
        28,
    ]
    assert progressive_size(dataclasses.replace(RECIPE, progressive_sizes=()), 0, 28) == 28


def test_with_early_stopping_all_epochs_are_validated_at_the_last_size():
    recipe = dataclasses.replace(RECIPE, epochs=4, progressive_sizes=(0.5, 1.0))
    stopping = dataclasses.replace(recipe, early_stopping=EarlyStopping())
    assert [validation_size(recipe, epoch, 32) for epoch in range(4)] == [16, 16, 32, 32]
    assert [validation_size(stopping, epoch, 32) for epoch in range(4)] == [32] * 4
