import dataclasses

import pytest
import torch

from resnet.model import ResNet
from resnet.training.optimizers import OPTIMIZERS, make_optimizer
from tests.resnet.training.conftest import CONFIG, RECIPE


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ResNet(CONFIG)


def made(network, **values):
    return make_optimizer(network, dataclasses.replace(RECIPE, weight_decay=0.1, **values))


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_all_parameters_are_trained(network, name):
    optimizer = made(network, optimizer=name)
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert trained == {id(parameter) for parameter in network.parameters()}
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1]


@pytest.mark.parametrize(
    ("values", "usual"),
    [
        ({"momentum": 0.8, "nesterov": True}, lambda p: torch.optim.SGD(p, 0.05, 0.8, weight_decay=0.1, nesterov=True)),
        ({"optimizer": "adam"}, lambda p: torch.optim.Adam(p, 0.05, weight_decay=0.1)),
        ({"optimizer": "adamw"}, lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.1)),
    ],
    ids=["sgd", "adam", "adamw"],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_is_that_of_the_plain_optimizer(values, usual, layout):
    torch.manual_seed(0)
    networks = [ResNet(CONFIG).to(memory_format=layout) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    optimizers = [made(networks[0], **values), usual(networks[1].parameters())]
    images = torch.rand(4, 1, 8, 8)
    for _ in range(3):
        for network, optimizer in zip(networks, optimizers, strict=True):
            network(images).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    for ours, theirs in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_norms_and_biases_can_be_spared(network):
    optimizer = made(network, decay_norm_and_bias=False)
    decayed, spared = optimizer.param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert {parameter.ndim for parameter in decayed["params"]} == {2, 4}
    assert {parameter.ndim for parameter in spared["params"]} == {1}


def test_frozen_parameters_are_left_out(network):
    network.requires_grad_(False)
    with pytest.raises(ValueError, match="all are frozen"):
        made(network)
    network.fc.requires_grad_(True)
    assert sum(len(group["params"]) for group in made(network).param_groups) == 2
