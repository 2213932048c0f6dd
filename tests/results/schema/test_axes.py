import pytest

from results.errors import InputError
from results.schema.axes import AXES, BASELINE, CONDITIONS, COUNTS, SETTINGS, SIZES, WORKLOAD, axis_text, check_choice


def test_settings_have_a_baseline_and_conditions_have_none():
    assert {*SETTINGS, *CONDITIONS, "model"} == {*AXES}
    assert {*WORKLOAD} < {*CONDITIONS}
    for name, axis in AXES.items():
        assert (axis.baseline is not None) == (name in SETTINGS)
        assert (axis.kind == "word") == bool(axis.choices)
        assert name in {*COUNTS, *SIZES} or axis.kind in {"word", "name"}
        assert axis.default is not None or not axis.silent_default


def test_defaults_and_baselines_are_choices():
    for name, axis in AXES.items():
        if axis.choices:
            assert {axis.default, BASELINE.get(name, axis.default)} <= {*axis.choices}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("batch_size", 8, "batch 8"),
        ("image_size", 224, "224 px"),
        ("image_size", "224x160", "224x160 px"),
        ("in_channels", 1, "1 channel"),
        ("in_channels", 4, "4 channels"),
        ("threads", 1, "1 thread"),
        ("threads", 2, "2 threads"),
        ("threads", None, "unknown threads"),
        ("layout", "nhwc", "nhwc"),
    ],
)
def test_a_value_has_a_text(name, value, text):
    assert axis_text(name, value) == text


def test_an_unknown_choice_is_refused_with_its_axis_and_the_nearest():
    check_choice("precision", "bf16")
    with pytest.raises(InputError, match=r"unknown precision 'bf61'.*'bf16'.*choices: fp32, "):
        check_choice("precision", "bf61")
