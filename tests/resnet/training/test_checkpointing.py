import pytest
import torch
from torch import nn

from resnet.model import ResNet
from resnet.training.checkpointing import checkpoint_blocks
from tests.resnet.training.conftest import CONFIG, same_weights


class Counted(torch.autograd.graph.saved_tensors_hooks):
    """Counts the bytes that a forward pass keeps for its backward pass."""

    def __init__(self):
        self.bytes = 0
        super().__init__(self.pack, lambda tensor: tensor)

    def pack(self, tensor):
        self.bytes += tensor.nbytes
        return tensor


def test_gradients_and_statistics_are_the_same_to_the_bit_and_less_is_held():
    networks, held = [], []
    for checkpointed in (False, True):
        torch.manual_seed(0)
        network = ResNet(CONFIG)
        if checkpointed:
            checkpoint_blocks(network)
        with Counted() as counted:
            scores = network(torch.rand(4, 1, 8, 8))
        scores.square().sum().backward()
        networks.append(network)
        held.append(counted.bytes)
    plain, checkpointed = networks
    assert same_weights(plain, checkpointed)  # the statistics of the batch norms are among them
    pairs = zip(plain.parameters(), checkpointed.parameters(), strict=True)
    assert all(torch.equal(first.grad, second.grad) for first, second in pairs)
    assert held[1] < held[0]


def test_a_network_without_stages_is_refused():
    with pytest.raises(ValueError, match="stages"):
        checkpoint_blocks(nn.Linear(2, 2))
