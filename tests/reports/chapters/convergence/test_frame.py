import pytest

from reports.chapters.convergence.frame import AGAINST, MOST_SERIES, curve_points, drawn, recipes, targets, times
from tests.trainings import degradation, made_end, made_epochs, made_training, made_trainings


@pytest.fixture
def two(make_case):
    """Two recipes, of which one has a seed that diverged."""
    bad = made_training(make_case, 20, seed=7)
    lost = (bad, *made_epochs(bad, last=2), made_end(bad, "diverged", epochs=2))
    other = made_trainings(make_case, seeds=2, number=6, recipe="other", final=0.91)
    return (*made_trainings(make_case, seeds=3), *other, *lost)


def test_an_epoch_is_a_row_for_each_axis_whose_value_is_known(source):
    frame = curve_points(source(seeds=1))
    assert frame.groupby("against").size().to_dict() == {"seconds": 9, "images": 9, "epochs": 9}
    known = curve_points(source(seeds=1, joules=10.0))
    assert set(known["against"]) == set(AGAINST)
    assert known.loc[known["against"].eq("joules"), "x"].tolist() == [10.0 * epoch for epoch in range(1, 10)]


def test_recipes_are_named_by_what_varies(source, two, make_case):
    series = drawn(source(*two).study.records)
    assert [one.name for one in series] == ["fast", "other"]
    assert [one.hue for one in series] == [0, 1]
    assert series[0].shared.startswith("cifar_resnet20 · batch 128")
    networks = drawn(source(*degradation(make_case)).study.records)
    assert networks[1].name == "cifar_plain56"
    assert "he2015-cifar" in networks[1].shared
    (alone,) = drawn(source(seeds=1).study.records)
    assert alone.name == "cifar_resnet20 · fast"


def test_recipes_of_a_name_with_other_contents_have_their_digest(source, make_case):
    again = made_trainings(make_case, seeds=1, number=2, recipe_digest="e" * 64)
    names = [one.name for one in drawn(source(*made_trainings(make_case, seeds=1), *again).study.records)]
    assert len(set(names)) == 2
    assert all("·" in name for name in names)


def test_of_many_recipes_the_most_accurate_are_drawn(source, make_case):
    lines = [
        line
        for index in range(MOST_SERIES + 2)
        for line in made_trainings(make_case, seeds=1, number=index + 1, recipe=f"r{index}", final=0.80 + 0.01 * index)
    ]
    names = [one.name for one in drawn(source(*lines).study.records)]
    assert names == [f"r{index}" for index in range(2, MOST_SERIES + 2)]


def test_data_sets_of_a_name_are_told_apart_by_their_digests(source, make_case):
    other = made_trainings(make_case, seeds=1, number=2, data_digest="e" * 64)
    series = drawn(source(*made_trainings(make_case, seeds=1), *other).study.records)
    assert [one.data for one in series] == ["fashion-mnist dddddddd", "fashion-mnist eeeeeeee"]


def test_a_row_of_recipes_has_the_accuracy_of_each_seed_that_came_to_its_end(source, two):
    rows = recipes(source(*two)).to_dict("records")
    assert [len(row["per_seed"]) for row in rows] == [3, 2]
    assert rows[0]["ends"] == "3 ok, 1 diverged"


def test_the_first_target_is_reached_by_all_and_others_are_what_recipes_reach_and_promise(source, two):
    series = drawn(source(*two).study.records)
    common, *others = targets([one.group for one in series])
    assert common == 0.905
    assert others == sorted(others, reverse=True)
    assert 0.93 in others
    assert targets([]) == []


def test_times_have_a_row_for_each_target(source, two):
    frame = times(source(*two))
    first = frame[frame["rank"].eq(0)]
    assert first["to"].tolist() == ["90.5 %"] * 2
    assert [len(values) for values in first["per_seed"]] == [3, 2]
    assert first["reached"].tolist() == [3, 2]
