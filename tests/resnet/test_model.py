import dataclasses
import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

import resnet

SMALL = resnet.ResNetConfig(block="basic", depths=(1, 1, 1, 1), widths=(8, 16, 32, 64), stem_width=8, num_classes=5)


@pytest.mark.parametrize(
    ("name", "channels", "strides"),
    [
        ("resnet18", (64, 128, 256, 512), (4, 8, 16, 32)),
        ("resnet50d", (256, 512, 1024, 2048), (4, 8, 16, 32)),
        ("preact_resnet50", (256, 512, 1024, 2048), (4, 8, 16, 32)),
        ("plain18", (64, 128, 256, 512), (4, 8, 16, 32)),
        ("cifar_resnet18", (64, 128, 256, 512), (1, 2, 4, 8)),
        ("cifar_wrn_28_10", (160, 320, 640), (1, 2, 4)),
    ],
)
def test_forward_features_gives_every_stage_at_its_stride(name, channels, strides):
    with torch.device("meta"):
        network = resnet.create(name)
        features = network.forward_features(torch.empty(2, 3, 96, 64))
    assert network.config.strides == strides
    assert [tuple(feature.shape) for feature in features] == [
        (2, count, 96 // stride, 64 // stride) for count, stride in zip(channels, strides, strict=True)
    ]


@pytest.mark.parametrize("in_channels", [1, 4])
@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnet50d", "preact_resnet18", "plain18", "resnext50_32x4d", "cifar_resnet20", "cifar_wrn_28_10"],
)
def test_images_need_be_neither_square_nor_of_three_channels(name, in_channels):
    with torch.device("meta"):
        network = resnet.create(name, in_channels=in_channels)
        images = torch.empty(2, in_channels, 224, 160)
        features = network.forward_features(images)
    stride = network.config.strides[-1]
    assert features[-1].shape == (2, network.config.num_features, 224 // stride, 160 // stride)
    assert network(images).shape == (2, network.config.num_classes)


@pytest.mark.parametrize("block", ["basic", "preact_basic"])
def test_head_is_norm_pool_and_classifier_of_the_last_features(block):
    torch.manual_seed(0)
    network = resnet.create(dataclasses.replace(SMALL, block=block)).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        last = network.forward_features(images)[-1]
        pooled = network.norm(last).mean((2, 3))
        torch.testing.assert_close(network(images), network.fc(pooled))
    assert bool((last < 0).any()) == (block == "preact_basic"), "only pre-activation leaves them signed"


def test_no_classes_gives_pooled_features_of_the_same_network():
    torch.manual_seed(0)
    network = resnet.create(SMALL)
    backbone = resnet.create(SMALL, num_classes=0)
    state = {key: value for key, value in network.state_dict().items() if not key.startswith("fc.")}
    backbone.load_state_dict(state, strict=True)
    images = torch.randn(2, 3, 64, 64)
    features = backbone.eval()(images)
    assert features.shape == (2, SMALL.num_features)
    torch.testing.assert_close(network.eval()(images), network.fc(features))


@pytest.mark.parametrize("block", ["basic", "bottleneck", "preact_basic", "preact_bottleneck"])
def test_zero_init_residual_makes_blocks_identities(block):
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, block=block, depths=(2, 2, 2, 2))
    network = resnet.create(config, zero_init_residual=True)
    x = torch.randn(2, config.out_channels(8), 8, 8)
    out = network.layer1[1](x.clone())
    assert torch.equal(out, x if config.preact else x.relu())
    # ... and without it they are not.
    assert not torch.equal(resnet.create(config).layer1[1](x.clone()), out)


def test_zero_init_residual_of_a_plain_network_is_refused():
    with pytest.raises(ValueError, match="zero_init_residual needs shortcuts"):
        resnet.create("plain18", zero_init_residual=True)


def test_convolutions_begin_kaiming_normal_with_fan_out():
    torch.manual_seed(0)
    network = resnet.create("resnet18")
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 50_000:
            fan_out = module.out_channels * math.prod(module.kernel_size)
            assert module.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.02), name


def test_what_a_configuration_asks_for_is_chosen_when_built():
    with torch.device("meta"):
        deep, preact, cifar = (resnet.create(name) for name in ("resnet50d", "preact_resnet50", "cifar_resnet20"))
    assert [type(layer).__name__ for layer in deep.conv1][::3] == ["Conv2d"] * 3
    assert [type(layer).__name__ for layer in deep.layer2[0].downsample] == [
        "AvgPool2d",
        "Conv2d",
        "BatchNorm2d",
    ]
    assert isinstance(preact.bn1, nn.Identity)
    assert [type(layer).__name__ for layer in preact.norm] == ["BatchNorm2d", "ReLU"]
    assert [type(layer).__name__ for layer in preact.layer2[0].downsample] == ["Conv2d"]
    assert isinstance(cifar.maxpool, nn.Identity)
    assert cifar.conv1.kernel_size == (3, 3)
    assert type(cifar.layer2[0].downsample).__name__ == "PaddingShortcut"


@st.composite
def configs(draw):
    stages = draw(st.integers(1, 4))
    numbers = st.tuples(*[st.integers(1, 2)] * stages)
    fields = {
        "block": draw(st.sampled_from(["basic", "bottleneck", "preact_basic", "preact_bottleneck"])),
        "depths": draw(numbers),
        "widths": tuple(8 * number for number in draw(numbers)),
        "groups": draw(st.sampled_from([1, 1, 2, 4])),
        "width_per_group": draw(st.sampled_from([64, 64, 8, 128])),
        "stem": draw(st.sampled_from(["imagenet", "deep", "cifar"])),
        "stem_width": draw(st.sampled_from([8, 16])),
        "shortcut": draw(st.sampled_from(["projection", "padding", "padding_both", "avgpool", "none"])),
        "num_classes": draw(st.integers(0, 5)),
        "in_channels": draw(st.integers(1, 4)),
    }
    try:
        return resnet.ResNetConfig(**fields)
    except ValueError:
        assume(condition=False)


@settings(max_examples=15, deadline=None)
@given(config=configs(), extra=st.integers(0, 40))
def test_every_valid_configuration_builds_runs_and_keeps_its_promises(config, extra):
    size = config.minimum_image_size + extra
    with torch.device("meta"):
        network = resnet.create(config)
        images = torch.empty(2, config.in_channels, size, size)
        features = network.forward_features(images)
        output = network(images)

    assert output.shape == (2, config.num_classes or config.num_features)
    for feature, planes, stride in zip(features, config.widths, config.strides, strict=True):
        side = -(-size // stride)
        assert feature.shape == (2, config.out_channels(planes), side, side)
    weighted = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "downsample" not in name
    ]
    # The paper's depth takes the stem for one layer, whether it is made of one or three, and has a classifier.
    stem = [name for name in weighted if name.startswith("conv1")]
    if not (config.family == "wide" and config.stem == "cifar"):
        assert config.depth == len(weighted) - len(stem) + 1 + (config.num_classes == 0)
    if config.shortcut == "none":
        assert not any("downsample" in name for name, _ in network.named_modules())


@pytest.mark.parametrize(
    ("block", "shortcut"), [("basic", "padding"), ("bottleneck", "avgpool"), ("preact_bottleneck", "projection")]
)
def test_compiles_into_one_graph(block, shortcut):
    torch.manual_seed(0)
    network = resnet.create(dataclasses.replace(SMALL, block=block, shortcut=shortcut)).eval()
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), network(images))
