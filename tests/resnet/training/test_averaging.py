import pytest
import torch
from torch import nn

from resnet.training.averaging import MovingAverage, cloned


def filled(value):
    network = nn.BatchNorm1d(3)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(value)
    return network


def test_an_average_moves_by_its_decay_and_counters_are_those_of_the_network():
    average = MovingAverage(filled(0), 0.75)
    average.update(filled(4), step=1000)
    assert average.state["weight"].tolist() == pytest.approx([1.0] * 3)
    assert average.state["running_mean"].tolist() == pytest.approx([1.0] * 3)
    assert int(average.state["num_batches_tracked"]) == 4


def test_the_first_weights_are_soon_forgotten():
    average = MovingAverage(filled(1000), 0.9999)
    for step in range(1, 101):
        average.update(filled(1), step)
    assert max(average.state["weight"].tolist()) < 1.01


def test_a_network_has_the_average_for_a_while():
    network = filled(4)
    average = MovingAverage(filled(1), 0.5)
    with average.applied(network):
        assert network.weight.tolist() == [1.0] * 3
    assert network.weight.tolist() == [4.0] * 3


def test_a_clone_keeps_values_and_layout():
    network = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
    copy = cloned(network.state_dict())
    before = network.weight.detach().clone()
    nn.init.zeros_(network.weight)
    assert torch.equal(copy["weight"], before)
    assert copy["weight"].stride() == network.weight.stride()
