import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet import VARIANTS, ResNetConfig


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"block": "bottelneck"},
            r"unknown block 'bottelneck'; did you mean 'bottleneck'\? \(choices: basic, bottleneck, preact_basic",
        ),
        ({"stem": "Imagenet"}, r"unknown stem 'Imagenet'; did you mean 'imagenet'\? \(choices: imagenet, deep"),
        ({"shortcut": "B"}, r"unknown shortcut 'B' \(choices: projection, padding, padding_both, avgpool, none\)"),
        ({"shortcut": None}, r"unknown shortcut None; did you mean 'none'\? \(choices: projection"),
        ({"depths": ()}, r"depths must be a tuple with an integer for each stage, not \(\)"),
        ({"depths": [3, 4, 6, 3]}, r"depths must be a tuple .*, not \[3, 4, 6, 3\]"),
        ({"depths": (3, 0, 6, 3)}, r"depths\[1\] must be an integer of at least 1, not 0"),
        ({"depths": (3, 4, 6)}, r"depths has 3 stages but widths has 4"),
        ({"widths": (64, 128, 256, -512)}, r"widths\[3\] must be an integer of at least 1, not -512"),
        ({"widths": (64, 128, 256, 512.0)}, r"widths\[3\] must be an integer"),
        ({"groups": 0}, r"groups must be an integer of at least 1, not 0"),
        ({"groups": True}, r"groups must be an integer of at least 1, not True"),
        ({"width_per_group": "4"}, r"width_per_group must be an integer of at least 1, not '4'"),
        ({"stem_width": 0}, r"stem_width must be an integer of at least 1"),
        ({"num_classes": -1}, r"num_classes must be an integer of at least 0, not -1"),
        ({"in_channels": 0}, r"in_channels must be an integer of at least 1, not 0"),
        ({"block": "basic", "groups": 32}, r"groups=32, width_per_group=64 need block 'bottleneck'"),
        ({"block": "preact_basic", "width_per_group": 128}, r"width_per_group=128 need block 'bottleneck'"),
        ({"width_per_group": 3, "widths": (16, 32, 64, 128)}, r"width_per_group=3 leaves no .* at least 4"),
        ({"stem": "deep", "stem_width": 33}, r"stem_width=33 must be even with stem 'deep'"),
        (
            {"block": "preact_basic", "shortcut": "none"},
            r"shortcut 'none' needs block .*\(choices: projection, padding, padding_both, avgpool\)",
        ),
        (
            {"block": "basic", "widths": (64, 32, 16, 8), "shortcut": "padding"},
            r"shortcut 'padding' can only add channels",
        ),
        (
            {"block": "basic", "widths": (64, 32, 16, 8), "shortcut": "padding_both"},
            r"shortcut 'padding_both' can only add channels",
        ),
    ],
)
def test_nonsense_names_the_field_and_the_choices_in_one_line(fields, message):
    with pytest.raises(ValueError, match=message) as raised:
        ResNetConfig(**fields)
    assert "\n" not in str(raised.value)


def test_is_frozen_and_equal_by_value():
    config = ResNetConfig(block="basic")
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.block = "bottleneck"
    assert config == ResNetConfig(block="basic")
    assert hash(config) == hash(ResNetConfig(block="basic"))


@pytest.mark.parametrize(
    ("name", "depth", "family"),
    [
        ("resnet18", 18, "resnet"),
        ("resnet26", 26, "resnet"),
        ("resnet152", 152, "resnet"),
        ("preact_resnet101", 101, "preact"),
        ("resnext101_64x4d", 101, "resnext"),
        ("wide_resnet50_2", 50, "wide"),
        ("resnet34d", 34, "resnetd"),
        ("plain34", 34, "plain"),
        ("cifar_plain56", 56, "plain"),
        ("cifar_resnet50", 50, "cifar"),
        ("cifar_resnet20", 20, "cifar_he"),
        ("cifar_resnet110", 110, "cifar_he"),
        ("cifar_wrn_28_10", 28, "wide"),
    ],
)
def test_depth_and_family_are_the_papers(name, depth, family):
    assert (VARIANTS[name].depth, VARIANTS[name].family) == (depth, family)


@pytest.mark.parametrize("name", VARIANTS)
def test_depth_is_the_number_in_the_name(name):
    (number,) = re.findall(r"(?:resnet|resnext|plain|wrn_)(\d+)", name)
    assert VARIANTS[name].depth == int(number)


def test_inner_width_of_resnext_is_cardinality_times_width():
    assert VARIANTS["resnext50_32x4d"].inner_width(64) == 32 * 4
    assert VARIANTS["resnext101_32x8d"].inner_width(512) == 8 * 32 * 8
    assert VARIANTS["wide_resnet50_2"].inner_width(64) == 128


@pytest.mark.parametrize(
    ("name", "image_size", "minimum", "classes"),
    [
        ("resnet50", 224, 32, 1000),
        ("cifar_resnet18", 32, 8, 10),
        ("cifar_resnet20", 32, 4, 10),
        ("cifar_wrn_28_10", 32, 4, 10),
    ],
)
def test_sizes_follow_from_the_stem_and_the_stages(name, image_size, minimum, classes):
    config = VARIANTS[name]
    assert (config.image_size, config.minimum_image_size, config.num_classes) == (
        image_size,
        minimum,
        classes,
    )


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            field.name: st.one_of(
                st.none(),
                st.integers(-3, 70),
                st.sampled_from(["", "basic", "cifar", "none", "x"]),
                st.tuples(st.integers(-1, 3)),
            )
            for field in dataclasses.fields(ResNetConfig)
        },
    )
)
def test_whatever_comes_in_makes_a_config_or_a_value_error(fields):
    try:
        config = ResNetConfig(**fields)
    except ValueError as error:
        assert any(name in str(error) for name in fields)  # noqa: PT017 - both ways are fine, a crash is not
    else:
        assert config.depth > 0
