"""Where torchvision has the network: its checkpoints load, its outputs are ours to the bit, one seed is one init."""

import copy

import pytest
import torch
import torchvision

import resnet

NAMES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
)


@pytest.fixture(params=NAMES)
def pair(request):
    """Our network and torchvision's with the same, seasoned, weights: no batch norm is at its start."""
    torch.manual_seed(0)
    with torch.device("meta"):
        theirs = getattr(torchvision.models, request.param)()
        ours = resnet.create(request.param)
    # Their own initialisation would take longer than all the rest of the test.
    theirs.to_empty(device="cpu")
    for key, tensor in theirs.state_dict().items():
        if key.endswith("num_batches_tracked"):
            tensor.zero_()
        elif tensor.dim() > 1:
            tensor.uniform_(-1, 1).mul_((3 / tensor[0].numel()) ** 0.5)
        else:
            tensor.uniform_(0.5, 1.5)
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()), strict=True, assign=True)
    return ours, theirs


def test_outputs_are_identical_to_the_bit(pair):
    ours, theirs = pair
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        evaluated = ours.eval()(images)
        assert torch.equal(evaluated, theirs.eval()(images))
        trained = ours.train()(images)
        assert torch.equal(trained, theirs.train()(images))
    assert torch.isfinite(evaluated).all()
    assert not torch.equal(evaluated, trained)
    for (key, mine), other in zip(ours.named_buffers(), theirs.buffers(), strict=True):
        assert torch.equal(mine, other), f"running statistics of {key} differ after a training step"


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d"])
def test_gradients_are_identical_to_the_bit(name):
    networks = []
    for create in (resnet.create, torchvision.models.get_model):
        torch.manual_seed(0)
        networks.append(create(name))
    images = torch.randn(2, 3, 64, 64)
    for network in networks:
        torch.nn.functional.cross_entropy(network(images), torch.tensor([1, 2])).backward()
    ours, theirs = (dict(network.named_parameters()) for network in networks)
    assert list(ours) == list(theirs)
    for key, parameter in ours.items():
        assert torch.equal(parameter.grad, theirs[key].grad), key


@pytest.mark.parametrize("zero_init_residual", [False, True])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d"])
def test_one_seed_gives_the_same_weights(name, zero_init_residual):
    torch.manual_seed(3)
    ours = resnet.create(name, zero_init_residual=zero_init_residual).state_dict()
    torch.manual_seed(3)
    theirs = torchvision.models.get_model(name, zero_init_residual=zero_init_residual).state_dict()
    assert list(ours) == list(theirs)
    for key, tensor in ours.items():
        assert torch.equal(tensor, theirs[key]), key


def test_these_are_all_that_torchvision_has():
    published = torchvision.models.list_models(module=torchvision.models)
    assert {name for name in published if "resne" in name} == set(NAMES)
