"""Networks that pad on both sides compute what Akamaster's networks for CIFAR do, and take their checkpoints."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional

import resnet


class Block(nn.Module):
    """Two convolutions; where the shape changes, a quarter of the output's channels is padded on either side."""

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        if x.shape != out.shape:
            quarter = out.shape[1] // 4
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter), "constant", 0)
        return (out + x).relu()


class Reference(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(depth)))
        self.layer2 = nn.Sequential(*(Block(32 if index else 16, 32, 1 if index else 2) for index in range(depth)))
        self.layer3 = nn.Sequential(*(Block(64 if index else 32, 64, 1 if index else 2) for index in range(depth)))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(functional.avg_pool2d(x, x.shape[3]).flatten(1))


@pytest.fixture
def reference():
    torch.manual_seed(0)
    network = Reference(3)
    with torch.no_grad():
        network(torch.randn(16, 3, 32, 32))  # gives the norms statistics
    return network.eval()


def test_a_checkpoint_computes_the_same(reference, tmp_path):
    state = nn.DataParallel(reference).state_dict()
    torch.save(
        {"state_dict": state, "best_prec1": 91.7}, tmp_path / "resnet20.th", _use_new_zipfile_serialization=False
    )
    images = torch.randn(4, 3, 32, 32)
    config = dataclasses.replace(resnet.VARIANTS["cifar_resnet20"], shortcut="padding_both")
    ours = resnet.create(config, weights=tmp_path / "resnet20.th").eval()
    with pytest.warns(UserWarning, match="shortcut='padding_both'"):
        behind = resnet.create("cifar_resnet20", weights=tmp_path / "resnet20.th").eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(images), reference(images))
        assert (behind(images) - reference(images)).abs().max() > 0.01
