import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from resnet import ResNetConfig
from resnet.checkpointing import checkpoint_activations
from resnet.model import ResNet
from tests.resnet.training.conftest import CONFIG, same_weights


def after_a_step(*parts):
    """Return a network with gradients, and the bytes that its forward pass kept for them."""
    torch.manual_seed(0)
    network = ResNet(CONFIG)
    for part in parts:
        checkpoint_activations(network, part)
    held = []
    with saved_tensors_hooks(lambda tensor: held.append(tensor.nbytes) or tensor, lambda tensor: tensor):
        scores = network(torch.rand(4, 1, 8, 8))
    scores.square().sum().backward()
    return network, sum(held)


@pytest.mark.parametrize("parts", ["stages", "blocks"])
def test_gradients_and_statistics_are_the_same_to_the_bit_and_less_is_held(parts):
    (plain, all_of_it), (checkpointed, less) = after_a_step(), after_a_step(parts)
    assert same_weights(plain, checkpointed)  # the statistics of the batch norms are among them
    pairs = zip(plain.parameters(), checkpointed.parameters(), strict=True)
    assert all(torch.equal(first.grad, second.grad) for first, second in pairs)
    assert less < all_of_it


def test_twice_is_once():
    (once, held), (twice, as_much) = after_a_step("blocks"), after_a_step("blocks", "blocks")
    assert (same_weights(once, twice), held) == (True, as_much)


def test_a_network_without_stages_is_refused():
    assert ResNet(ResNetConfig(depths=(1,), widths=(8,))).stages
    with pytest.raises(ValueError, match="stages"):
        checkpoint_activations(nn.Linear(2, 2))
