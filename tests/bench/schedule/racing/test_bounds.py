import pytest

from bench.schedule.racing.bounds import COMPILER_GAIN, LAYOUT_GAIN, is_heavy, least_s


def test_only_compilers_are_heavy(make_case):
    names = ("eager", "export", "onnxruntime", "openvino", "compile", "compile:freezing", "aot-inductor")
    heavy = {name for name in names if is_heavy(make_case(runtime=name))}
    assert heavy == {"compile", "compile:freezing", "aot-inductor"}


def test_nothing_bounds_a_candidate_that_is_like_no_other(make_case):
    assert least_s(make_case(runtime="compile"), {}) is None
    assert least_s(make_case(runtime="compile"), {make_case(precision="amp-bf16"): 0.1}) is None


def test_eager_in_the_better_layout_bounds_a_compiler(make_case):
    measured = {make_case(layout="nchw"): 0.10, make_case(layout="nhwc"): 0.08}
    known = least_s(make_case(runtime="compile"), measured)
    assert known is not None
    assert known[0] == pytest.approx(0.08 / COMPILER_GAIN)
    assert "nhwc" in known[1]


def test_the_other_layout_of_the_same_runtime_bounds_best(make_case):
    measured = {make_case(layout="nchw"): 0.10, make_case(runtime="compile", layout="nhwc"): 0.07}
    known = least_s(make_case(runtime="compile", layout="nchw"), measured)
    assert known is not None
    assert known[0] == pytest.approx(0.07 / LAYOUT_GAIN)
