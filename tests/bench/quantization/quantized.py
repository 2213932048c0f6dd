"""A small network, and how far its quantized answers are from its own."""

import torch

from bench.tasks import networks


def made():
    """Return a network of random weights in eval mode, and images."""
    torch.manual_seed(0)
    network = networks.create_network("cifar_resnet20").eval()
    return network, torch.randn(8, 3, 32, 32)


def distance(result, reference):
    """Return the root mean square difference over the reference's root mean square."""
    result = torch.as_tensor(result)
    return float((result - reference).square().mean().sqrt() / reference.square().mean().sqrt())
