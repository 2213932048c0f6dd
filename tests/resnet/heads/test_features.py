import pytest
import torch
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

import resnet
from resnet.heads.features import StageFeatures, freeze_norms


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet50d", "preact_resnet50", "plain18", "cifar_resnet18", "cifar_wrn_28_10"]
)
def test_outputs_have_the_channels_and_strides_that_they_state(name):
    with torch.device("meta"):
        features = StageFeatures(resnet.create(name, num_classes=0, in_channels=1), range(5))
        outputs = features(torch.empty(2, 1, 96, 64))
    assert [tuple(output.shape) for output in outputs] == [
        (2, channels, 96 // stride, 64 // stride)
        for channels, stride in zip(features.channels, features.strides, strict=True)
    ]


@pytest.mark.parametrize("block", ["basic", "preact_basic"])
def test_every_output_ends_in_a_relu(block, small):
    features = StageFeatures(small(block=block), range(5))
    outputs = features(torch.randn(2, 3, 64, 64))
    assert all(bool((output >= 0).all()) for output in outputs)


def test_outputs_that_no_head_uses_stay_as_they_are(small):
    features = StageFeatures(small(block="preact_basic"), used=[4])
    outputs = features(torch.randn(2, 3, 64, 64))
    assert [bool((output >= 0).all()) for output in outputs] == [False, False, False, False, True]


def test_stages_without_preactivation_are_those_of_the_network(small):
    network = small().eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        _, *stages = StageFeatures(network, range(5))(images)
        expected = network.forward_features(images)
    assert all(map(torch.equal, stages, expected))


def test_a_frozen_norm_computes_the_same_and_never_changes(small):
    network = small()
    network(torch.randn(4, 3, 64, 64))  # statistics unlike those of a fresh norm
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = network.eval()(images)
        freeze_norms(network)
        torch.testing.assert_close(network.train()(images), expected, rtol=1e-4, atol=1e-5)
    kinds = [type(module) for module in network.modules()]
    assert FrozenBatchNorm2d in kinds
    assert nn.BatchNorm2d not in kinds
