import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.analysis.profiles.breakdown import (
    OUTSIDE,
    by_kind,
    by_module,
    by_operator,
    by_stage,
    layer_sums,
    rows_of,
    slow_down,
    step_seconds,
)
from tests.profiles import operator, profile


def test_every_sum_is_the_step_without_the_profiler():
    made = profile(task="training")
    step_s = step_seconds(made)
    assert step_s == pytest.approx(0.96 * made.profiled_s)
    for frame in (rows_of(made), by_kind(made), by_operator(made), by_stage(made)):
        assert frame["self_s"].sum() == pytest.approx(step_s)
    assert by_kind(made)["share"].sum() == pytest.approx(1)


def test_what_the_profiler_costs_falls_between_operators():
    rows = (operator(self_s=0.08), operator("(Python)", kind="overhead", self_s=0.02))
    made = profile(operators=rows, profiled_s=0.1, step_s=(0.09,))
    seconds = dict(zip(rows_of(made)["kind"], rows_of(made)["self_s"], strict=True))
    assert seconds == {"convolution": pytest.approx(0.08), "overhead": pytest.approx(0.01)}
    faster = profile(operators=rows, profiled_s=0.1, step_s=(0.04,))
    seconds = dict(zip(rows_of(faster)["kind"], rows_of(faster)["self_s"], strict=True))
    assert seconds == {"convolution": pytest.approx(0.04), "overhead": 0}


@given(st.floats(0.01, 10))
def test_sums_close_whatever_the_profiler_costs(ratio):
    made = profile(task="training")
    made = profile(task="training", step_s=(ratio * made.profiled_s,))
    assert rows_of(made)["self_s"].sum() == pytest.approx(step_seconds(made))
    assert (rows_of(made)["self_s"] >= 0).all()


def test_a_trace_has_the_seconds_of_a_mean_step():
    made = profile(step_s=(), steps=4, case=None)
    assert step_seconds(made) == pytest.approx(made.profiled_s / 4)
    assert slow_down(made) is None
    assert rows_of(made)["self_s"].sum() == pytest.approx(made.profiled_s / 4)
    assert slow_down(profile()) == pytest.approx(1 / 0.96)


def test_a_module_holds_what_is_inside_it():
    frame = by_module(profile(task="training")).set_index(["module", "phase"])
    assert frame.loc[("layer1", "forward"), "self_s"] == 0
    assert frame.loc[("layer1", "forward"), "total_s"] == pytest.approx(
        sum(frame.loc[(f"layer1.0.{name}", "forward"), "self_s"] for name in ("conv1", "bn1", "relu"))
    )
    for phase in ("forward", "backward"):
        own = frame.xs(phase, level="phase")["self_s"].sum()
        assert frame.loc[("(root)", phase), "total_s"] == pytest.approx(own)


def test_stages_are_in_the_order_of_the_network_and_the_rest_comes_last():
    stages = list(dict.fromkeys(by_stage(profile(task="training"))["stage"]))
    assert stages[-1] == OUTSIDE
    assert [stage for stage in stages if stage.startswith("layer")] == ["layer1", "layer2"]


def test_rows_without_a_module_are_in_no_layer():
    sums = layer_sums(rows_of(profile(task="training")))
    assert ("conv1", "backward") in sums
    assert all(isinstance(module, str) for module, _ in sums)
