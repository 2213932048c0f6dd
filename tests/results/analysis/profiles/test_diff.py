import pytest

from results.analysis.profiles.breakdown import OUTSIDE, step_seconds
from results.analysis.profiles.diff import profile_diff
from tests.profiles import operator, operators, profile


def test_the_rows_add_up_to_the_difference_of_the_steps():
    a, b = profile(task="training"), profile(task="training", scale=1.3)
    frame = profile_diff(a, b)
    assert frame["change_s"].sum() == pytest.approx(step_seconds(b) - step_seconds(a))
    assert frame["share"].sum() == pytest.approx(1)
    assert frame["change_s"].abs().is_monotonic_decreasing


def test_the_layer_that_changed_comes_first():
    slower = (*operators(), operator(module="layer2.0.conv1", self_s=5e-3))
    total = sum(row.self_s for row in slower)
    frame = profile_diff(profile(), profile(operators=slower, profiled_s=total, step_s=(total,)))
    first = frame.iloc[0]
    assert (first["module"], first["phase"], first["kind"]) == ("layer2.0.conv1", "forward", "convolution")


def test_a_row_names_the_operator_that_changed_most():
    both = (*operators(), operator("aten::thnn_conv2d", self_s=1e-5))
    slower = (*operators(), operator("aten::thnn_conv2d", self_s=4e-3))
    a, b = (
        profile(operators=rows, profiled_s=sum(row.self_s for row in rows), step_s=(sum(row.self_s for row in rows),))
        for rows in (both, slower)
    )
    first = profile_diff(a, b).iloc[0]
    assert first["operator"] == "aten::thnn_conv2d"
    assert first["operator_change_s"] == pytest.approx(3.99e-3)
    assert first["change_s"] == pytest.approx(3.99e-3)


def test_what_only_one_profile_has_is_compared_with_nothing():
    frame = profile_diff(profile(), profile(task="training")).set_index(["module", "phase", "kind"])
    assert frame.loc[(OUTSIDE, "optimizer", "optimizer"), "a_s"] == 0
    assert frame.loc[(OUTSIDE, "optimizer", "optimizer"), "b_s"] > 0


def test_a_profile_does_not_differ_from_itself():
    frame = profile_diff(profile(), profile())
    assert frame["change_s"].abs().max() == 0
    assert frame["share"].abs().max() == 0
