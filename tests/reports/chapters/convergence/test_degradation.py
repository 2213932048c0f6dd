import pytest

from reports.chapters.convergence.degradation import of_errors
from reports.chapters.convergence.frame import curve_points
from tests.trainings import degradation, made_end, made_training, made_trainings


@pytest.fixture
def said(source):
    def of(*lines):
        frame = curve_points(source(*lines))
        return of_errors(frame[frame["against"].eq("epochs")])

    return of


def test_deeper_plain_networks_train_worse_and_residual_ones_better(said, make_case):
    plain, residual = said(*degradation(make_case)).split(". ")
    assert plain.startswith("The deeper plain network trains worse: cifar_plain56 ends at 13.00")
    assert residual.startswith("The deeper residual network trains better: cifar_resnet56 ends at 5.00")


def test_it_is_said_only_if_so(said, make_case):
    assert "deeper plain network trains better" in said(*degradation(make_case, worse=False))


def test_a_difference_within_the_noise_of_the_seeds_is_not_shown(said, make_case):
    shallow = [
        line
        for seed, error in enumerate((0.07, 0.11))
        for line in made_trainings(
            make_case, seeds=1, number=seed + 1, first_seed=seed, model="cifar_plain20", error=error
        )
    ]
    deep = made_trainings(make_case, seeds=2, number=3, model="cifar_plain56", error=0.10)
    assert "is not shown" in said(*shallow, *deep)


def test_a_single_seed_is_named(said, make_case):
    lines = [
        line
        for number, (model, error) in enumerate((("cifar_plain20", 0.09), ("cifar_plain56", 0.1)), start=1)
        for line in made_trainings(make_case, seeds=1, number=number, model=model, error=error)
    ]
    assert "trains worse, with a single seed" in said(*lines)


def test_other_networks_are_named_with_their_errors(said, make_case):
    assert (
        said(*made_trainings(make_case, seeds=2, error=0.06))
        == "cifar_resnet20 · fast ends at 6.00\u00a0% training error."
    )
    bad = made_training(make_case)
    lines = [bad, *list(made_trainings(make_case, seeds=1))[1:3], made_end(bad, "diverged", epochs=2)]
    assert said(*lines) == "No training came to its end."
