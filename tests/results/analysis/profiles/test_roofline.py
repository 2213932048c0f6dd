import pytest

from results.analysis.profiles.roofline import Roof, case_roof, roof_warnings, roofline
from results.schema.lines.profile import LayerWork
from tests.conftest import _case
from tests.profiles import around, peaks, profile, works


def work(**fields):
    usual = {"name": "conv1", "type": "Conv2d", "stage": "conv1", "phase": "forward", "flops": 10**9}
    return LayerWork(**{**usual, "bytes": 10**6, "fused_bytes": 10**6, **fields})


def test_the_roof_is_the_longest_of_three_times():
    roof = Roof(peaks(), "fp32")
    assert roof.seconds(work(), 10**6, 1) == (pytest.approx(10**9 / 100e9), "compute")
    seconds, bound = roof.seconds(work(flops=0, bytes=2**29), 2**29, 1)
    assert (seconds, bound) == (pytest.approx(2**29 / 20e9), "memory")
    assert roof.seconds(work(flops=10, bytes=10), 10, 3) == (pytest.approx(3e-6), "overhead")


def test_bandwidth_lies_between_working_sets_that_were_measured():
    roof = Roof(peaks(), "fp32")
    assert roof.bandwidth(2**15) == pytest.approx(100e9)
    assert roof.bandwidth(1) == pytest.approx(100e9)
    assert roof.bandwidth(2**40) == pytest.approx(20e9)
    assert 20e9 < roof.bandwidth(2**24) < 60e9


def test_the_rate_is_that_of_the_precision():
    assert Roof(peaks(), "amp-bf16").best_rate == 200e9
    unknown = Roof(peaks(), "tf32")
    assert (unknown.precise, unknown.best_rate) == (False, 100e9)


def test_each_layer_has_its_share_of_the_roof():
    frame = roofline(profile(), peaks()).set_index("name")
    conv = frame.loc["conv1"]
    assert conv["roof_s"] == pytest.approx(40e6 / 100e9)
    assert conv["share_of_roof"] == pytest.approx(conv["roof_s"] / conv["measured_s"])
    assert (conv["bound"], frame.loc["relu", "bound"]) == ("compute", "memory")
    assert conv["intensity"] == pytest.approx(100)
    assert frame.loc["relu", "fused_roof_s"] == 0


def test_training_has_rows_for_both_phases():
    frame = roofline(profile(task="training"), peaks())
    assert set(frame["phase"]) == {"forward", "backward"}


def test_a_case_has_a_roof_and_a_utilisation():
    made = profile()
    roof = case_roof(made, peaks())
    frame = roofline(made, peaks())
    assert roof.roof_s == pytest.approx(frame["roof_s"].sum())
    assert roof.flops == sum(each.flops for each in works())
    assert roof.mfu == pytest.approx(roof.flops / (100e9 * roof.step_s))
    assert case_roof(profile(case=_case(model="resnet18"), works=()), peaks()) is None


def test_a_layer_above_the_roof_is_a_warning():
    assert roof_warnings(profile(), peaks()) == ()
    slow = tuple(each for each in peaks().compute)
    low = peaks(compute=tuple(type(each)(operator=each.operator, precision=each.precision, size=each.size,
                                         flops_per_s=around(1e9)) for each in slow))  # fmt: skip
    above, total = roof_warnings(profile(), low)
    assert above.startswith("4 layers are above the roof, conv1 forward by a factor of 1e+02")
    assert "of the measured step" in total


def test_a_precision_without_a_rate_is_a_warning():
    made = profile(case=_case(model="resnet18", precision="bf16"))
    assert any("no rate of bf16" in warning for warning in roof_warnings(made, peaks()))
